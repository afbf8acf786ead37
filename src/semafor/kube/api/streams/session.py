"""SPDY over a wire: streams that asyncio code reads and writes, with backpressure both ways."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType

from semafor.kube.api.streams import spdy, spdy_frames
from semafor.kube.api.streams.wire import CHUNK_BYTES, Gone, Wire

# kubectl opens two streams for each forwarded connection.
MAX_STREAMS = 2048
# What may wait for a slow client, of all streams together.
_MAX_PENDING_BYTES = 4 * CHUNK_BYTES
# How long the last bytes may take to go out to a client that has stopped reading.
_FAREWELL_S = 5.0


class Stream:
    """One stream that the client has opened. Reading frees room for the client to send more."""

    def __init__(self, session: "Session", number: int, headers: dict[str, str]) -> None:
        self.headers = headers
        self.is_finished = False
        self.has_ended = False
        self.waiting_bytes = 0
        self._session = session
        self._number = number
        self._arrived: deque[bytes] = deque()
        self._lost = asyncio.Event()
        self._changed = asyncio.Event()

    async def read(self) -> bytes:
        """The next bytes; empty at the end. Raises Gone when the client has reset the stream or gone itself."""
        while not self._arrived:
            if self.has_ended:
                return b""
            if self._lost.is_set():
                raise Gone
            self._changed.clear()
            await self._changed.wait()
        data = self._arrived.popleft()
        self.waiting_bytes -= len(data)
        await self._session.released(self._number, len(data))
        return data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self.read():
            yield data

    async def write(self, data: bytes) -> None:
        """Send, waiting for the windows and for a slow client. Raises Gone when nobody reads any more."""
        while data:
            if self._lost.is_set() or self.is_finished:
                raise Gone
            data = data[await self._session.send(self._number, data[:CHUNK_BYTES]) :]

    async def abandoned(self) -> None:
        """Wait until the client has reset the stream, or gone."""
        await self._lost.wait()

    def close(self) -> None:
        """Send the end; reading goes on. Without effect when it is closed already."""
        self.is_finished = True
        self._session.finish(self._number)

    def reset(self) -> None:
        """Give the stream up in both directions."""
        self.take_reset()
        self._session.reset(self._number)

    def take(self, data: bytes, *, fin: bool) -> None:
        """What the session hears for this stream."""
        if data:
            self._arrived.append(data)
            self.waiting_bytes += len(data)
        self.has_ended |= fin
        self._changed.set()

    def take_reset(self) -> None:
        self._lost.set()
        self._changed.set()


class Session:
    """One connection, as the server: `async with Session(wire) as session: stream = await session.accept()`.

    Two tasks read and write the wire while the block runs; at its end what waits is sent and the wire is closed.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._core = spdy.Connection()
        self._streams: dict[int, Stream] = {}
        self._opened: asyncio.Queue[Stream | None] = asyncio.Queue(MAX_STREAMS + 1)
        self._moved = asyncio.Condition()
        self._dirty = asyncio.Event()
        self._ended = asyncio.Event()
        self._is_writing = False
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    async def __aenter__(self) -> "Session":
        self._dirty.set()
        self._tasks = (asyncio.create_task(self._read()), asyncio.create_task(self._write()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self._sent()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self._wire.close()

    async def accept(self) -> Stream | None:
        """The next stream that the client opens; None, once, when the client has gone."""
        return await self._opened.get()

    async def ended(self) -> None:
        """Wait until the client has gone."""
        await self._ended.wait()

    async def send(self, number: int, data: bytes) -> int:
        """Send what the windows allow, at least a byte; return how much it was. Raises Gone."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._ended.is_set() or self._may_send(number))
        if self._ended.is_set():
            raise Gone
        part = data[: self._core.sendable(number)]
        self._core.send(number, part)
        self._dirty.set()
        return len(part)

    def finish(self, number: int) -> None:
        """Send the end of a stream."""
        self._core.send(number, b"", fin=True)
        self._forget_if_done(number)
        self._dirty.set()

    def reset(self, number: int) -> None:
        """Send that a stream is given up."""
        self._core.reset(number)
        self._streams.pop(number, None)
        self._dirty.set()

    async def released(self, number: int, size_bytes: int) -> None:
        """A reader has taken bytes: let the client send more, and go on reading the wire if it had to wait."""
        self._core.release(number, size_bytes)
        self._dirty.set()
        await self._notify()

    async def _read(self) -> None:
        try:
            while data := await self._wire.read():
                for event in self._core.receive(data):
                    self._take(event)
                self._dirty.set()
                await self._notify()
                await self._room()
        except spdy_frames.ProtocolError:
            await self._sent()
        finally:
            self._end()
        await self._notify()

    async def _write(self) -> None:
        try:
            while True:
                await self._dirty.wait()
                self._dirty.clear()
                self._is_writing = True
                await self._wire.write(self._core.data_to_send())
                self._is_writing = False
                await self._notify()
        except Gone:
            self._end()
        await self._notify()

    async def _sent(self) -> None:
        """Wait until everything is out, but not for ever."""
        self._dirty.set()
        try:
            async with asyncio.timeout(_FAREWELL_S), self._moved:
                await self._moved.wait_for(lambda: self._ended.is_set() or self._is_all_out())
        except TimeoutError:
            return

    async def _room(self) -> None:
        """Wait while a stream has more than its window unread: only a client that ignores windows gets here."""
        if self._is_full():
            async with self._moved:
                await self._moved.wait_for(lambda: not self._is_full())

    def _is_full(self) -> bool:
        return any(stream.waiting_bytes > spdy.WINDOW_BYTES for stream in self._streams.values())

    def _is_all_out(self) -> bool:
        return not self._core.pending_bytes and not self._is_writing

    def _may_send(self, number: int) -> bool:
        return self._core.pending_bytes < _MAX_PENDING_BYTES and self._core.sendable(number) > 0

    def _take(self, event: spdy.Event) -> None:
        match event:
            case spdy.Opened(number, headers, fin):
                self._open(number, headers, fin=fin)
            case spdy.Data(number, data, fin) if number in self._streams:
                self._streams[number].take(data, fin=fin)
                self._forget_if_done(number)
            case spdy.Reset(number) if number in self._streams:
                self._streams.pop(number).take_reset()

    def _open(self, number: int, headers: dict[str, str], *, fin: bool) -> None:
        if len(self._streams) >= MAX_STREAMS or self._opened.qsize() >= MAX_STREAMS:
            self._core.reset(number, spdy_frames.REFUSED_STREAM)
            return
        stream = Stream(self, number, headers)
        stream.take(b"", fin=fin)
        self._streams[number] = stream
        self._core.reply(number)
        self._opened.put_nowait(stream)

    def _forget_if_done(self, number: int) -> None:
        """A stream that has ended both ways is its reader's alone."""
        stream = self._streams.get(number)
        if stream is not None and stream.is_finished and stream.has_ended:
            del self._streams[number]

    def _end(self) -> None:
        if self._ended.is_set():
            return
        self._ended.set()
        for stream in self._streams.values():
            stream.take_reset()
        self._opened.put_nowait(None)

    async def _notify(self) -> None:
        async with self._moved:
            self._moved.notify_all()
