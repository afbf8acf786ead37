"""One gRPC request with one answer, or the first of a stream of them, over a connection that is there already.

Why not grpcio: as a client it verifies host names, and SPIRE's servers have an identity in place of one.
Source: the gRPC over HTTP/2 protocol.
"""

import asyncio
import struct
import urllib.parse
from typing import Final

import h2.config
import h2.connection
import h2.events

MAX_ANSWER_BYTES: Final = 1 << 20
_PREFIX_BYTES: Final = 5  # compressed or not, and the length


class CallError(Exception):
    """The server said no, or nothing that can be understood; the message says which."""


async def unary(
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    method: str,
    message: bytes,
    metadata: tuple[tuple[str, str], ...] = (),
) -> bytes:
    """The first message that `method` (`/service/name`) answers. Raises CallError, OSError."""
    reader, writer = streams
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    fields = ((":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "localhost"))
    further = (("content-type", "application/grpc"), ("te", "trailers"), *metadata)
    connection.send_headers(1, (*fields, *further))
    connection.send_data(1, struct.pack("!BI", 0, len(message)) + message, end_stream=True)
    answer = _Answer()
    while not answer.is_complete:
        writer.write(connection.data_to_send())
        await writer.drain()
        data = await reader.read(65536)
        if not data:
            raise CallError("the server closed the connection")
        for event in connection.receive_data(data):
            answer.take(event)
            if isinstance(event, h2.events.DataReceived):
                connection.acknowledge_received_data(event.flow_controlled_length, 1)
    return answer.message


class _Answer:
    """What has come so far."""

    def __init__(self) -> None:
        self._bytes = b""

    def take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.DataReceived():
                self._bytes += event.data or b""
                if len(self._bytes) > MAX_ANSWER_BYTES:
                    raise CallError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
            case h2.events.ResponseReceived() | h2.events.TrailersReceived():
                _check({str(name): str(value) for name, value in event.headers or ()})
            case h2.events.StreamEnded() if not self.is_complete:
                raise CallError("the server ended without an answer")
            case h2.events.StreamReset() | h2.events.ConnectionTerminated():
                raise CallError(f"the server gave up (HTTP/2 error {event.error_code})")

    @property
    def is_complete(self) -> bool:
        return len(self._bytes) >= _PREFIX_BYTES and len(self._bytes) >= _PREFIX_BYTES + self._length

    @property
    def message(self) -> bytes:
        return self._bytes[_PREFIX_BYTES : _PREFIX_BYTES + self._length]

    @property
    def _length(self) -> int:
        return int.from_bytes(self._bytes[1:_PREFIX_BYTES], "big")


def _check(headers: dict[str, str]) -> None:
    if headers.get(":status", "200") != "200":
        raise CallError(f"the server answered {headers[':status']}: it speaks no gRPC")
    if (code := headers.get("grpc-status", "0")) != "0":
        raise CallError(f"{urllib.parse.unquote(headers.get('grpc-message', ''))} (gRPC status {code})")
