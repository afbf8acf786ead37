"""Calls a URL over kept connections until it is told to stop, and keeps its counts in a file, as JSON."""

import json
import os
import sys
import threading
import time
from collections import Counter
from http.client import HTTPConnection, HTTPException
from pathlib import Path

HOST, COUNTS = sys.argv[1], Path("/tmp/counts")
THREADS, LONGEST_S = 4, 180.0
counts: Counter = Counter()
errors: list = []


def call() -> None:
    connection = HTTPConnection(HOST, 80, timeout=10)
    deadline = time.monotonic() + LONGEST_S
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
        time.sleep(0.005)


for _ in range(THREADS):
    threading.Thread(target=call, daemon=True).start()
while True:
    fresh = COUNTS.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"counts": dict(counts), "errors": errors[:20]}))
    fresh.replace(COUNTS)
    time.sleep(0.05)
