"""echo-basic as a gRPC server: the service GrpcEcho, with what a call was in its answer."""

# A part of a program of its own: it prints.
# ruff: noqa: T201

import os

from . import grpc, listen
from .message import Answer, Handler, Request

_SERVICE = "gateway_api_conformance.echo_basic.grpcecho.GrpcEcho"
_METHODS = ("Echo", "EchoTwo")


def serve(place: dict[str, str]) -> None:
    """Listen on HTTP_PORT, and with TLS on HTTPS_PORT when there is a certificate."""
    handler = _handler(place)
    port = int(os.environ.get("HTTP_PORT") or 3000)
    listen.start(port, listen.http(handler, both=True))
    print(f"plaintext server listening at [::]:{port}", flush=True)
    certificate, key = os.environ.get("TLS_SERVER_CERT"), os.environ.get("TLS_SERVER_PRIV_KEY")
    if certificate and key:
        port = int(os.environ.get("HTTPS_PORT") or 8443)
        listen.start(port, listen.http(handler), listen.context(certificate, key, protocols=("h2",)))
        print(f"secure server listening at [::]:{port}", flush=True)


def _handler(place: dict[str, str]) -> Handler:
    where = b"".join(grpc.field(number, place[name]) for number, name in enumerate(_PLACE, start=1))

    def handle(request: Request) -> Answer:
        service, _, method = request.target.removeprefix("/").rpartition("/")
        if service != _SERVICE:
            return grpc.refusal(grpc.UNIMPLEMENTED, f"unknown service {service}")
        if method not in _METHODS:
            return grpc.refusal(grpc.UNIMPLEMENTED, f"method {method} not implemented")
        print(f"Received over {'TLS' if request.tls else 'plaintext'}: {method}", flush=True)
        return grpc.answer(grpc.field(1, _assertions(request, where)) + grpc.field(2, grpc.unframed(request.body)))

    return handle


_PLACE = ("namespace", "ingress", "service", "pod")


def _assertions(request: Request, where: bytes) -> bytes:
    made = grpc.field(1, request.target)
    for name, value in grpc.metadata(request):
        made += grpc.field(2, grpc.field(1, name) + grpc.field(2, value))
    made += grpc.field(3, request.host) + grpc.field(4, where)
    return made + (grpc.field(5, _tls(request)) if request.tls else b"")


def _tls(request: Request) -> bytes:
    tls = request.tls
    assert tls is not None
    words = (tls.version, tls.protocol, tls.server_name, tls.cipher, *tls.certificates)
    return b"".join(grpc.field(min(number, 5), word) for number, word in enumerate(words, start=1))
