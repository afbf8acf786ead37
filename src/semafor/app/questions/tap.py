"""Requests as they pass a proxy, live: Envoy's own tap, asked through its admin interface, and handed on as it comes.

Nothing of it is on the way of a request. It ends with the connection of who asks, and with it Envoy forgets it.
"""

import asyncio
import contextlib
import re
from collections.abc import Iterator
from typing import Any, Final, Literal

import httptools
import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from semafor.app import proxies
from semafor.app.questions.envoy import Pods
from semafor.kube.api.errors import StatusError
from semafor.kube.api.node import Node, NodeError

MAX_BODY_BYTES: Final = 1 << 20
_ADMIN_PORT = 15000
_CHUNK_BYTES = 65536
_MAX_WAITING = 128  # chunks, 8 MB: who reads slower than requests come would otherwise fill the proxy's memory
_TIMEOUT_S = 15.0
_STATUS = re.compile(r"[1-5](\d\d|xx)")


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """Which requests, and how much of them. `path` is a prefix, `status` a code or such as `5xx`; "" asks for nothing.

    `stream` tells each piece when it comes; else a request is told when it is over.
    """

    direction: Literal["inbound", "outbound"] = "inbound"
    method: str = ""
    path: str = ""
    status: str = ""
    headers: dict[str, str] = {}
    body_bytes: int = 0
    stream: bool = False


def parse(body: bytes) -> Wanted:
    """What is asked for. Raises StatusError."""
    try:
        wanted = msgspec.json.decode(body or b"{}", type=Wanted)
    except msgspec.MsgspecError as error:
        raise StatusError(400, "BadRequest", f"what to tap is not understood: {error}") from error
    if wanted.status and not _STATUS.fullmatch(wanted.status):
        raise StatusError(400, "BadRequest", f"{wanted.status} is no status such as 503 or 5xx")
    if not 0 <= wanted.body_bytes <= MAX_BODY_BYTES:
        raise StatusError(400, "BadRequest", f"bodies can be told up to {MAX_BODY_BYTES} bytes")
    return wanted


def request(wanted: Wanted) -> dict[str, Any]:
    """Envoy's words for it."""
    rules = [*_rules(wanted)]
    match = {"and_match": {"rules": rules}} if len(rules) > 1 else rules[0] if rules else {"any_match": True}
    output = {
        "streaming": wanted.stream,
        "max_buffered_rx_bytes": wanted.body_bytes,
        "max_buffered_tx_bytes": wanted.body_bytes,
        "sinks": [{"format": "JSON_BODY_AS_STRING", "streaming_admin": {}}],
    }
    return {"config_id": wanted.direction, "tap_config": {"match_config": match, "output_config": output}}


def _rules(wanted: Wanted) -> Iterator[dict[str, Any]]:
    asked = [
        *([_header(":method", {"exact": wanted.method.upper()})] if wanted.method else []),
        *([_header(":path", {"prefix": wanted.path})] if wanted.path else []),
        *(_header(name.lower(), {"exact": value}) for name, value in wanted.headers.items()),
    ]
    if asked:
        yield {"http_request_headers_match": {"headers": asked}}
    if wanted.status:
        of_class = wanted.status.endswith("xx")
        code = {"prefix": wanted.status[0]} if of_class else {"exact": wanted.status}
        yield {"http_response_headers_match": {"headers": [_header(":status", code)]}}


def _header(name: str, text: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "string_match": text}


class Taps:
    """Opens taps on the proxies of pods."""

    def __init__(self, pods: Pods, node: Node) -> None:
        self._pods = pods
        self._node = node

    async def open(self, namespace: str, name: str, wanted: Wanted) -> "Tapped":
        """What passes from now on. Raises StatusError."""
        pod = self._pods(namespace, name)
        if pod is None or not proxies.container(pod):
            raise StatusError(404, "NotFound", f"there is no pod {namespace}/{name} with a proxy")
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                reader, writer = await self._node.connect(pod, _ADMIN_PORT)
                return await _begun(f"{namespace}/{name}", wanted, reader, writer)
        except (NodeError, TimeoutError, OSError, httptools.HttpParserError) as error:
            said = str(error) or "no answer in time"
            raise StatusError(503, "ServiceUnavailable", f"{namespace}/{name} cannot be tapped: {said}") from error


async def _begun(name: str, wanted: Wanted, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> "Tapped":
    body = msgspec.json.encode(request(wanted))
    writer.write(b"POST /tap HTTP/1.1\r\nhost: admin\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
    answer = _Answer()
    # A tap says nothing before the first request: that it says nothing for a moment means that it has begun.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            while not answer.is_whole and (data := await reader.read(_CHUNK_BYTES)):
                answer.feed(data)
    if answer.code not in (0, 200):
        writer.close()
        raise _refused(name, wanted, answer)
    return Tapped(reader, writer, answer)


def _refused(name: str, wanted: Wanted, answer: "_Answer") -> StatusError:
    said = b"".join(answer.parts).decode(errors="replace")
    if "already exists" in said:
        return StatusError(409, "Conflict", f"somebody taps {name} already; a proxy tells one at a time")
    if "Unknown config id" in said:
        return StatusError(409, "Conflict", f"the proxy of {name} has no {wanted.direction} HTTP connections")
    return StatusError(502, "BadGateway", f"the Envoy of {name} does not tap: {said[:500]}")


class _Answer:
    """Envoy's answer as it comes; `parts` is what of the body has not been taken."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.parts: list[bytes] = []
        self.is_whole = False

    @property
    def code(self) -> int:
        code: int = self._parser.get_status_code()
        return code

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        self.is_whole = True

    def take(self) -> bytes:
        taken, self.parts = b"".join(self.parts), []
        return taken


class Tapped(Response):
    """Envoy's documents, one after the other, until who asked goes, or reads too slowly, or the proxy ends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: _Answer) -> None:
        super().__init__(media_type="application/json-seq")
        self._reader = reader
        self._writer = writer
        self._answer = answer
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(_MAX_WAITING)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        await send({"type": "http.response.start", "status": 200, "headers": self._own_headers()})
        try:
            async with asyncio.TaskGroup() as tasks:
                work = [tasks.create_task(self._read()), tasks.create_task(_until_gone(receive))]
                sending = tasks.create_task(self._send(send))
                await asyncio.wait((sending, work[1]), return_when=asyncio.FIRST_COMPLETED)
                for task in (*work, sending):
                    task.cancel()
        finally:
            self._writer.close()

    def _own_headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"content-type", b"application/json-seq")]

    async def _read(self) -> None:
        """At the pace of the proxy, always: it would keep in memory what is not read."""
        self._put(self._answer.take())
        with contextlib.suppress(OSError, httptools.HttpParserError):
            while data := await self._reader.read(_CHUNK_BYTES):
                self._answer.feed(data)
                if not self._put(self._answer.take()):
                    return
        await self._waiting.put(None)

    def _put(self, data: bytes) -> bool:
        try:
            self._waiting.put_nowait(data)
        except asyncio.QueueFull:
            self._writer.close()
            for _ in range(_MAX_WAITING):
                self._waiting.get_nowait()
            self._waiting.put_nowait(b'\n{"left_out": "requests came faster than they were read: the tap has ended"}\n')
            self._waiting.put_nowait(None)
            return False
        return True

    async def _send(self, send: Send) -> None:
        while (data := await self._waiting.get()) is not None:
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
