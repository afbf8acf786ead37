"""Istio's `app`, the Gateway API's `echo-advanced`: says in lines of text what it was asked.

    server --port 8080 --port 8443 --tls 8443 --crt FILE --key FILE --grpc 7070 --tcp 9090 [--version V] [--cluster C]

Of its own: gRPC's service has Echo, but neither ForwardEcho nor reflection.

Source: https://github.com/istio/istio/tree/master/pkg/test/echo.
"""

# A program of its own, for a pod: it prints.
# ruff: noqa: T201

import argparse
import random
import socket
import ssl
import sys
import threading
import time
from dataclasses import dataclass
from typing import BinaryIO

from . import go, grpc, http1, listen
from .message import Answer, Handler, Headers, Request, Tls

_SERVICE = "/proto.EchoTestService/Echo"
_MESSAGE_MAX_BYTES = 65536


@dataclass(frozen=True)
class Server:
    """What every answer names: the version and the cluster, and the port that was asked."""

    version: str
    cluster: str
    port: int

    def fields(self) -> list[tuple[str, str]]:
        return [("ServiceVersion", self.version), ("ServicePort", str(self.port))]

    def http(self, request: Request) -> Answer:
        upgrade = http1.upgraded(request)
        if upgrade:
            upgrade.takes = lambda reader, writer: self._websocket(request, reader, writer)
            return upgrade
        problems, headers = [], [("Content-Type", "application/text")]
        try:
            time.sleep(go.seconds(request.value("delay") or "0"))
            headers += _asked_headers(request)
        except ValueError as error:
            problems.append(str(error))
        code, problem = _code(request.value("codes") or "200")
        problems += [problem] if problem else []
        body = "".join(f"{line}\n" for line in problems) + self._told(request)
        return Answer(code=code, headers=headers, body=body.encode())

    def _websocket(self, request: Request, reader: BinaryIO, writer: BinaryIO) -> None:
        for message in http1.messages(reader, writer):
            http1.send(writer, self._told(request).encode() + message + b"StatusCode=200\n")
            return

    def _told(self, request: Request) -> str:
        alpn = request.tls.protocol if request.tls else ""
        said = [*self.fields(), ("Host", request.host), ("URL", request.target), ("Cluster", self.cluster)]
        said += [("IstioVersion", ""), ("Method", request.method), ("Proto", request.protocol)]
        said += [("IP", request.peer[0]), ("Alpn", alpn)]
        headers = go.by_name(request.headers)
        said += [("RequestHeader", f"{name}:{value}") for name, value in headers]
        return _lines([*said, ("Hostname", socket.gethostname())])

    def grpc(self, request: Request) -> Answer:
        if request.target != _SERVICE:
            return grpc.refusal(grpc.UNIMPLEMENTED, f"unknown method {request.target}")
        asked = dict(grpc.fields(grpc.unframed(request.body))).get(1, b"").decode("utf-8", "replace")
        metadata = [pair for pair in grpc.metadata(request) if not pair[0].endswith("-bin")]
        said = [("Host", request.host), *(("RequestHeader", f"{name}:{value}") for name, value in metadata)]
        said += [("StatusCode", "200"), *self.fields(), *([("Cluster", self.cluster)] if self.cluster else [])]
        said += [("IP", request.peer[0]), ("Proto", "GRPC"), ("Echo", asked), ("Hostname", socket.gethostname())]
        return grpc.answer(grpc.field(1, _lines(said)))

    def tcp(self, connection: socket.socket, peer: listen.Peer, _: Tls | None) -> None:
        """Who answers, once, and then what comes."""
        said = [("StatusCode", "200"), *self.fields(), ("Cluster", self.cluster), ("IP", peer[0])]
        head = _lines([*said, ("Proto", "TCP"), ("Hostname", socket.gethostname())]).encode()
        while data := connection.recv(_MESSAGE_MAX_BYTES):
            connection.sendall(head + data)
            head = b""


def _lines(pairs: Headers) -> str:
    return "".join(f"{name}={value}\n" for name, value in pairs)


def _asked_headers(request: Request) -> Headers:
    """?headers=NAME:VALUE,... Raises ValueError."""
    pairs = [pair.split(":") for pair in request.value("headers").split(",") if pair]
    for pair in pairs:
        if len(pair) != 2:
            raise ValueError(f'response headers error: invalid "{":".join(pair)}" (want name:value)')
    return [(name, value) for name, value in pairs]


def _code(codes: str) -> tuple[int, str]:
    """One of ?codes=CODE[:SLICES],... by chance, and what is wrong with them."""
    try:
        pairs = [
            (int(code), int(slices or 1)) for code, _, slices in (each.partition(":") for each in codes.split(","))
        ]
        if any(not 200 <= code < 600 or slices < 0 for code, slices in pairs):
            raise ValueError(f"invalid HTTP response code in {codes}")
        return random.choices([code for code, _ in pairs], [slices for _, slices in pairs])[0], ""  # noqa: S311
    except ValueError as error:
        return 400, f"codes error: {error}"


def _arguments(words: list[str]) -> argparse.Namespace:
    def ports(text: str) -> list[int]:
        return [int(port) for port in text.split(",")]

    parser = argparse.ArgumentParser(prog="server", description="Echo application.")
    for name, about in (("port", "HTTP"), ("grpc", "gRPC"), ("tcp", "TCP"), ("tls", "those of the ports with TLS")):
        parser.add_argument(f"--{name}", type=ports, action="extend", default=[], help=f"{about}, by comma")
    for name in ("version", "cluster", "crt", "key"):
        parser.add_argument(f"--{name}", default="")
    return parser.parse_args(words)


def main(words: list[str]) -> None:
    """Serve all the ports until a signal."""
    asked = _arguments(words)
    for port in asked.port or [8080]:
        server = Server(asked.version, asked.cluster, port)
        listen.start(
            port, listen.http(_logged(server.http), both=True), _tls(asked, port, ("h2", "http/1.1", "http/1.0"))
        )
    for port in asked.grpc or [7070]:
        server = Server(asked.version, asked.cluster, port)
        listen.start(port, listen.http(_logged(server.grpc), both=True), _tls(asked, port, ("h2",)))
    for port in asked.tcp:
        listen.start(port, Server(asked.version, asked.cluster, port).tcp, _tls(asked, port, ()))
    print("Echo server is now ready", flush=True)
    threading.Event().wait()


def _tls(asked: argparse.Namespace, port: int, protocols: tuple[str, ...]) -> ssl.SSLContext | None:
    return listen.context(asked.crt, asked.key, protocols=protocols) if port in asked.tls else None


def _logged(handler: Handler) -> Handler:
    def handle(request: Request) -> Answer:
        print(
            f"{request.protocol} Request method={request.method} url={request.target} host={request.host}", flush=True
        )
        return handler(request)

    return handle


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (OSError, ValueError) as problem:
        sys.exit(f"server: {problem}")
