"""Calls a host over kept connections until it is told to stop, and keeps its counts in a file, as JSON.

steady.py HOST [REQUESTS_PER_S]: without a rate, each of the threads calls again after a short pause.
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from http.client import HTTPConnection, HTTPException
from pathlib import Path

HOST, COUNTS = sys.argv[1], Path("/tmp/counts")
RATE = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
THREADS, LONGEST_S = (8, 900.0) if RATE else (4, 180.0)
counts: Counter = Counter()
errors: list = []
BEGAN = time.monotonic()


def call() -> None:
    connection = HTTPConnection(HOST, 80, timeout=10)
    due = time.monotonic()
    deadline = due + LONGEST_S
    while time.monotonic() < deadline:
        try:
            connection.request("GET", "/")
            response = connection.getresponse()
            words = response.read().decode().split()
            counts[words[0] if response.status == 200 else "errors"] += 1
            if response.status != 200:
                errors.append(f"{time.strftime('%X')} {response.status} {' '.join(words)[:200]}")
        except (OSError, HTTPException) as error:
            counts["errors"] += 1
            errors.append(f"{time.strftime('%X')} {error!r}")
            connection.close()
        due = max(due + THREADS / RATE, time.monotonic() - 1.0) if RATE else time.monotonic() + 0.005
        time.sleep(max(due - time.monotonic(), 0.0))


for _ in range(THREADS):
    threading.Thread(target=call, daemon=True).start()
while True:
    fresh = COUNTS.with_suffix(f".{os.getpid()}")
    seconds = time.monotonic() - BEGAN
    fresh.write_text(json.dumps({"counts": dict(counts), "errors": errors[:20], "seconds": seconds}))
    fresh.replace(COUNTS)
    time.sleep(0.05)
