"""The wire format: bytes to (field number, raw value) pairs. Source: protobuf.dev, "Encoding"."""

from collections.abc import Iterator

Raw = int | bytes


class WireError(ValueError):
    """The bytes are not a protobuf message."""


def fields(data: bytes) -> Iterator[tuple[int, Raw]]:
    """The fields of a message in their order; fixed-size numbers as their bytes. Raises WireError."""
    position = 0
    while position < len(data):
        key, position = varint(data, position)
        number, wire_type = key >> 3, key & 7
        if wire_type == 0:
            value, position = varint(data, position)
            yield number, value
            continue
        size, position = _size(data, position, wire_type)
        if position + size > len(data):
            raise WireError("a field is cut off")
        yield number, data[position : position + size]
        position += size


def _size(data: bytes, position: int, wire_type: int) -> tuple[int, int]:
    match wire_type:
        case 1:
            return 8, position
        case 2:
            return varint(data, position)
        case 5:
            return 4, position
    raise WireError(f"unknown wire type {wire_type}")


def varint(data: bytes, position: int) -> tuple[int, int]:
    """A number and the position after it. Raises WireError."""
    value = 0
    for shift in range(0, 64, 7):
        if position >= len(data):
            raise WireError("a number is cut off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
    raise WireError("a number has more than 64 bits")


def signed(value: int) -> int:
    """A 64-bit number in two's complement."""
    return value - (1 << 64) if value >= 1 << 63 else value
