"""`echo-basic` of the Gateway API's project: says in JSON what it was asked, and which pod answers.

It is configured by the original's environment: HTTP_PORT, H2C_PORT, HTTPS_PORT, TLS_SERVER_CERT, TLS_SERVER_PRIVKEY,
TLS_CLIENT_CACERTS, POD_NAME, NAMESPACE, SERVICE_NAME, INGRESS_NAME; and GRPC_ECHO_SERVER, TCP_ECHO_SERVER or
UDP_ECHO_SERVER for the other servers that it can be. Of its own: gRPC is served without reflection, and of a client's
certificates only the first is shown.

Source: https://github.com/kubernetes-sigs/gateway-api/tree/main/conformance/echo-basic.
"""

# A program of its own, for a pod: it prints.
# ruff: noqa: T201

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO

from . import basic_grpc, basic_sockets, go, http1, listen
from .message import Answer, Headers, Request

_JSON: Headers = [("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff")]
_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")  # what Go does not write is not written
_PLAIN: Headers = [("Content-Type", "text/plain; charset=utf-8")]


def place() -> dict[str, str]:
    """Who answers, as the pod's environment says it."""
    names = {"namespace": "NAMESPACE", "ingress": "INGRESS_NAME", "service": "SERVICE_NAME", "pod": "POD_NAME"}
    return {field: os.environ.get(name, "") for field, name in names.items()}


def echo(request: Request) -> Answer:
    """All that the request was, after `?delay=` when it asks for that; X-Echo-Set-Header asks for headers."""
    host, port = request.peer[:2]
    print(f"Echoing back request made to {request.target} to client ({host}:{port})", flush=True)
    try:
        _wait(request, "delay")
    except ValueError as error:
        return _failed(str(error))
    headers: dict[str, list[str]] = {}
    for name, value in go.by_name(request.headers):
        headers.setdefault(name, []).append(value)
    said: dict[str, Any] = {"path": request.target, "host": request.host, "method": request.method}
    said |= {"proto": request.protocol, "headers": headers, "httpPort": os.environ.get("HTTP_PORT") or "3000"}
    said |= place()
    if request.tls:
        said["tls"] = _tls(request)
    return Answer(headers=[*_asked_headers(request), *_JSON], body=json.dumps(said, indent=1).encode())


def _tls(request: Request) -> dict[str, Any]:
    tls = request.tls
    assert tls is not None
    said: dict[str, Any] = {"version": tls.version}
    said |= {"peerCertificates": list(tls.certificates)} if tls.certificates else {}
    said |= {"serverName": tls.server_name}
    said |= {"negotiatedProtocol": tls.protocol} if tls.protocol else {}
    return said | {"cipherSuite": tls.cipher}


def _asked_headers(request: Request) -> Headers:
    found: dict[str, str] = {}
    for name, values in request.headers:
        if name.lower() == "x-echo-set-header":
            for pair in values.split(","):
                key, _, value = pair.strip().partition(":")
                found[key] = f"{found[key]},{value.strip()}" if key in found else value
    return [(name, value) for name, value in found.items() if _NAME.fullmatch(name)]


def _wait(request: Request, parameter: str) -> None:
    text = request.value(parameter)
    if text:
        time.sleep(go.seconds(text))


def _failed(message: str, code: int = 500) -> Answer:
    return Answer(code=code, headers=_JSON, body=json.dumps({"message": message}).encode())


def status(request: Request) -> Answer:
    """/status/CODE answers with that code."""
    found = re.fullmatch(r"/status/(\d\d\d)", request.target)
    return Answer(code=int(found[1]) if found else 400)


class Retries:
    """/retry/?uuid=U&succeedAfter=N fails N times for each U: by a reset, or with ?responseCode=."""

    def __init__(self) -> None:
        self._attempts: dict[str, int] = {}
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        uuid, after = request.value("uuid"), request.value("succeedAfter")
        if not uuid or not after.lstrip("-").isdigit():
            missing = "succeedAfter" if uuid else "uuid"
            return Answer(code=400, headers=_PLAIN, body=f"{missing} is required".encode())
        with self._lock:
            if self._attempts.get(uuid, 0) >= int(after):
                return echo(request)
            self._attempts[uuid] = self._attempts.get(uuid, 0) + 1
            return self._fail(request)

    def _fail(self, request: Request) -> Answer:
        try:
            _wait(request, "delayRetry")
        except ValueError as error:
            return _failed(str(error))
        code = request.value("responseCode")
        if code.isdigit():
            return Answer(code=int(code))
        if request.protocol == "HTTP/2.0":
            return _failed("response writer does not support hijacking")
        return Answer(reset=True)


def websocket(request: Request) -> Answer:
    """/ws sends every message back."""
    answer = http1.upgraded(request)
    if answer is None or not request.header("origin"):
        return Answer(code=403 if answer else 400)

    def take(reader: BinaryIO, writer: BinaryIO) -> None:
        print(f"established websocket connection {request.header('origin')}", flush=True)
        for message in http1.messages(reader, writer):
            http1.send(writer, message)

    answer.takes = take
    return answer


def router() -> Callable[[Request], Answer]:
    """Who answers which path."""
    retries = Retries()

    def route(request: Request) -> Answer:
        path = request.path.replace("//", "/")
        if path == "/health":
            return Answer(headers=_PLAIN, body=b"OK")
        if path == "/ws":
            return websocket(request)
        if path.startswith("/status/"):
            return status(request)
        return retries.answer(request) if path.startswith("/retry/") else echo(request)

    return route


def only_http2(request: Request) -> Answer:
    """The h2c port's answers."""
    if request.protocol != "HTTP/2.0" and request.header("upgrade") != "h2c":
        return Answer(code=400, headers=_PLAIN, body=b"Expected h2c request")
    return echo(request)


def _serve_http() -> None:
    port, h2c, https = (os.environ.get(f"{name}_PORT") or usual for name, usual in _PORTS)
    handler = router()
    print(f"Starting server, listening on port {port} (http)", flush=True)
    listen.start(int(port), listen.http(handler))
    print(f"Starting server, listening on port {h2c} (h2c)", flush=True)
    listen.start(int(h2c), listen.http(only_http2, both=True))
    certificate, key = os.environ.get("TLS_SERVER_CERT"), os.environ.get("TLS_SERVER_PRIVKEY")
    if certificate and key:
        authorities = os.environ.get("TLS_CLIENT_CACERTS", "")
        tls = listen.context(certificate, key, authorities=authorities, protocols=("h2", "http/1.1"))
        print(f"Starting server, listening on port {https} (https)", flush=True)
        listen.start(int(https), listen.http(handler), tls)


_PORTS = (("HTTP", "3000"), ("H2C", "3001"), ("HTTPS", "8443"))


def main() -> None:
    """Be the server that the environment asks for, until a signal."""
    if os.environ.get("GRPC_ECHO_SERVER"):
        basic_grpc.serve(place())
    elif os.environ.get("TCP_ECHO_SERVER"):
        basic_sockets.serve_tcp(place())
    elif os.environ.get("UDP_ECHO_SERVER"):
        basic_sockets.serve_udp(place())
    else:
        _serve_http()
    threading.Event().wait()


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as problem:
        sys.exit(f"Failed to start listening: {problem}")
