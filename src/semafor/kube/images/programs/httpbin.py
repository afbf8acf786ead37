"""An HTTP server that tells what it was asked, compatible with httpbin (and, for HTTPBIN_STYLE=go, with go-httpbin).

Started as `gunicorn -b ADDRESS:PORT httpbin:app ...`, as Istio's sample does, or as `go-httpbin [-host H] [-port N]`.
Source: https://httpbin.org and https://github.com/mccutchen/go-httpbin.
"""

# A program of its own, for a pod: it prints, and listens on all of the pod's addresses.
# ruff: noqa: N815, S104, T201

import base64
import gzip
import itertools
import json
import os
import random
import re
import signal
import socket
import sys
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

GO = os.environ.get("HTTPBIN_STYLE") == "go"
MAX_DELAY_S = 10.0
MAX_BYTES = 100 * 1024

HTML = """<!DOCTYPE html>
<html><head><title>httpbin</title></head><body><h1>Herman Melville - Moby-Dick</h1>
<p>Availing himself of the mild, summer-cool weather that now reigned in these latitudes.</p></body></html>
"""
SAMPLE = {
    "slideshow": {
        "author": "Yours Truly",
        "date": "date of publication",
        "slides": [
            {"title": "Wake up to WonderWidgets!", "type": "all"},
            {"items": ["Why <em>WonderWidgets</em> are great"], "title": "Overview", "type": "all"},
        ],
        "title": "Sample Slide Show",
    }
}


class Request(BaseHTTPRequestHandler):
    """One connection; each request is looked up in ROUTES."""

    protocol_version = "HTTP/1.1"
    # Head and body in one packet: apart, the second waits for the first one's acknowledgement (40 ms).
    wbufsize = -1
    disable_nagle_algorithm = True
    server_version = "httpbin"

    def handle_request(self) -> None:
        parts = urlsplit(self.path)
        self.route, self.query = parts.path, parse_qsl(parts.query, keep_blank_values=True)
        self.content = self._content()
        for methods, pattern, answer in ROUTES:
            found = re.fullmatch(pattern, self.route)
            if found and (self.command in methods or methods == ANY):
                answer(self, *(unquote(group or "") for group in found.groups()))
                return
        known = any(re.fullmatch(pattern, self.route) for _, pattern, _ in ROUTES)
        self.text(405 if known else 404, "Method Not Allowed\n" if known else "Not Found\n")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_TRACE = handle_request

    def _content(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    @property
    def host(self) -> str:
        return self.headers.get("Host", "")

    @property
    def url(self) -> str:
        return f"{self.headers.get('X-Forwarded-Proto', 'http')}://{self.host}{self.path}"

    def send(self, code: int, body: bytes, kind: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        # 1xx, 204 and 304 have no body, and a length there would break the connection.
        bare = code < 200 or code in (204, 304)
        self.send_response(code, responses.get(code, "UNKNOWN"))
        if not bare:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Credentials", "true")
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and not bare:
            self.wfile.write(body)

    def text(self, code: int, body: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.send(code, body.encode(), "text/plain; charset=utf-8", headers)

    def json(self, value: object, code: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.send(code, f"{json.dumps(value, indent=2)}\n".encode(), "application/json", headers)

    def log_message(self, form: str, *values: object) -> None:
        print(self.address_string(), form % values, flush=True)


def told(pairs: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> dict[str, Any]:
    """Pairs as JSON: go-httpbin has a list for each name, httpbin only where a name comes twice."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values if GO or len(values) > 1 else values[0] for name, values in sorted(found.items())}


def headers_of(request: Request) -> dict[str, Any]:
    pairs = [
        ("-".join(word.capitalize() for word in name.split("-")), value) for name, value in request.headers.items()
    ]
    found = told(pairs)
    return found if GO else {name: ",".join(v) if isinstance(v, list) else v for name, v in found.items()}


def echo(request: Request) -> dict[str, Any]:
    """What a request was: its query, headers and body."""
    found: dict[str, Any] = {
        "args": told(request.query),
        "headers": headers_of(request),
        "origin": origin(request),
        "url": request.url,
    }
    if GO or request.route.startswith("/anything"):
        found["method"] = request.command
    if request.command != "GET" or request.route.startswith("/anything"):
        found |= body_of(request)
    return dict(sorted(found.items()))


def body_of(request: Request) -> dict[str, Any]:
    kind = request.headers.get("Content-Type", "")
    data = request.content.decode("utf-8", "replace")
    form = told(parse_qsl(data, keep_blank_values=True)) if kind.startswith("application/x-www-form-urlencoded") else {}
    try:
        parsed = json.loads(data) if data else None
    except ValueError:
        parsed = None
    return {"data": "" if form else data, "files": {}, "form": form, "json": parsed}


def origin(request: Request) -> str:
    return request.headers.get("X-Forwarded-For") or str(request.client_address[0])


def get(request: Request) -> None:
    request.json(echo(request))


def headers(request: Request) -> None:
    request.json({"headers": headers_of(request)})


def ip(request: Request) -> None:
    request.json({"origin": origin(request)})


def user_agent(request: Request) -> None:
    request.json({"user-agent": request.headers.get("User-Agent")})


def status(request: Request, codes: str) -> None:
    """One of several codes may be asked for, with weights: /status/200:9,500:1."""
    choices = [part.partition(":") for part in codes.split(",")]
    try:
        code = int(random.choices([c for c, _, _ in choices], [float(w or 1) for _, _, w in choices])[0])  # noqa: S311
    except ValueError:
        request.text(400, "Invalid status code\n")
        return
    if not 200 <= code <= 599:
        request.text(400, "Invalid status code\n")
    elif code in (301, 302, 303, 307, 308):
        request.text(code, "", (("Location", "/redirect/1"),))
    elif code == 401:
        request.text(code, "", (("WWW-Authenticate", 'Basic realm="Fake Realm"'),))
    else:
        request.text(code, "I'm a teapot!\n" if code == 418 else "")


def delay(request: Request, seconds: str) -> None:
    time.sleep(min(float(re.sub("s$", "", seconds)), MAX_DELAY_S))
    request.json(echo(request))


def response_headers(request: Request) -> None:
    request.json(told(request.query), 200, tuple(request.query))


def redirect(request: Request, number: str) -> None:
    left = int(number) - 1
    request.text(302, "", (("Location", f"/relative-redirect/{left}" if left > 0 else "/get"),))


def redirect_to(request: Request) -> None:
    query = dict(request.query)
    if "url" not in query:
        request.text(400, "missing url\n")
        return
    request.text(int(query.get("status_code", "302")), "", (("Location", query["url"]),))


def chunks(request: Request, kind: str, parts: Iterator[bytes]) -> None:
    """An answer of unknown length."""
    request.send_response(200)
    request.send_header("Content-Type", kind)
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    for part in parts:
        request.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        request.wfile.flush()
    request.wfile.write(b"0\r\n\r\n")


def stream(request: Request, number: str) -> None:
    lines = ({**echo(request), "id": at} for at in range(min(int(number), 100)))
    chunks(request, "application/json", (f"{json.dumps(line)}\n".encode() for line in lines))


def drip(request: Request) -> None:
    query = dict(request.query)
    number = min(int(query.get("numbytes", "10")), MAX_BYTES)
    pause = min(float(query.get("duration", "2").rstrip("s")), MAX_DELAY_S) / max(number, 1)
    time.sleep(min(float(query.get("delay", "0").rstrip("s")), MAX_DELAY_S))

    def parts() -> Iterator[bytes]:
        for _ in range(number):
            yield b"*"
            time.sleep(pause)

    chunks(request, "application/octet-stream", parts())


def some_bytes(request: Request, number: str) -> None:
    seed = dict(request.query).get("seed")
    source = random.Random(int(seed)) if seed else random.Random()  # noqa: S311
    request.send(200, source.randbytes(min(int(number), MAX_BYTES)), "application/octet-stream")


def decode_base64(request: Request, value: str) -> None:
    padded = value + "=" * (-len(value) % 4)
    try:
        request.send(200, base64.urlsafe_b64decode(padded), "text/html; charset=utf-8")
    except ValueError:
        request.text(400, "Incorrect Base64 data\n")


def cookies(request: Request) -> None:
    pairs = [part.strip().partition("=")[::2] for part in request.headers.get("Cookie", "").split(";") if part.strip()]
    found = dict(pairs)
    request.json(found if GO else {"cookies": found})


def set_cookies(request: Request) -> None:
    given = tuple(("Set-Cookie", f"{name}={value}; Path=/") for name, value in request.query)
    request.text(302, "", (*given, ("Location", "/cookies")))


def delete_cookies(request: Request) -> None:
    gone = tuple(("Set-Cookie", f"{name}=; Path=/; Max-Age=0") for name, _ in request.query)
    request.text(302, "", (*gone, ("Location", "/cookies")))


def basic_auth(request: Request, user: str, password: str) -> None:
    wanted = base64.b64encode(f"{user}:{password}".encode()).decode()
    if request.headers.get("Authorization") == f"Basic {wanted}":
        request.json({"authenticated": True, "authorized": True, "user": user})
    else:
        request.text(401, "", (("WWW-Authenticate", 'Basic realm="Fake Realm"'),))


def bearer(request: Request) -> None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind == "Bearer" and token:
        request.json({"authenticated": True, "token": token})
    else:
        request.text(401, "", (("WWW-Authenticate", "Bearer"),))


def packed(request: Request, name: str) -> None:
    pack = gzip.compress if name == "gzip" else zlib.compress
    body = json.dumps({**echo(request), "gzipped" if name == "gzip" else "deflated": True}).encode()
    request.send(200, pack(body), "application/json", (("Content-Encoding", name),))


def cache(request: Request) -> None:
    if request.headers.get("If-Modified-Since") or request.headers.get("If-None-Match"):
        request.text(304, "")
    else:
        request.json(echo(request), 200, (("ETag", uuid.uuid4().hex),))


ANY = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")
READ = ("GET", "HEAD")
# methods, path, answer; the first that matches
ROUTES: tuple[tuple[tuple[str, ...], str, Callable[..., None]], ...] = (
    (READ, r"/", lambda request: request.send(200, HTML.encode(), "text/html; charset=utf-8")),
    (READ, r"/get", get),
    (READ, r"/head", get),
    (("POST",), r"/post", get),
    (("PUT",), r"/put", get),
    (("PATCH",), r"/patch", get),
    (("DELETE",), r"/delete", get),
    (ANY, r"/anything(?:/.*)?", get),
    (READ, r"/headers", headers),
    (READ, r"/ip", ip),
    (READ, r"/user-agent", user_agent),
    (ANY, r"/status/([^/]+)", status),
    (ANY, r"/delay/(\d+(?:\.\d+)?s?)", delay),
    (("GET", "HEAD", "POST"), r"/response-headers", response_headers),
    (READ, r"/(?:redirect|relative-redirect|absolute-redirect)/(\d+)", redirect),
    (ANY, r"/redirect-to", redirect_to),
    (READ, r"/stream/(\d+)", stream),
    (READ, r"/drip", drip),
    (READ, r"/(?:bytes|stream-bytes)/(\d+)", some_bytes),
    (READ, r"/json", lambda request: request.json(SAMPLE)),
    (READ, r"/html", lambda request: request.send(200, HTML.encode(), "text/html; charset=utf-8")),
    (READ, r"/robots.txt", lambda request: request.text(200, "User-agent: *\nDisallow: /deny\n")),
    (READ, r"/uuid", lambda request: request.json({"uuid": str(uuid.uuid4())})),
    (READ, r"/base64/(?:decode/)?(.+)", decode_base64),
    (READ, r"/cookies", cookies),
    (READ, r"/cookies/set", set_cookies),
    (READ, r"/cookies/delete", delete_cookies),
    (READ, r"/basic-auth/([^/]+)/([^/]+)", basic_auth),
    (READ, r"/bearer", bearer),
    (READ, r"/(gzip|deflate)", packed),
    (READ, r"/cache", cache),
    (READ, r"/hostname", lambda request: request.json({"hostname": socket.gethostname()})),
    (READ, r"/healthz", lambda request: request.text(200, "OK\n")),
)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def server_bind(self) -> None:
        # The parent's looks its own name up, which takes seconds where there is no resolver.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "httpbin", self.server_address[1]


class Server6(Server):
    address_family = socket.AF_INET6


def address(arguments: list[str]) -> tuple[str, int]:
    """Where to listen: -b ADDRESS:PORT, -host and -port, or $HOST and $PORT; other options have no effect."""
    host, port = os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8080"))
    words = [word for argument in arguments for word in argument.split("=", 1)]
    for option, value in itertools.pairwise(words):
        if option in ("-b", "--bind"):
            host, _, text = value.rpartition(":")
            port = int(text)
        elif option.lstrip("-") == "host":
            host = value
        elif option.lstrip("-") == "port":
            port = int(value)
    return host.strip("[]") or "0.0.0.0", port


def main() -> None:
    """Serve until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    host, port = address(sys.argv[1:])
    print(f"httpbin listens on {host}:{port}", flush=True)
    (Server6 if ":" in host else Server)((host, port), Request).serve_forever()


if __name__ == "__main__":
    main()
