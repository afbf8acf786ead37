"""HTTP/1.1 on one connection, and WebSocket's messages on one that has become that."""

import base64
import contextlib
import hashlib
import struct
from collections.abc import Iterator
from http.client import responses
from http.server import BaseHTTPRequestHandler
from socket import SO_LINGER, SOL_SOCKET, socket
from typing import Any, BinaryIO, cast

from .message import Answer, Handler, Request, Tls

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


def serve(connection: socket, peer: tuple[str, int], handler: Handler, tls: Tls | None) -> None:
    """Answer requests until the connection ends."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        _Connection(connection, peer, handler, tls)


class _Connection(BaseHTTPRequestHandler):
    """One connection; every method goes to the one handler."""

    protocol_version = "HTTP/1.1"
    # Head and body in one packet: apart, the second waits for the first one's acknowledgement (40 ms).
    wbufsize = -1
    disable_nagle_algorithm = True

    def __init__(self, connection: socket, peer: tuple[str, int], handler: Handler, tls: Tls | None) -> None:
        self._handler = handler
        self._tls = tls
        super().__init__(connection, peer, cast("Any", None))

    def __getattr__(self, name: str) -> Any:
        """`do_GET` and the like; any method is one."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        answer = self._handler(self._request())
        if answer.reset:
            # Closed with a linger of zero: the peer sees a reset, not an end.
            self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        self._write(answer)
        if answer.takes:
            self.wfile.flush()
            self.close_connection = True
            answer.takes(cast("BinaryIO", self.rfile), cast("BinaryIO", self.wfile))

    def _request(self) -> Request:
        return Request(
            method=self.command,
            # As it was sent: `path` has lost repeated slashes.
            target=self.requestline.split()[1],
            host=self.headers.get("Host", ""),
            protocol=self.request_version,
            headers=[(name, value) for name, value in self.headers.items() if name.lower() != "host"],
            peer=self.client_address,
            body=self._body(),
            tls=self._tls,
        )

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _write(self, answer: Answer) -> None:
        # 1xx, 204 and 304 have no body, and a length there would break the connection.
        bare = answer.code < 200 or answer.code in (204, 304)
        self.send_response_only(answer.code, responses.get(answer.code, "status code"))
        for name, value in answer.headers:
            self.send_header(name, value.strip())
        if answer.code >= 200:
            self.send_header("Date", self.date_time_string())
        if not bare:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD" and not bare:
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
        """Say nothing: handlers tell what there is to tell."""


def accept_key(key: str) -> str:
    """What a server proves with that it speaks WebSocket (RFC 6455, 1.3)."""
    digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False)
    return base64.b64encode(digest.digest()).decode()


def upgraded(request: Request) -> Answer | None:
    """The answer that turns a connection to WebSocket; None when the request does not ask for that."""
    key = request.header("sec-websocket-key")
    if not key or "websocket" not in request.header("upgrade").lower():
        return None
    headers = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept_key(key))]
    return Answer(code=101, headers=headers)


def messages(reader: BinaryIO, writer: BinaryIO) -> Iterator[bytes]:
    """The messages of a WebSocket until it is closed; pings are answered."""
    whole = b""
    while head := reader.read(2):
        opcode, final = head[0] & 15, head[0] & 128
        payload = _payload(reader, head[1])
        if opcode == _CLOSE:
            send(writer, payload, opcode=_CLOSE)
            return
        if opcode == _PING:
            send(writer, payload, opcode=_PONG)
        elif opcode != _PONG:
            whole += payload
            if final:
                yield whole
                whole = b""


def _payload(reader: BinaryIO, second: int) -> bytes:
    size = second & 127
    if size >= 126:
        form = ">H" if size == 126 else ">Q"
        (size,) = struct.unpack(form, reader.read(struct.calcsize(form)))
    mask = reader.read(4) if second & 128 else bytes(4)
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(reader.read(size)))


def send(writer: BinaryIO, payload: bytes, *, opcode: int = _TEXT) -> None:
    """Write one message."""
    size = len(payload)
    if size < 126:
        head = struct.pack(">BB", 128 | opcode, size)
    else:
        head = (
            struct.pack(">BBH", 128 | opcode, 126, size)
            if size < 65536
            else struct.pack(">BBQ", 128 | opcode, 127, size)
        )
    writer.write(head + payload)
    writer.flush()
