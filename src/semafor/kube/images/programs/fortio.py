"""The part of Fortio that mesh tutorials use: `fortio load` and `fortio curl`, and a server that echoes.

Source: https://fortio.org.
"""

# A program of its own.
# ruff: noqa: T201

import argparse
import http.client
import http.server
import itertools
import sys
import threading
import time
from collections import Counter
from urllib.parse import SplitResult, urlsplit

COMMANDS = ("load", "curl", "server")


def main(arguments: list[str]) -> int:
    """Run the command line; the exit code."""
    command = arguments[0] if arguments else ""
    if command not in COMMANDS:
        print(
            f"fortio: {command or 'nothing'} asked; the fortio of this image knows {', '.join(COMMANDS)}",
            file=sys.stderr,
        )
        return 1
    options, rest = _parser(command).parse_known_args(arguments[1:])
    unknown = [word for word in rest if word.startswith("-")]
    if unknown:
        print(f"fortio {command}: the fortio of this image does not know {unknown[0]}", file=sys.stderr)
        return 1
    if command == "server":
        return _serve(options)
    if len(rest) != 1:
        print(f"fortio {command}: one URL is needed", file=sys.stderr)
        return 1
    return _curl(rest[0], options) if command == "curl" else _load(rest[0], options)


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"fortio {command}", allow_abbrev=False)
    parser.add_argument("-quiet", "--quiet", action="store_true")
    parser.add_argument("-loglevel", "--loglevel", default="Info")
    parser.add_argument("-http-port", "--http-port", type=int, default=8080)
    parser.add_argument("-timeout", "--timeout", type=_seconds, default=3.0)
    parser.add_argument("-H", dest="headers", action="append", default=[])
    if command == "load":
        parser.add_argument("-c", "--c", dest="connections", type=int, default=4)
        parser.add_argument("-qps", "--qps", type=float, default=8.0)
        parser.add_argument("-n", "--n", dest="calls", type=int, default=0)
        parser.add_argument("-t", "--t", dest="duration", type=_seconds, default=5.0)
        parser.add_argument("-allow-initial-errors", "--allow-initial-errors", action="store_true")
    return parser


def _seconds(text: str) -> float:
    for unit, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float(text)


class Caller:
    """One connection, kept open between calls as Fortio's are."""

    def __init__(self, url: str, options: argparse.Namespace) -> None:
        self._url: SplitResult = urlsplit(url if "://" in url else f"http://{url}")
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(self._url.netloc, timeout=options.timeout)
        self._headers = {"User-Agent": "fortio.org/fortio-1.60.0"}
        self._headers |= {name.strip(): value.strip() for name, _, value in (h.partition(":") for h in options.headers)}

    def call(self) -> tuple[int, str, bytes]:
        """Its code, the head of the answer as it came, and the body; -1 when no answer came."""
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        try:
            self._connection.request("GET", path, headers=self._headers)
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return -1, str(error), b""
        lines = (f"HTTP/1.1 {response.status} {response.reason}", *(f"{n}: {v}" for n, v in response.getheaders()))
        return response.status, "\r\n".join((*lines, "", "")), body


def _curl(url: str, options: argparse.Namespace) -> int:
    code, head, body = Caller(url, options).call()
    print(head, end="", flush=True)
    sys.stdout.buffer.write(body)
    return 0 if 200 <= code < 400 else 1


def _load(url: str, options: argparse.Namespace) -> int:
    """Call from several connections at once, and count the codes."""
    calls = options.calls or (int(options.qps * options.duration) if options.qps > 0 else sys.maxsize)
    numbers, codes, times = itertools.count(), Counter[int](), list[float]()
    started = time.monotonic()
    until = started + (options.duration if not options.calls else float("inf"))

    def one() -> None:
        caller = Caller(url, options)
        while (number := next(numbers)) < calls and time.monotonic() < until:
            if options.qps > 0:
                time.sleep(max(0.0, started + number / options.qps - time.monotonic()))
            before = time.monotonic()
            code = caller.call()[0]
            times.append(time.monotonic() - before)
            codes[code] += 1

    threads = [threading.Thread(target=one) for _ in range(options.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _report(codes, times, time.monotonic() - started)
    return 0


def _report(codes: Counter[int], times: list[float], elapsed: float) -> None:
    count = len(times)
    ordered = sorted(times)
    print(f"Ended after {elapsed:.6g}s : {count} calls. qps={count / elapsed:.5g}")
    for percent in (50, 75, 90, 99, 99.9) if count else ():
        print(f"# target {percent:g}% {ordered[min(count - 1, int(count * percent / 100))]:.6g}")
    for code, number in sorted(codes.items()):
        print(f"Code {code:3d} : {number} ({100 * number / count:.1f} %)")
    mean = 1000 * sum(times) / count if count else 0.0
    print(f"All done {count} calls (plus 0 warmup) {mean:.3f} ms avg, {count / elapsed:.1f} qps")


class Echo(http.server.BaseHTTPRequestHandler):
    """Sends a body back as it came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Any path."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Any path too."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Fortio does not log calls."""


def _serve(options: argparse.Namespace) -> int:
    print(f"echo at port {options.http_port}", flush=True)
    http.server.ThreadingHTTPServer(("", options.http_port), Echo).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
