"""The question of a gRPC probe, `grpc.health.v1.Health/Check`, in the few HTTP/2 frames that it takes. Pure.

Why not a gRPC library: the connection is made inside the pod's network namespace and handed over as a socket, which
grpcio does not take; and one request with one answer needs no flow control and no header compression.
Sources: RFC 9113 (frames), RFC 7541 (headers, literal without indexing), the gRPC health checking protocol.
"""

import struct
from collections.abc import Iterator

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
SERVING = 1


def question(service: str, authority: str) -> bytes:
    """All that the client sends to begin with; `service` "" asks about the server as a whole."""
    name = service.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/grpc.health.v1.Health/Check"),
        (":authority", authority),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("user-agent", "kube-probe/1.32"),
    ]
    block = b"".join(_literal(name) for name in fields)
    body = struct.pack("!BI", 0, len(message)) + message
    return (
        PREFACE
        + _frame(SETTINGS, 0, 0, b"")
        + _frame(HEADERS, END_HEADERS, 1, block)
        + _frame(DATA, END_STREAM, 1, body)
    )


class Answer:
    """Reads the server's frames. `status` is the HealthCheckResponse's; None until it is known."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.closed = False  # the stream has ended, with or without an answer
        self._buffer = b""

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the server; return what must be sent back."""
        self._buffer += data
        return b"".join(self._reply(*frame) for frame in self._frames())

    def _frames(self) -> Iterator[tuple[int, int, int, bytes]]:
        while len(self._buffer) >= 9:
            size = int.from_bytes(self._buffer[:3], "big")
            if len(self._buffer) < 9 + size:
                return
            kind, flags, stream = struct.unpack("!BBI", self._buffer[3:9])
            payload, self._buffer = self._buffer[9 : 9 + size], self._buffer[9 + size :]
            yield kind, flags, stream & 0x7FFFFFFF, payload

    def _reply(self, kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        if kind == SETTINGS and not flags & ACK:
            return _frame(SETTINGS, ACK, 0, b"")
        if kind == PING and not flags & ACK:
            return _frame(PING, ACK, 0, payload)
        if kind == DATA and stream == 1 and len(payload) >= 5:
            self.status = payload[6] if payload[5:6] == b"\x08" and len(payload) > 6 else 0
        if kind in (RST_STREAM, GOAWAY) or (kind in (DATA, HEADERS) and stream == 1 and flags & END_STREAM):
            self.closed = True
        return b""


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack("!BBI", kind, flags, stream) + payload


def _literal(field: tuple[str, str]) -> bytes:
    """A header field without indexing, its name and value as plain strings (shorter than 127 bytes each)."""
    return b"\x00" + b"".join(bytes([len(text)]) + text.encode() for text in field)


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])
