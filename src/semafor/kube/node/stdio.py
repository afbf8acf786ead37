"""The daemon's ends of a program's stdin and output: pipes and terminals, at the pace of the other side.

asyncio's own pipe transports read ahead without end and, in uvloop, take no terminals.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import struct
import termios
from collections.abc import Callable

_READ_BYTES = 65536
_END_OF_INPUT = b"\x04"  # what a terminal takes as end of file (Ctrl-D)


class Output:
    """Iterates over what can be read from a pipe or terminal, until its last writer has gone. Owns the descriptor."""

    def __init__(self, fd: int) -> None:
        """`fd` -1 is an output that has ended."""
        self._fd = fd
        if fd >= 0:
            os.set_blocking(fd, False)

    def __aiter__(self) -> "Output":
        return self

    async def __anext__(self) -> bytes:
        while self._fd >= 0:
            try:
                data = os.read(self._fd, _READ_BYTES)
            except BlockingIOError:
                await readable(self._fd)
                continue
            except OSError as error:
                if error.errno != errno.EIO:  # a terminal whose last process has gone
                    raise
                data = b""
            if data:
                return data
            self.close()
        raise StopAsyncIteration

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            asyncio.get_running_loop().remove_reader(fd)
            os.close(fd)


class Input:
    """Writes to a program's stdin. Owns the descriptor."""

    def __init__(self, fd: int, *, terminal: bool) -> None:
        self._fd = fd
        self._terminal = terminal
        os.set_blocking(fd, False)

    async def write(self, data: bytes) -> None:
        """Write all of it, waiting while the program is slow to read; dropped when the program has gone."""
        rest = memoryview(data)
        while rest and self._fd >= 0:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                await writable(self._fd)
            except OSError:
                self.release()

    async def close(self) -> None:
        """Send end of file. Closing twice is allowed."""
        if self._terminal:
            await self.write(_END_OF_INPUT)
        self.release()

    def resize(self, rows: int, cols: int) -> None:
        if self._terminal and self._fd >= 0:
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def release(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            asyncio.get_running_loop().remove_writer(fd)
            os.close(fd)


async def readable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    await _ready(fd, loop.add_reader, loop.remove_reader)


async def writable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    await _ready(fd, loop.add_writer, loop.remove_writer)


async def _ready(fd: int, watch: Callable[..., object], forget: Callable[[int], object]) -> None:
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    watch(fd, wake)
    try:
        await ready
    finally:
        forget(fd)
