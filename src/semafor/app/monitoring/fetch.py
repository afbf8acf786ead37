"""One request over a connection that is there. Everything about the answer is bounded."""

import asyncio
import contextlib
import zlib
from typing import Final

import httptools

MAX_BYTES: Final = 16 << 20  # of an answer, unpacked: some 100,000 samples
_ACCEPT: Final = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.8,*/*;q=0.1"


class Failed(Exception):  # noqa: N818 - named for what it is
    """The target's answer is of no use: why."""


class _Answer:
    """Collects what httptools tells."""

    def __init__(self) -> None:
        self.status = 0
        self.encoding = ""
        self.complete = False
        self.size = 0
        self.parts: list[bytes] = []
        self.parser = httptools.HttpResponseParser(self)

    def on_status_complete(self) -> None:
        pass

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-encoding":
            self.encoding = value.decode("latin-1").strip().lower()

    def on_headers_complete(self) -> None:
        self.status = self.parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self.size += len(body)
        if self.size > MAX_BYTES:
            raise Failed(f"body size limit exceeded: more than {MAX_BYTES} bytes")
        self.parts.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def get(streams: Streams, host: str, path: str) -> str:
    """The body of the answer. Raises Failed, OSError."""
    answer = await _exchange(streams, f"GET {path}", host, f"Accept: {_ACCEPT}\r\nAccept-Encoding: gzip\r\n")
    if answer.status != 200:
        raise Failed(f"server returned HTTP status {answer.status}")
    return _text(b"".join(answer.parts), answer.encoding)


async def post(streams: Streams, host: str, path: str, body: bytes) -> None:
    """Hand over a JSON document. Raises Failed, OSError."""
    headers = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    answer = await _exchange(streams, f"POST {path}", host, headers, body)
    if not 200 <= answer.status < 300:
        raise Failed(f"server returned HTTP status {answer.status}")


async def _exchange(streams: Streams, what: str, host: str, headers: str, body: bytes = b"") -> _Answer:
    reader, writer = streams
    head = f"{what} HTTP/1.1\r\nHost: {host}\r\n{headers}User-Agent: Prometheus/2.42.0 (semafor)\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode("latin-1") + body)
    answer = _Answer()
    try:
        while not answer.complete:
            data = await reader.read(65536)
            if not data:
                break
            answer.parser.feed_data(data)
    except httptools.HttpParserError as error:
        cause = error.__context__
        raise Failed(str(cause) if isinstance(cause, Failed) else f"not HTTP: {error}") from error
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    if not answer.status:
        raise Failed("the connection was closed without an answer")
    return answer


def _text(body: bytes, encoding: str) -> str:
    if encoding == "gzip":
        unpacker = zlib.decompressobj(wbits=31)
        try:
            body = unpacker.decompress(body, MAX_BYTES + 1)
        except zlib.error as error:
            raise Failed(f"the gzip is damaged: {error}") from error
        if len(body) > MAX_BYTES:
            raise Failed(f"body size limit exceeded: more than {MAX_BYTES} bytes")
    elif encoding not in ("", "identity"):
        raise Failed(f"content encoding {encoding!r} was not asked for")
    return body.decode("utf-8", "replace")
