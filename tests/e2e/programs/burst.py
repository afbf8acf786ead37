"""Calls HOST COUNT times from THREADS threads, and prints what came of it as JSON."""

import json
import sys
import threading
import time
from collections import Counter
from http.client import HTTPConnection

HOST, COUNT, THREADS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
answers, reasons, times = Counter(), Counter(), []


def call():
    connection = HTTPConnection(HOST, 80, timeout=30)
    for _ in range(COUNT // THREADS):
        started = time.monotonic()
        connection.request("GET", "/")
        response = connection.getresponse()
        body = response.read().decode()
        times.append(time.monotonic() - started)
        answers[body if response.status == 200 else str(response.status)] += 1
        if response.getheader("x-semafor-reason"):
            reasons[response.getheader("x-semafor-reason")] += 1
            assert response.getheader("x-semafor-reason") in body, body


threads = [threading.Thread(target=call) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"answers": answers, "reasons": reasons, "longest_s": max(times), "shortest_s": min(times)}))
