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
        self._file = _File(fd)

    def __aiter__(self) -> "Output":
        return self

    async def __anext__(self) -> bytes:
        while self._file.fd >= 0:
            try:
                data = os.read(self._file.fd, _READ_BYTES)
            except BlockingIOError:
                await self._file.readable()
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
        """Let go; whoever iterates sees the end."""
        self._file.close()


class Input:
    """Writes to a program's stdin. Owns the descriptor."""

    def __init__(self, fd: int, *, terminal: bool) -> None:
        self._file = _File(fd)
        self._terminal = terminal

    async def write(self, data: bytes) -> None:
        """Write all of it, waiting while the program is slow to read; dropped when the program has gone."""
        rest = memoryview(data)
        while rest and self._file.fd >= 0:
            try:
                rest = rest[os.write(self._file.fd, rest) :]
            except BlockingIOError:
                await self._file.writable()
            except OSError:
                self.release()

    async def close(self) -> None:
        """Send end of file. Closing twice is allowed."""
        if self._terminal:
            await self.write(_END_OF_INPUT)
        self.release()

    def resize(self, rows: int, cols: int) -> None:
        if self._terminal and self._file.fd >= 0:
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._file.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def release(self) -> None:
        """Let go; whoever writes returns."""
        self._file.close()


class _File:
    """A descriptor that does not block, and at most one who waits for it. Closing it wakes them."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._ready: asyncio.Future[None] | None = None
        if fd >= 0:
            os.set_blocking(fd, False)

    async def readable(self) -> None:
        loop = asyncio.get_running_loop()
        await self._wait(loop.add_reader, loop.remove_reader)

    async def writable(self) -> None:
        loop = asyncio.get_running_loop()
        await self._wait(loop.add_writer, loop.remove_writer)

    async def _wait(self, watch: Callable[..., object], forget: Callable[[int], object]) -> None:
        fd = self.fd
        self._ready = asyncio.get_running_loop().create_future()
        watch(fd, self._wake)
        try:
            await self._ready
        finally:
            if self.fd == fd:
                forget(fd)

    def _wake(self) -> None:
        if self._ready and not self._ready.done():
            self._ready.set_result(None)

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd < 0:
            return
        if self._ready:
            loop = asyncio.get_running_loop()
            loop.remove_reader(fd)
            loop.remove_writer(fd)
        os.close(fd)
        self._wake()


async def writable(fd: int) -> None:
    """Wait until `fd` takes more. Who closes it meanwhile must shut it down first."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(fd, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_writer(fd)
