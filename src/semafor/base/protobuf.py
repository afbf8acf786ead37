"""Protobuf's encoding, as far as it can be read and written without a schema.

Source: protobuf's encoding guide.
"""

from collections.abc import Iterator
from typing import Final

Raw = int | bytes

_VARINT, _DELIMITED = 0, 2
_FIXED: Final = {1: 8, 5: 4}  # wire type -> bytes


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
    for number, wire_type, value in read(raw):
        if wire_type == _DELIMITED:
            assert isinstance(value, bytes)
            yield number, value


def read(raw: bytes) -> Iterator[tuple[int, int, Raw]]:
    """Number, wire type and value of each field; those of a fixed size as their bytes. Raises MalformedError."""
    position = 0
    while position < len(raw):
        tag, position = _varint(raw, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            value, position = _varint(raw, position)
            yield number, wire_type, value
            continue
        if wire_type == _DELIMITED:
            length, position = _varint(raw, position)
        elif wire_type in _FIXED:
            length = _FIXED[wire_type]
        else:
            raise MalformedError(f"wire type {wire_type} does not exist")
        if position + length > len(raw):
            raise MalformedError("a field is longer than its message")
        yield number, wire_type, raw[position : position + length]
        position += length


def signed(value: int) -> int:
    """A 64-bit number in two's complement."""
    return value - (1 << 64) if value >= 1 << 63 else value


def _varint(raw: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(raw):
            raise MalformedError("the message ends within a number")
        byte = raw[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
    raise MalformedError("a number is longer than 64 bits")
