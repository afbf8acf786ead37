"""gRPC's frames, statuses and headers, and as much of protobuf as strings and messages need."""

from collections.abc import Iterator

from .message import Answer, Headers, Request

UNIMPLEMENTED = 12
# Headers of the transport, which a call's metadata does not show.
_RESERVED = ("grpc-message-type", "grpc-encoding", "grpc-message", "grpc-status", "grpc-timeout", "te")


def field(number: int, value: str | bytes) -> bytes:
    """A string, bytes or a message as a field; empty strings are left out, as protobuf does."""
    data = value.encode() if isinstance(value, str) else value
    if not data and isinstance(value, str):
        return b""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message that has strings, messages and numbers; numbers come as no bytes."""
    at = 0
    while at < len(data):
        tag, at = _read(data, at)
        size, at = _read(data, at)
        if tag & 7 == 2:
            yield tag >> 3, data[at : at + size]
            at += size
        else:
            yield tag >> 3, b""


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def _read(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return number, at


def frame(message: bytes) -> bytes:
    """A message as it is sent, not compressed."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def unframed(body: bytes) -> bytes:
    """The first message of a body."""
    return body[5 : 5 + int.from_bytes(body[1:5], "big")]


def metadata(request: Request) -> Headers:
    """What a call's metadata shows: its headers and the authority, without those of the transport."""
    return [(":authority", request.host), *(pair for pair in request.headers if pair[0].lower() not in _RESERVED)]


def answer(message: bytes) -> Answer:
    """The answer to a call that went well."""
    return Answer(headers=[("content-type", "application/grpc")], body=frame(message), trailers=[("grpc-status", "0")])


def refusal(status: int, message: str) -> Answer:
    """The answer to a call that did not: no message, only a status."""
    trailers = [("grpc-status", str(status)), ("grpc-message", message)]
    return Answer(headers=[("content-type", "application/grpc")], trailers=trailers)
