"""One SPDY/3.1 connection without I/O: bytes in, events out; calls in, bytes out.

    events = connection.receive(data)      connection.open / reply / send / reset / release / go_away
    outgoing = connection.data_to_send()

Windows: what arrives on a stream must be released by its reader before the other side may send more, and `sendable`
says how much may be sent. The peers of the Kubernetes world (moby/spdystream) neither honour nor update windows, so
sending is limited only once the other side has shown, by SETTINGS or WINDOW_UPDATE, that it counts.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from semafor.kube.api.streams import spdy_frames as frames
from semafor.kube.api.streams.spdy_frames import ProtocolError

# What we let the other side send ahead on each stream; large, so that one round trip moves much.
WINDOW_BYTES = 1024 * 1024
_DEFAULT_WINDOW_BYTES = 64 * 1024
# All streams together; a flow limit for each stream is enough.
_SESSION = 0
_SESSION_WINDOW_BYTES = 16 * WINDOW_BYTES
_MAX_WINDOW = 2**31 - 1
_MAX_CONTROL_BYTES = 128 * 1024
_HEAD_BYTES = 8


@dataclass(frozen=True, slots=True)
class Opened:
    """The other side has opened a stream; answer with `reply` or `reset`."""

    stream: int
    headers: dict[str, str]
    fin: bool


@dataclass(frozen=True, slots=True)
class Replied:
    """The other side has accepted a stream of ours."""

    stream: int


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a stream; `fin` says that there will be no more. They count against the window until released."""

    stream: int
    data: bytes
    fin: bool


@dataclass(frozen=True, slots=True)
class Reset:
    """The other side has given a stream up, in both directions."""

    stream: int


@dataclass(frozen=True, slots=True)
class Widened:
    """More may be sent on some streams."""


@dataclass(frozen=True, slots=True)
class GoneAway:
    """The other side will open no more streams."""


Event = Opened | Replied | Data | Reset | Widened | GoneAway


@dataclass(slots=True)
class _Window:
    """Bytes that may still be sent, and bytes that were released but not yet announced."""

    sendable: int
    released: int = 0


class Connection:
    """The state of one connection, of either side."""

    def __init__(self, *, client: bool = False) -> None:
        self._odd = 1 if client else 0
        self._next = 1 if client else 2
        self._last_seen = 0
        self._in = bytearray()
        self._out = bytearray()
        self._rest = (0, 0, 0)  # stream, flags and missing bytes of a data frame that has begun
        self._reader = frames.HeaderReader()
        self._writer = frames.HeaderWriter()
        self._windows = {_SESSION: _Window(_DEFAULT_WINDOW_BYTES)}
        self._initial_window = _DEFAULT_WINDOW_BYTES
        self._is_limited = False
        self._open_here: set[int] = set()
        self._open_there: set[int] = set()
        self._announce_windows()

    def data_to_send(self) -> bytes:
        """Take the bytes that wait to be sent."""
        out = bytes(self._out)
        self._out.clear()
        return out

    @property
    def pending_bytes(self) -> int:
        """How much waits to be sent."""
        return len(self._out)

    # ---- what we say

    def open(self, headers: Mapping[str, str], *, fin: bool = False) -> int:
        """Open a stream; return its number."""
        stream, self._next = self._next, self._next + 2
        self._add(stream, here=not fin, there=True)
        payload = struct.pack(">IIH", stream, 0, 0) + self._writer.write(headers)
        self._control(frames.SYN_STREAM, payload, flags=frames.FIN if fin else 0)
        return stream

    def reply(self, stream: int) -> None:
        """Accept a stream that the other side has opened."""
        self._control(frames.SYN_REPLY, struct.pack(">I", stream) + self._writer.write({}))

    def send(self, stream: int, data: bytes, *, fin: bool = False) -> None:
        """Send bytes, at most `sendable(stream)` of them. On a stream that is closed in this direction: nothing."""
        if stream not in self._open_here:
            return
        self._out += frames.data(stream, frames.FIN if fin else 0, data)
        self._windows[stream].sendable -= len(data)
        self._windows[_SESSION].sendable -= len(data)
        if fin:
            self._close(stream, here=True)

    def sendable(self, stream: int) -> int:
        """How many bytes may be sent on the stream now."""
        window = self._windows.get(stream)
        if not self._is_limited or window is None:
            return frames.MAX_LENGTH
        return max(0, min(window.sendable, self._windows[_SESSION].sendable, frames.MAX_LENGTH))

    def reset(self, stream: int, status: int = frames.CANCEL) -> None:
        """Give a stream up in both directions."""
        if stream in self._open_here | self._open_there:
            self._control(frames.RST_STREAM, struct.pack(">II", stream, status))
            self._close(stream, here=True, there=True)

    def release(self, stream: int, size_bytes: int) -> None:
        """Say that the reader has taken `size_bytes` of what arrived, so that as much may be sent again."""
        for number, limit in ((stream, WINDOW_BYTES), (_SESSION, _SESSION_WINDOW_BYTES)):
            window = self._windows.get(number)
            if window is None:
                continue
            window.released += size_bytes
            if window.released * 2 >= limit:
                self._control(frames.WINDOW_UPDATE, struct.pack(">II", number, window.released))
                window.released = 0

    def go_away(self, status: int = 0) -> None:
        """Say that no more streams will be taken; the open ones go on."""
        self._control(frames.GOAWAY, struct.pack(">II", self._last_seen, status))

    # ---- what they say

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes from the other side. Raises ProtocolError; a GOAWAY then waits to be sent."""
        self._in += data
        try:
            return list(self._events())
        except ProtocolError:
            self.go_away(status=1)
            raise

    def _events(self) -> Iterator[Event]:
        while True:
            stream, flags, missing = self._rest
            if stream:
                if not self._in and missing:
                    return
                yield from self._take_data(stream, flags, missing)
                continue
            if len(self._in) < _HEAD_BYTES:
                return
            first, second = struct.unpack_from(">II", self._in)
            flags, size = second >> 24, second & frames.MAX_LENGTH
            if not first & 0x8000_0000:
                self._begin_data(first, flags, size)
                continue
            if size > _MAX_CONTROL_BYTES:
                raise ProtocolError(f"a control frame of {size} bytes is too long")
            if len(self._in) < _HEAD_BYTES + size:
                return
            payload = bytes(self._in[_HEAD_BYTES : _HEAD_BYTES + size])
            del self._in[: _HEAD_BYTES + size]
            yield from self._take_control(first & 0xFFFF, flags, payload)

    def _begin_data(self, stream: int, flags: int, size: int) -> None:
        if not stream:
            raise ProtocolError("a data frame for stream 0")
        del self._in[:_HEAD_BYTES]
        self._rest = (stream, flags, size)

    def _take_data(self, stream: int, flags: int, missing: int) -> Iterator[Event]:
        part = bytes(self._in[:missing])
        del self._in[: len(part)]
        ends = len(part) == missing
        self._rest = (0, 0, 0) if ends else (stream, flags, missing - len(part))
        if stream not in self._open_there:
            self.release(stream, len(part))  # for the session's window; the stream itself is closed
            return
        fin = ends and bool(flags & frames.FIN)
        if part or fin:
            yield Data(stream, part, fin)
        if fin:
            self._close(stream, there=True)

    def _take_control(self, kind: int, flags: int, payload: bytes) -> Iterator[Event]:
        match kind:
            case frames.SYN_STREAM:
                yield from self._take_syn_stream(flags, payload)
            case frames.SYN_REPLY | frames.HEADERS:
                yield from self._take_headers(kind, flags, payload)
            case frames.RST_STREAM:
                (stream, _) = frames.numbers(payload, 2)
                if stream in self._open_here | self._open_there:
                    self._close(stream, here=True, there=True)
                    yield Reset(stream)
            case frames.SETTINGS:
                yield from self._take_settings(payload)
            case frames.WINDOW_UPDATE:
                yield from self._take_window_update(payload)
            case frames.PING:
                (number,) = frames.numbers(payload, 1)
                if number % 2 != self._odd:  # theirs; those of our parity are answers
                    self._control(frames.PING, payload[:4])
            case frames.GOAWAY:
                yield GoneAway()

    def _take_syn_stream(self, flags: int, payload: bytes) -> Iterator[Event]:
        stream = frames.numbers(payload, 2)[0] & frames.STREAM_MASK
        headers = self._reader.read(payload[10:])
        if stream % 2 == self._odd or stream <= self._last_seen:
            self._control(frames.RST_STREAM, struct.pack(">II", stream, frames.PROTOCOL_ERROR))
            return
        self._last_seen = stream
        fin = bool(flags & frames.FIN)
        self._add(stream, here=True, there=not fin)
        yield Opened(stream, headers, fin)

    def _take_headers(self, kind: int, flags: int, payload: bytes) -> Iterator[Event]:
        stream = frames.numbers(payload, 1)[0] & frames.STREAM_MASK
        self._reader.read(payload[4:])
        if kind == frames.SYN_REPLY and stream in self._windows:
            yield Replied(stream)
        if flags & frames.FIN and stream in self._open_there:
            self._close(stream, there=True)
            yield Data(stream, b"", fin=True)

    def _take_settings(self, payload: bytes) -> Iterator[Event]:
        (count,) = frames.numbers(payload, 1)
        pairs = frames.numbers(payload[4:], 2 * count)
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if key & 0xFF_FFFF == frames.INITIAL_WINDOW_SIZE and value <= _MAX_WINDOW:
                for stream, window in self._windows.items():
                    window.sendable += value - self._initial_window if stream else 0
                self._initial_window = value
                self._is_limited = True
                yield Widened()

    def _take_window_update(self, payload: bytes) -> Iterator[Event]:
        stream, delta = frames.numbers(payload, 2)
        self._is_limited = True
        window = self._windows.get(stream & frames.STREAM_MASK)
        if window is not None:
            window.sendable = min(_MAX_WINDOW, window.sendable + (delta & _MAX_WINDOW))
            yield Widened()

    # ---- small parts

    def _announce_windows(self) -> None:
        setting = struct.pack(">III", 1, frames.INITIAL_WINDOW_SIZE, WINDOW_BYTES)
        self._control(frames.SETTINGS, setting)
        more = _SESSION_WINDOW_BYTES - _DEFAULT_WINDOW_BYTES
        self._control(frames.WINDOW_UPDATE, struct.pack(">II", _SESSION, more))

    def _control(self, kind: int, payload: bytes, *, flags: int = 0) -> None:
        self._out += frames.control(kind, flags, payload)

    def _add(self, stream: int, *, here: bool, there: bool) -> None:
        self._windows[stream] = _Window(self._initial_window)
        if here:
            self._open_here.add(stream)
        if there:
            self._open_there.add(stream)

    def _close(self, stream: int, *, here: bool = False, there: bool = False) -> None:
        if here:
            self._open_here.discard(stream)
        if there:
            self._open_there.discard(stream)
        if stream not in self._open_here and stream not in self._open_there:
            self._windows.pop(stream, None)
