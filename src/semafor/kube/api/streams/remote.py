"""Remote commands: bytes between a client and a process, until the process has ended or the client has gone.

A client that goes away kills nothing: an `exec` gets the end of its stdin and runs on, its output unread; from an
attached container only the connection goes.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

from semafor.kube.api.node import NodeError, Process
from semafor.kube.api.streams.peer import Left, Nothing, Output, Peer, Resize, Stdin, StdinEnd, exit_status, failure
from semafor.kube.api.streams.target import RemoteOptions
from semafor.kube.api.streams.wire import CHUNK_BYTES, Gone

Start = Callable[[], Awaitable[Process]]


class Crew:
    """Tasks that may outlive the request that started them: somebody must read what an abandoned process writes."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run it, and hold it until it ends; the event loop's end cancels it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def serve(peer: Peer, start: Start, options: RemoteOptions, crew: Crew) -> None:
    """Start (or join) the process and serve it to the client, until it has ended or the client has gone."""
    try:
        process = await start()
    except NodeError as error:
        await peer.finish(failure(str(error)))
        return
    await _Run(peer, process, options).serve(crew)


class _Run:
    """One process being served."""

    def __init__(self, peer: Peer, process: Process, options: RemoteOptions) -> None:
        self._peer = peer
        self._process = process
        self._options = options
        self._is_exec = bool(options.argv)
        self._left = asyncio.Event()

    async def serve(self, crew: Crew) -> None:
        copies = [crew.start(copy) for copy in self._copies()]
        ending = crew.start(self._ended(copies))
        try:
            await self._serve(ending)
        finally:
            self._left.set()
            if not self._is_exec:
                self._process.kill()
                for task in (ending, *copies):
                    task.cancel()

    async def _serve(self, ending: asyncio.Task[int]) -> None:
        async with asyncio.TaskGroup() as group:
            feeding = group.create_task(self._feed())
            leaving = group.create_task(self._left.wait())
            either: list[asyncio.Task[Any]] = [ending, leaving]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not self._left.is_set():
                # Attach itself has succeeded, as kubelet says: `kubectl run` takes the exit code from the pod's status,
                # and would take a failure for a sign that it must show the log as well.
                await self._peer.finish(exit_status(ending.result() if self._is_exec else 0))
            feeding.cancel()
            leaving.cancel()

    async def _ended(self, copies: list[asyncio.Task[Any]]) -> int:
        """The exit code, once the process has ended and its output is out."""
        code = await self._process.wait()
        await asyncio.gather(*copies)
        return code

    def _copies(self) -> list[Coroutine[Any, Any, None]]:
        wanted = self._options
        copies = [self._copy("stdout", self._process.stdout, wanted=wanted.stdout)]
        if not wanted.tty:
            copies.append(self._copy("stderr", self._process.stderr, wanted=wanted.stderr))
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
                    if stdin is not None and self._is_exec:
                        await stdin.close()
                    return
                case Nothing() | Stdin() | StdinEnd():
                    continue
