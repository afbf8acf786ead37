"""What the four services share: a small HTTP server, and calls that pass the caller's tracing headers on."""

# A program of its own, for a pod: it prints, and listens on all of the pod's addresses.
# ruff: noqa: S104, T201

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PORT = 9080
# What every service hands on, so that traces stay whole and rules for users hold along the whole way.
PASSED_ON = (
    *("x-request-id", "traceparent", "tracestate", "x-ot-span-context", "b3", "grpc-trace-bin", "sw8"),
    *(f"x-b3-{part}" for part in ("traceid", "spanid", "parentspanid", "sampled", "flags")),
    *("end-user", "user-agent", "cookie", "authorization", "jwt"),
)

Answer = tuple[int, Any]  # status, and a JSON value, or text as it is


class Request:
    """What a service looks at."""

    def __init__(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        self.method = handler.command
        self.path = handler.path.partition("?")[0].rstrip("/") or "/"
        self.headers = handler.headers
        self.body = body
        self.reply_headers: list[tuple[str, str]] = []

    @property
    def passed_on(self) -> dict[str, str]:
        return {name: self.headers[name] for name in PASSED_ON if self.headers[name]}

    @property
    def id(self) -> int | None:
        """The number at the end of the path."""
        last = self.path.rpartition("/")[2]
        return int(last) if last.isdigit() else None


def fetch(service: str, path: str, headers: Mapping[str, str], timeout_s: float) -> Answer:
    """Another service's answer; 500 when there is none. Where it is can be set, as in the original."""
    name = service.upper()
    domain = os.environ.get("SERVICES_DOMAIN", "")
    host = os.environ.get(f"{name}_HOSTNAME", service) + (f".{domain}" if domain else "")
    url = f"http://{host}:{os.environ.get(f'{name}_SERVICE_PORT', PORT)}{path}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers)), timeout=timeout_s) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        print(f"{url} answered {error.code}", flush=True)
        return error.code, None
    except (OSError, ValueError) as error:
        print(f"{url} did not answer: {error}", flush=True)
        return 500, None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: apart, the second waits for an acknowledgement (40 ms)
    disable_nagle_algorithm = True
    answer: Callable[[Request], Answer]

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        request = Request(self, self.rfile.read(int(self.headers["content-length"] or 0)))
        status, content = type(self).answer(request)
        is_text = isinstance(content, str)
        body = (content if is_text else json.dumps(content)).encode()
        self.send_response(status)
        for name, value in request.reply_headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html; charset=utf-8" if is_text else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def server_bind(self) -> None:
        # The parent's looks its own name up, which takes seconds where there is no resolver.
        self.server_name, self.server_port = "bookinfo", self.server_address[1]
        self.socket.bind(self.server_address)


def serve(name: str, answer: Callable[[Request], Answer], port: int) -> None:
    """Answer for ever. Every service says at /health that it is well."""

    def with_health(request: Request) -> Answer:
        return (200, {"status": f"{name.capitalize()} is healthy"}) if request.path == "/health" else answer(request)

    print(f"{name} listens on 0.0.0.0:{port}", flush=True)
    handler = type("BookinfoHandler", (Handler,), {"answer": staticmethod(with_health)})
    _Server(("0.0.0.0", port), handler).serve_forever()
