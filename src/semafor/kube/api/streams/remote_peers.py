"""The two dialects of remote commands: channels of a WebSocket, and streams of SPDY."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from semafor.kube.api.streams import channels
from semafor.kube.api.streams.peer import Input, Left, Nothing, Output, Stdin, StdinEnd
from semafor.kube.api.streams.session import Session, Stream
from semafor.kube.api.streams.target import RemoteOptions
from semafor.kube.api.streams.wire import Gone, close_quietly, payload

# How long a client may take to open its streams (kubelet: streamCreationTimeout), and to hang up after the end.
_OPENING_S = 30.0
_HANG_UP_S = 10.0
_CHANNELS: dict[Output, int] = {"stdout": channels.STDOUT, "stderr": channels.STDERR}


class WebSocketPeer:
    """A client on an accepted WebSocket."""

    def __init__(self, websocket: WebSocket, protocol: str) -> None:
        self._websocket = websocket
        self._protocol = protocol

    async def greet(self) -> None:
        """Send the empty message by which kube-apiserver says that the connection stands."""
        await self._send(channels.encode(channels.STDOUT, b""))

    async def receive(self) -> Input:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return Left()
        return channels.decode(payload(message), self._protocol)

    async def send(self, output: Output, data: bytes) -> None:
        await self._send(channels.encode(_CHANNELS[output], data))

    async def finish(self, status: dict[str, Any]) -> None:
        try:
            await self._send(channels.encode(channels.ERROR, json.dumps(status).encode()))
        except Gone:
            return
        await close_quietly(self._websocket)

    async def _send(self, message: bytes) -> None:
        try:
            await self._websocket.send_bytes(message)
        except (WebSocketDisconnect, RuntimeError):
            raise Gone from None


class SpdyPeer:
    """A client that has opened one SPDY stream for each channel."""

    def __init__(self, session: Session, streams: dict[str, Stream]) -> None:
        self._session = session
        self._streams = streams
        self._said: asyncio.Queue[Input] = asyncio.Queue(8)
        self._is_over = False

    @classmethod
    async def meet(cls, session: Session, options: RemoteOptions) -> "SpdyPeer | None":
        """Wait until the client has opened all streams that its query promised; None when it does not."""
        names = {"error", *(name for name in ("stdin", "stdout", "stderr") if getattr(options, name))}
        names |= {"resize"} if options.tty else set()
        streams: dict[str, Stream] = {}
        try:
            async with asyncio.timeout(_OPENING_S):
                while names - streams.keys():
                    stream = await session.accept()
                    if stream is None:
                        return None
                    streams[stream.headers.get("streamtype", "")] = stream
        except TimeoutError:
            return None
        return cls(session, streams)

    async def attend(self, serving: Coroutine[Any, Any, None]) -> None:
        """Run `serving` while what the streams bring is turned into one line of inputs for it."""
        async with asyncio.TaskGroup() as group:
            listening = [group.create_task(each) for each in (self._feeding(), self._resizing(), self._leaving())]
            await serving
            for task in listening:
                task.cancel()

    async def receive(self) -> Input:
        return await self._said.get()

    async def send(self, output: Output, data: bytes) -> None:
        await self._streams[output].write(data)

    async def finish(self, status: dict[str, Any]) -> None:
        self._stop_listening()
        error = self._streams["error"]
        try:
            await error.write(json.dumps(status).encode())
        except Gone:
            return
        for name in ("stdout", "stderr", "error"):
            if name in self._streams:
                self._streams[name].close()
        try:
            async with asyncio.timeout(_HANG_UP_S):
                await self._session.ended()
        except TimeoutError:
            return

    async def _feeding(self) -> None:
        if "stdin" not in self._streams:
            return
        try:
            async for data in self._streams["stdin"]:
                await self._say(Stdin(data))
            await self._say(StdinEnd())
        except Gone:
            return

    async def _resizing(self) -> None:
        if "resize" not in self._streams:
            return
        rest = b""
        try:
            async for data in self._streams["resize"]:
                *sizes, rest = (rest + data).replace(b"}", b"}\n").split(b"\n")
                for size in sizes:
                    said = channels.size(size)
                    if not isinstance(said, Nothing):
                        await self._say(said)
        except Gone:
            return

    async def _leaving(self) -> None:
        await self._session.ended()
        await self._say(Left())

    async def _say(self, said: Input) -> None:
        if not self._is_over:
            await self._said.put(said)

    def _stop_listening(self) -> None:
        """From now on drop what comes: bytes that nobody takes would keep us from seeing the client hang up."""
        self._is_over = True
        while not self._said.empty():
            self._said.get_nowait()
