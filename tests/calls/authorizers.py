"""Two servers that others ask whether a request may pass, over HTTP and over gRPC, with one rule for all.

A request passes with the header `x-ext-authz: allow`, bytes of a caller whose service account is called `friend`.
With `x-ext-authz: slow` the answer comes too late.
"""

import threading
import time
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc

from semafor.envoy.pool import Pool

HEADER = "x-ext-authz"
REFUSAL = "somebody else says no"
SLOW_S = 3.0
_OK, _DENIED = 0, 7  # gRPC's codes
_CHECK = "/envoy.service.auth.v3.Authorization/Check"
_TOLD = {"x-told-app": "yes", "x-told-caller": "yes", "x-untold": "yes"}


def allows(headers: dict[str, str]) -> bool:
    return headers.get(HEADER) == "allow"


def allows_bytes(identity: str) -> bool:
    return identity.endswith("/sa/friend")


class Authorizers:
    """Both servers. `asked` are the questions, as documents."""

    def __init__(self, pool: Pool) -> None:
        self.asked: list[dict[str, Any]] = []
        self._pool = pool
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._grpc = grpc.server(futures.ThreadPoolExecutor(4))
        types = pool("envoy.service.auth.v3.CheckRequest"), pool("envoy.service.auth.v3.CheckResponse")
        method = grpc.unary_unary_rpc_method_handler(
            self._check, request_deserializer=type(types[0]).FromString, response_serializer=_bytes
        )
        service, name = _CHECK.strip("/").split("/")
        self._grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {name: method}),))
        self.ports = {"http": self._http.server_port, "grpc": self._grpc.add_insecure_port("127.0.0.1:0")}

    def __enter__(self) -> "Authorizers":
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        self._grpc.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._grpc.stop(None)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def _answer(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", 0)))
                asked.append({"method": self.command, "path": self.path, "headers": headers, "body": body.decode()})
                if headers.get(HEADER) == "slow":
                    time.sleep(SLOW_S)
                text = b"" if allows(headers) else REFUSAL.encode()
                self.send_response(200 if allows(headers) else 403)
                for name, value in {**_TOLD, "content-length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = _answer  # noqa: N815

        return Handler

    def _check(self, request: Any, _: grpc.ServicerContext) -> Any:
        question = self._pool.document(request)["attributes"]
        self.asked.append(question)
        http = question.get("request", {}).get("http")
        headers = http.get("headers", {}) if http else {}
        if headers.get(HEADER) == "slow":
            time.sleep(SLOW_S)
        passes = allows(headers) if http else allows_bytes(question.get("source", {}).get("principal", ""))
        told = [{"header": {"key": key, "value": value}} for key, value in _TOLD.items()]
        answer = {"ok_response": {"headers": told}} if passes else {"denied_response": {"body": REFUSAL}}
        code = _OK if passes else _DENIED
        return self._pool.parse("envoy.service.auth.v3.CheckResponse", {"status": {"code": code}, **answer})


def _bytes(message: Any) -> bytes:
    serialized: bytes = message.SerializeToString()
    return serialized
