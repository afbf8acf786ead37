"""Protobuf's encoding, as far as it can be read and written without a schema.

Source: protobuf's encoding guide.
"""

from collections.abc import Iterator
from typing import Final


class MalformedError(ValueError):
    """Bytes that are no protobuf message; the message says why."""


def delimited(field: int, payload: bytes) -> bytes:
    """A length-delimited field: strings, bytes and messages."""
    return varint(field << 3 | 2) + varint(len(payload)) + payload


def varint(value: int) -> bytes:
    """A base-128 varint of a non-negative number. Called for every field that is framed, hence the two short ways."""
    if value < 0x80:
        return _ONE_BYTE[value]
    if value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    return bytes((value & 0x7F | 0x80,)) + varint(value >> 7)


_ONE_BYTE: Final = tuple(bytes((value,)) for value in range(0x80))


def fields(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each length-delimited field, in order; others are passed over. Raises MalformedError."""
    position = 0
    while position < len(raw):
        tag, position = _varint(raw, position)
        match tag & 7:
            case 0:
                _, position = _varint(raw, position)
            case 1:
                position += 8
            case 2:
                length, position = _varint(raw, position)
                if position + length > len(raw):
                    raise MalformedError("a field is longer than its message")
                yield tag >> 3, raw[position : position + length]
                position += length
            case 5:
                position += 4
            case wire_type:
                raise MalformedError(f"wire type {wire_type} does not exist")


def _varint(raw: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(raw):
            raise MalformedError("the message ends within a number")
        byte = raw[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise MalformedError("a number is longer than 64 bits")
