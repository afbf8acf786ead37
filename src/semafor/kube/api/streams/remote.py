"""Remote commands: bytes between a client and a process, until the process has ended or the client has gone.

A client that goes away kills nothing: an `exec` gets the end of its stdin and runs on, its output unread; from an
attached container only the connection goes.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from semafor.kube.api.node import NodeError, Process
from semafor.kube.api.streams.peer import Left, Nothing, Output, Peer, Resize, Stdin, StdinEnd, exit_status, failure
from semafor.kube.api.streams.target import RemoteOptions
from semafor.kube.api.streams.wire import CHUNK_BYTES, Gone

Start = Callable[[], Awaitable[Process]]


async def serve(peer: Peer, start: Start, options: RemoteOptions) -> None:
    """Start (or join) the process and serve it to the client to its end."""
    try:
        process = await start()
    except NodeError as error:
        await peer.finish(failure(str(error)))
        return
    run = _Run(peer, process, options)
    await (run.to_the_end() if options.argv else run.while_attached())


class _Run:
    """One process being served."""

    def __init__(self, peer: Peer, process: Process, options: RemoteOptions) -> None:
        self._peer = peer
        self._process = process
        self._options = options
        self._left = asyncio.Event()

    async def to_the_end(self) -> None:
        """Serve until the process has ended, whether the client is there or not."""
        async with asyncio.TaskGroup() as group:
            feeding = group.create_task(self._feed())
            code = await self._ended(self._outputs(group))
            if not self._left.is_set():
                await self._peer.finish(exit_status(code))
            feeding.cancel()

    async def while_attached(self) -> None:
        """Serve until the container has ended or the client has gone; then let go of it."""
        async with asyncio.TaskGroup() as group:
            outputs = self._outputs(group)
            ending = group.create_task(self._ended(outputs))
            leaving = group.create_task(self._left.wait())
            feeding = group.create_task(self._feed())
            either: list[asyncio.Task[Any]] = [ending, leaving]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not self._left.is_set():
                # As kubelet: attach itself has succeeded. `kubectl run` takes the exit code from the pod's status, and
                # would take a failure for a sign that it must show the log as well.
                await self._peer.finish(exit_status(0))
            self._process.kill()
            for task in (*either, feeding, *outputs):
                task.cancel()

    async def _ended(self, outputs: list[asyncio.Task[None]]) -> int:
        """The exit code, once the process has ended and its output is out."""
        code = await self._process.wait()
        await asyncio.gather(*outputs)
        return code

    def _outputs(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        wanted = self._options
        copies = [group.create_task(self._copy("stdout", self._process.stdout, wanted=wanted.stdout))]
        if not wanted.tty:
            copies.append(group.create_task(self._copy("stderr", self._process.stderr, wanted=wanted.stderr)))
        return copies

    async def _copy(self, output: Output, chunks: AsyncIterator[bytes], *, wanted: bool) -> None:
        """Output to the client; without one, read and drop it, so that the process never waits for nobody."""
        async for chunk in chunks:
            for at in range(0, len(chunk), CHUNK_BYTES):
                if wanted and not self._left.is_set():
                    await self._send(output, chunk[at : at + CHUNK_BYTES])

    async def _send(self, output: Output, data: bytes) -> None:
        try:
            await self._peer.send(output, data)
        except Gone:
            self._left.set()

    async def _feed(self) -> None:
        stdin = self._process.stdin
        while True:
            said = await self._peer.receive()
            match said:
                case Stdin(data) if stdin is not None:
                    with contextlib.suppress(OSError):  # the process has closed its stdin; it may go on without
                        await stdin.write(data)
                case Resize(rows, cols):
                    self._process.resize(rows, cols)
                case StdinEnd() if stdin is not None:
                    await stdin.close()
                case Left():
                    self._left.set()
                    if stdin is not None and self._options.argv:
                        await stdin.close()
                    return
                case Nothing() | Stdin() | StdinEnd():
                    continue
