"""SPDY/3.1 frames: their bytes, and nothing of what they mean.

Source: SPDY Protocol, draft 3.1 (chromium.org). Numbers are big-endian; a control frame is

    1 version:15 type:16 | flags:8 length:24 | payload

and a data frame `0 stream:31 | flags:8 length:24 | payload`. Header blocks of one direction share one zlib stream
that starts with DICTIONARY.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN = 0x01
PROTOCOL_ERROR, INVALID_STREAM, REFUSED_STREAM, CANCEL = 1, 2, 3, 5
INITIAL_WINDOW_SIZE = 7
STREAM_MASK = 0x7FFF_FFFF
# A frame's length has 24 bits.
MAX_LENGTH = 0xFF_FFFF

_VERSION = 3
_MAX_HEADERS_BYTES = 64 * 1024
_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow"
    " authorization cache-control connection content-base content-encoding content-language content-length"
    " content-location content-md5 content-range content-type date etag expect expires from host if-match"
    " if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma"
    " proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade"
    " user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie"
    " keep-alive origin"
)
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


class ProtocolError(Exception):
    """The other side does not speak SPDY/3.1; the connection cannot go on."""


def _dictionary() -> bytes:
    words = [word.replace("_", " ").encode() for word in _WORDS.split(" ")]
    return b"".join(struct.pack(">I", len(word)) + word for word in words) + _TAIL.encode()


DICTIONARY = _dictionary()


def control(kind: int, flags: int, payload: bytes) -> bytes:
    return struct.pack(">HHI", 0x8000 | _VERSION, kind, flags << 24 | len(payload)) + payload


def data(stream: int, flags: int, payload: bytes) -> bytes:
    return struct.pack(">II", stream, flags << 24 | len(payload)) + payload


def numbers(payload: bytes, count: int) -> tuple[int, ...]:
    """The 32-bit numbers that a payload starts with."""
    if len(payload) < 4 * count:
        raise ProtocolError(f"a control frame of {len(payload)} bytes is too short")
    return struct.unpack_from(f">{count}I", payload)


class HeaderWriter:
    """Header blocks of the sending direction."""

    def __init__(self) -> None:
        self._zlib = zlib.compressobj(zdict=DICTIONARY)

    def write(self, headers: Mapping[str, str]) -> bytes:
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            for text in (name.lower().encode(), value.encode()):
                block += struct.pack(">I", len(text)) + text
        return self._zlib.compress(block) + self._zlib.flush(zlib.Z_SYNC_FLUSH)


class HeaderReader:
    """Header blocks of the receiving direction."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zdict=DICTIONARY)

    def read(self, block: bytes) -> dict[str, str]:
        """Names in lower case; of a repeated value, the first."""
        try:
            plain = self._zlib.decompress(block, _MAX_HEADERS_BYTES)
        except zlib.error as error:
            raise ProtocolError(f"a header block cannot be decompressed: {error}") from None
        if self._zlib.unconsumed_tail:
            raise ProtocolError(f"a header block has more than {_MAX_HEADERS_BYTES} bytes")
        (count,) = numbers(plain, 1)
        texts = _texts(plain[4:])
        try:
            return {next(texts).lower(): next(texts).split("\0")[0] for _ in range(min(count, len(plain)))}
        except StopIteration:
            raise ProtocolError("a header block is cut short") from None


def _texts(plain: bytes) -> Iterator[str]:
    at = 0
    while at + 4 <= len(plain):
        (size,) = struct.unpack_from(">I", plain, at)
        text = plain[at + 4 : at + 4 + size]
        if len(text) < size:
            return
        at += 4 + size
        yield text.decode("utf-8", "replace")
