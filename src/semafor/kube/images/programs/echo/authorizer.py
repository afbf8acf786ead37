"""Istio's sample ext-authz: an authorizer for policies with the action CUSTOM. `extauthz -http 8000 -grpc 9000`.

It lets pass what has the header `x-ext-authz: allow`, and over gRPC the callers with the service account of
`-allow_service_account`. Source: https://github.com/istio/istio/tree/master/samples/extauthz.
"""

# A program of its own, for a pod: it prints.
# ruff: noqa: T201

import signal
import sys
from collections.abc import Callable

from . import grpc, listen
from .message import Answer, Headers, Request

_CHECK = "/envoy.service.auth.v3.Authorization/Check"
_HEADER, _ALLOW = "x-ext-authz", "allow"
_RESULT, _RECEIVED, _OVERRIDE = (
    "x-ext-authz-check-result",
    "x-ext-authz-check-received",
    "x-ext-authz-additional-header-override",
)
_DENIAL = f"denied by ext_authz for not found header `{_HEADER}: {_ALLOW}` in the request"
_PERMISSION_DENIED = b"\x08\x07"  # google.rpc.Status, field code
_FORBIDDEN = b"\x08\x93\x03"  # envoy.type.v3.HttpStatus, field code: 403
# Numbers of fields. Source: envoy/service/auth/v3 of Envoy's API.
_ATTRIBUTES, _SOURCE, _REQUEST, _HTTP, _PRINCIPAL = 1, 1, 4, 2, 4
_METHOD, _HEADERS, _PATH, _HOST = 2, 3, 4, 5


def over_http(request: Request) -> Answer:
    """200 or 403 to the request itself."""
    passes = request.header(_HEADER) == _ALLOW
    print(f"[HTTP][{'allowed' if passes else 'denied'}]: {request.method} {request.host}{request.target}", flush=True)
    received = f"{request.method} {request.host}{request.target}, headers: {dict(request.headers)}"
    told = _told(passes, received, request.header(_OVERRIDE))
    return Answer(code=200, headers=told) if passes else Answer(code=403, headers=told, body=_DENIAL.encode())


def over_grpc(account: str) -> Callable[[Request], Answer]:
    """The handler of Envoy's protocol, which lets callers with the account pass, too."""

    def handle(request: Request) -> Answer:
        if request.target != _CHECK:
            return grpc.refusal(grpc.UNIMPLEMENTED, f"unknown method {request.target}")
        attributes = _inside(grpc.unframed(request.body), _ATTRIBUTES)
        asked = _inside(_inside(attributes, _REQUEST), _HTTP)
        headers = dict(_pair(data) for number, data in grpc.fields(asked) if number == _HEADERS)
        principal = _inside(_inside(attributes, _SOURCE), _PRINCIPAL).decode("utf-8", "replace")
        passes = headers.get(_HEADER) == _ALLOW or principal.endswith(f"/sa/{account}")
        words = [_inside(asked, number).decode("utf-8", "replace") for number in (_METHOD, _HOST, _PATH)]
        print(f"[gRPCv3][{'allowed' if passes else 'denied'}]: {words[0]} {words[1]}{words[2]}", flush=True)
        return grpc.answer(_response(_told(passes, " ".join(words), headers.get(_OVERRIDE, "")), passes=passes))

    return handle


def _told(passes: bool, received: str, override: str) -> Headers:  # noqa: FBT001 -- a value to tell, not a switch
    return [(_RESULT, "allowed" if passes else "denied"), (_RECEIVED, received), (_OVERRIDE, override)]


def _response(headers: Headers, *, passes: bool) -> bytes:
    """A CheckResponse."""
    told = b"".join(grpc.field(2, grpc.field(1, grpc.field(1, name) + grpc.field(2, value))) for name, value in headers)
    if passes:
        return grpc.field(1, b"") + grpc.field(3, told)
    return grpc.field(1, _PERMISSION_DENIED) + grpc.field(2, grpc.field(1, _FORBIDDEN) + told + grpc.field(3, _DENIAL))


def _inside(message: bytes, number: int) -> bytes:
    """The field of a message; empty when it is not there."""
    return next((data for found, data in grpc.fields(message) if found == number), b"")


def _pair(entry: bytes) -> tuple[str, str]:
    found = dict(grpc.fields(entry))
    return found.get(1, b"").decode("utf-8", "replace"), found.get(2, b"").decode("utf-8", "replace")


def _option(words: list[str], name: str, default: str) -> str:
    """The value of `-name VALUE`, `--name VALUE` or `-name=VALUE`."""
    for index, word in enumerate(words):
        plain, equals, value = word.lstrip("-").partition("=")
        if plain == name:
            return value if equals else words[index + 1]
    return default


def main(words: list[str]) -> None:
    """Serve until SIGTERM."""
    ports = {kind: int(_option(words, kind, default)) for kind, default in (("http", "8000"), ("grpc", "9000"))}
    listen.start(ports["http"], listen.http(over_http, both=True))
    listen.start(ports["grpc"], listen.http(over_grpc(_option(words, "allow_service_account", "a")), both=True))
    print(f"Starting HTTP server at [::]:{ports['http']}", flush=True)
    print(f"Starting gRPC server at [::]:{ports['grpc']}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(sys.argv[1:])
