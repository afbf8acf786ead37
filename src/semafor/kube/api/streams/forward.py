"""Port-forward: connections of the client to a port of a pod, over SPDY streams or over WebSocket channels."""

import asyncio
import struct
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from semafor.kube.api.errors import StatusError
from semafor.kube.api.node import NodeError
from semafor.kube.api.streams import target
from semafor.kube.api.streams.session import Session, Stream
from semafor.kube.api.streams.wire import CHUNK_BYTES, Gone, close_quietly, payload

SPDY = "portforward.k8s.io"
# The prefix says that SPDY frames travel in the binary messages.
TUNNELED = f"SPDY/3.1+{SPDY}"

Connect = Callable[[int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
Write = Callable[[bytes], Awaitable[None]]

# Messages that may wait for a pod that reads slowly, on each channel of a WebSocket.
_MAX_WAITING = 16


async def over_spdy(session: Session, connect: Connect) -> None:
    """Serve connections until the client goes; each is a pair of streams, `error` and `data` with one `requestid`."""
    waiting: dict[str, Stream] = {}
    async with asyncio.TaskGroup() as group:
        while (stream := await session.accept()) is not None:
            request = stream.headers.get("requestid", "")
            other = waiting.pop(request, None)
            if other is None or other.headers.get("streamtype") == stream.headers.get("streamtype"):
                waiting[request] = stream
            elif stream.headers.get("streamtype") == "data":
                group.create_task(_serve_pair(stream, other, connect))
            else:
                group.create_task(_serve_pair(other, stream, connect))


async def _serve_pair(data: Stream, error: Stream, connect: Connect) -> None:
    text = data.headers.get("port", "")
    try:
        reader, writer = await connect(target.port(text))
    except (NodeError, StatusError) as refused:
        await _say(error, f"error forwarding port {text}: {refused}")
        data.reset()
        return
    try:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(_abort_when_abandoned(data, writer))
            await asyncio.wait([group.create_task(_to_pod(data, writer)), group.create_task(_to_client(reader, data))])
            watching.cancel()
    finally:
        writer.close()
        error.close()


async def _say(error: Stream, message: str) -> None:
    try:
        await error.write(message.encode())
    except Gone:
        return
    error.close()


async def _abort_when_abandoned(data: Stream, writer: asyncio.StreamWriter) -> None:
    """End the connection when the client resets its stream (kubectl does, once it has everything) or goes away."""
    await data.abandoned()
    writer.transport.abort()


async def _to_pod(data: Stream, writer: asyncio.StreamWriter) -> None:
    try:
        await _pour(data, writer)
    except Gone:
        return


async def _to_client(reader: asyncio.StreamReader, data: Stream) -> None:
    try:
        await _drink(reader, data.write)
    except Gone:
        return
    data.close()


async def _pour(chunks: AsyncIterable[bytes], writer: asyncio.StreamWriter) -> None:
    """Write all, then say that no more will come; the other direction stays open."""
    try:
        async for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        return


async def _drink(reader: asyncio.StreamReader, write: Write) -> None:
    try:
        while chunk := await reader.read(CHUNK_BYTES):
            await write(chunk)
    except OSError:
        return


async def over_channels(websocket: WebSocket, ports: tuple[int, ...], connect: Connect) -> None:
    """Serve `v4.channel.k8s.io`: port number i has channel 2i for data and 2i + 1 for an error; one connection each.

    Every channel starts with its port's number, two bytes, the low one first. The dialect cannot end one direction, or
    one of several connections: the WebSocket ends when all have.
    """
    channels = _Channels(websocket, ports)
    try:
        await channels.serve(connect)
    except* Gone:
        pass
    await close_quietly(websocket)


class _Channels:
    def __init__(self, websocket: WebSocket, ports: tuple[int, ...]) -> None:
        self._websocket = websocket
        self._ports = ports
        self._arrived = [asyncio.Queue[bytes](_MAX_WAITING) for _ in ports]

    async def serve(self, connect: Connect) -> None:
        for at, port in enumerate(self._ports):
            await self._send(2 * at, struct.pack("<H", port))
            await self._send(2 * at + 1, struct.pack("<H", port))
        async with asyncio.TaskGroup() as group:
            connections = [group.create_task(self._serve_port(at, connect)) for at in range(len(self._ports))]
            listening = group.create_task(self._listen())
            await asyncio.wait(connections)
            listening.cancel()

    async def _serve_port(self, at: int, connect: Connect) -> None:
        port = self._ports[at]
        try:
            reader, writer = await connect(port)
        except NodeError as refused:
            await self._send(2 * at + 1, f"error forwarding port {port}: {refused}".encode())
            return
        try:
            async with asyncio.TaskGroup() as group:
                pouring = group.create_task(_pour(self._chunks(at), writer))
                await _drink(reader, lambda chunk: self._send(2 * at, chunk))
                pouring.cancel()
        finally:
            writer.close()

    async def _chunks(self, at: int) -> AsyncIterator[bytes]:
        while True:
            yield await self._arrived[at].get()

    async def _listen(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise Gone
            data = payload(message)
            if len(data) > 1 and data[0] % 2 == 0 and data[0] // 2 < len(self._ports):
                await self._arrived[data[0] // 2].put(data[1:])

    async def _send(self, channel: int, data: bytes) -> None:
        try:
            await self._websocket.send_bytes(bytes([channel]) + data)
        except (WebSocketDisconnect, RuntimeError):
            raise Gone from None
