"""A two-way flow of bytes, whatever carries it: an upgraded connection, or the binary messages of a WebSocket."""

from typing import Protocol

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

# One message; small enough for every client's limit and for streams to take turns.
CHUNK_BYTES = 64 * 1024


class Gone(Exception):  # noqa: N818 - what happened, not a mistake
    """The client has gone away."""


class Wire(Protocol):
    """What `Session` runs over."""

    async def read(self) -> bytes:
        """The next bytes; empty when the client has ended or gone."""

    async def write(self, data: bytes) -> None:
        """Send, waiting while the client is slow. Raises Gone."""

    async def close(self) -> None:
        """End the flow, after what was written."""


class WebSocketWire:
    """Bytes as binary messages of an accepted WebSocket; their borders mean nothing."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def read(self) -> bytes:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return b""
        return payload(message) or await self.read()

    async def write(self, data: bytes) -> None:
        try:
            await self._websocket.send_bytes(data)
        except (WebSocketDisconnect, RuntimeError):
            raise Gone from None

    async def close(self) -> None:
        await close_quietly(self._websocket)


def payload(message: Message) -> bytes:
    """The bytes of a message; Python's client sends text messages when it is given a str."""
    return message.get("bytes") or (message.get("text") or "").encode()


async def close_quietly(websocket: WebSocket) -> None:
    """Close, unless the client was faster."""
    try:
        await websocket.close()
    except (WebSocketDisconnect, RuntimeError):
        return
