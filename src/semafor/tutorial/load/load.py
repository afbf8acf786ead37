"""A load: it asks the agent many times and prints, as JSON lines, which version of the model answered how often."""

import json
import os
import sys
import threading
import time
from collections import Counter
from http.client import HTTPConnection, HTTPException

HOST = os.environ.get("TARGET_HOST", "agent")
REQUESTS = int(os.environ.get("REQUESTS", "2000"))
CONCURRENCY = int(os.environ.get("CONCURRENCY", "8"))
REPORT_EVERY_S = 0.1
TIMEOUT_S = 15


def worker(share: int, counts: Counter, first_errors: list[str]) -> None:
    """Send `share` requests over one kept connection and count the answers by version."""
    connection = HTTPConnection(HOST, 80, timeout=TIMEOUT_S)
    for _ in range(share):
        try:
            connection.request("GET", "/ask?q=what+is+a+mesh")
            response = connection.getresponse()
            body = response.read()
            counts[json.loads(body)["version"] if response.status == 200 else "errors"] += 1
            if response.status != 200:
                first_errors.append(f"{response.status} {body[:200].decode(errors='replace').strip()}")
        except (OSError, HTTPException, ValueError, LookupError) as error:
            counts["errors"] += 1
            first_errors.append(repr(error))
            connection.close()


def main() -> None:
    counts: Counter = Counter()
    first_errors: list[str] = []
    shares = [REQUESTS // CONCURRENCY + (i < REQUESTS % CONCURRENCY) for i in range(CONCURRENCY)]
    workers = [threading.Thread(target=worker, args=(share, counts, first_errors)) for share in shares]
    started = time.monotonic()
    for thread in workers:
        thread.start()
    while any(thread.is_alive() for thread in workers):
        report(counts, started, done=False)
        time.sleep(REPORT_EVERY_S)
    for message in first_errors[:3]:
        print(f"error: {message}", file=sys.stderr, flush=True)
    report(counts, started, done=True)


def report(counts: Counter, started: float, *, done: bool) -> None:
    print(
        json.dumps({"counts": dict(counts), "seconds": round(time.monotonic() - started, 3), "done": done}), flush=True
    )


if __name__ == "__main__":
    main()
