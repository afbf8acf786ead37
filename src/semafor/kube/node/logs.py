"""Reading a container's log file: lines as the CRI writes them, `2026-11-22T15:47:03.123456789Z stdout F text`."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from semafor.base.struct import Value

POLL_S = 0.05  # how late `logs -f` may show a line
BLOCK = 64 * 1024


class View(Value):
    """What of a log is wanted. `tail` is a number of lines, None for all; `since` is an aware time."""

    tail: int | None = None
    since: datetime | None = None
    timestamps: bool = False
    limit_bytes: int | None = None


class Entry(Value):
    """One line of the file. A partial entry has no end of line of its own."""

    stamp: bytes
    text: bytes
    partial: bool


def parse(line: bytes) -> Entry | None:
    """One line of the file without its line feed; None when the writer was cut off in it."""
    stamp, _, rest = line.partition(b" ")
    _stream, _, rest = rest.partition(b" ")
    tag, separator, text = rest.partition(b" ")
    return Entry(stamp=stamp, text=text, partial=tag == b"P") if separator else None


async def read(path: Path, view: View, ended: Callable[[], bool] | None = None) -> AsyncIterator[bytes]:
    """Yield the log's text in chunks; with `ended`, go on until it returns true and all has been read."""
    left = view.limit_bytes
    with closing(_Log(path, view.tail)) as log:
        lines = _Lines(view)
        while True:
            last = ended is None or ended()
            for block in log.new():
                piece = lines.text(block)[:left]
                if piece:
                    yield piece
                if left is not None:
                    left -= len(piece)
                    if left <= 0:
                        return
            if last:
                return
            await asyncio.sleep(POLL_S)


class _Log:
    """The file under a path, which its writer renames and replaces when it has grown large."""

    def __init__(self, path: Path, tail: int | None) -> None:
        self._path = path
        self._file = path.open("rb")
        _seek_tail(self._file, tail)

    def new(self) -> Iterator[bytes]:
        """What has been written since the last call, in blocks."""
        while True:
            yield from self._rest()
            if not self._is_replaced():
                return
            yield from self._rest()  # what came between the last look and the renaming
            self._file.close()
            self._file = self._path.open("rb")

    def close(self) -> None:
        self._file.close()

    def _rest(self) -> Iterator[bytes]:
        while block := self._file.read(BLOCK):
            yield block

    def _is_replaced(self) -> bool:
        try:
            return self._path.stat().st_ino != os.fstat(self._file.fileno()).st_ino
        except FileNotFoundError:
            return False


class _Lines:
    """Turns blocks of the file into text; a long line's pieces show its time only once."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._rest = b""
        self._in_line = False

    def text(self, block: bytes) -> bytes:
        *lines, self._rest = (self._rest + block).split(b"\n")
        return b"".join(self._text(line) for line in lines)

    def _text(self, line: bytes) -> bytes:
        entry = parse(line)
        if entry is None or (self._view.since is not None and _time(entry.stamp) < self._view.since):
            return b""
        stamp = entry.stamp + b" " if self._view.timestamps and not self._in_line else b""
        self._in_line = entry.partial
        return stamp + entry.text + (b"" if entry.partial else b"\n")


def _time(stamp: bytes) -> datetime:
    """Nanoseconds are cut to microseconds, which is all that datetime holds."""
    whole, _, fraction = stamp.decode().rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{(fraction or '0')[:6]:0<6}").replace(tzinfo=UTC)


def _seek_tail(file: BinaryIO, tail: int | None) -> None:
    """Put the file at the start of its last `tail` lines. Pieces of a long line count, as in Kubernetes."""
    if tail is None:
        return
    end = position = file.seek(0, os.SEEK_END)
    found = -1  # the last line's own line feed is not counted
    while position > 0:
        size = min(BLOCK, position)
        position -= size
        file.seek(position)
        block = file.read(size)
        while (index := block.rfind(b"\n")) >= 0:
            found += 1
            if found == tail:
                file.seek(position + index + 1)
                return
            block = block[:index]
    file.seek(end if tail == 0 else 0)
