"""Programs in containers as their clients hold them: `Command` by exec, `Attached` to a container's own.

Both are what `kube.api.node.Process` asks for.
"""

import asyncio
import os

from semafor.kube.node import channel
from semafor.kube.node.channel import Json
from semafor.kube.node.peer import Peer
from semafor.kube.node.spec import Gone
from semafor.kube.node.stdio import Input, Output


class Program:
    """A running program: its streams, its terminal, its end."""

    def __init__(self) -> None:
        self._input: Input | None = None
        self._stdin_wanted = False
        self._stdout = Output(-1)
        self._stderr = Output(-1)
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def stdin(self) -> Input | None:
        return self._input if self._stdin_wanted else None

    @property
    def stdout(self) -> Output:
        return self._stdout

    @property
    def stderr(self) -> Output:
        return self._stderr

    def resize(self, rows: int, cols: int) -> None:
        """Set the terminal's size; without a terminal nothing happens."""
        if self._input:
            self._input.resize(rows, cols)

    async def wait(self) -> int:
        """The exit code; 128 + the signal's number when a signal ended it."""
        return await asyncio.shield(self._code)

    def finish(self, code: int) -> None:
        """Tell those who wait that it has ended."""
        if not self._code.done():
            self._code.set_result(code)

    def kill(self) -> None:
        """Let go of the streams."""
        if self._input:
            self._input.release()
        self._stdout.close()
        self._stderr.close()


class Command(Program):
    """A program started in a container."""

    def __init__(self, peer: Peer, number: int, *, tty: bool, stdin: bool) -> None:
        super().__init__()
        self._peer = peer
        self._number = number
        self._tty = tty
        self._stdin_wanted = stdin
        self._killing: asyncio.Task[None] | None = None

    async def start(self, body: Json) -> None:
        """Start it. Raises StartError, Gone."""
        if self._tty:
            message = await self._peer.request({"op": "exec", **body}, number=self._number)
            (terminal,) = message.fds
            self._input = Input(os.dup(terminal), terminal=True)
            self._stdout = Output(terminal)
            return
        ours, theirs = _pipes(stdin=self._stdin_wanted)
        try:
            await self._peer.request({"op": "exec", **body}, theirs, number=self._number)
        except BaseException:
            channel.close_all([fd for fd in ours if fd >= 0])
            raise
        finally:
            channel.close_all(theirs)
        self._input = Input(ours[0], terminal=False) if ours[0] >= 0 else None
        self._stdout, self._stderr = Output(ours[1]), Output(ours[2])

    def kill(self) -> None:
        """Kill it and what it has started."""
        if not self._code.done():
            self._killing = asyncio.ensure_future(self._kill())
        super().kill()

    async def _kill(self) -> None:
        try:
            await self._peer.request({"op": "kill", "command": self._number})
        except Gone:
            return  # it has ended with its pod


class Attached(Program):
    """A connection to a container's main process."""

    async def start(self, peer: Peer, container: str, *, stdin: bool) -> None:
        """Connect. Raises Gone."""
        ours, theirs = _pipes(stdin=False)
        try:
            request = {"op": "attach", "container": container, "stdin": stdin}
            message = await peer.request(request, theirs[1:])
        except BaseException:
            channel.close_all(ours[1:])
            raise
        finally:
            channel.close_all(theirs)
        self._stdout, self._stderr = Output(ours[1]), Output(ours[2])
        self._stdin_wanted = stdin
        if message.fds:
            self._input = Input(message.fds[0], terminal=message.body["tty"])


def _pipes(*, stdin: bool) -> tuple[list[int], list[int]]:
    """Three pipes: our ends, and the program's; without stdin it reads /dev/null and our end is -1."""
    if stdin:
        their_stdin, our_stdin = os.pipe()
    else:
        their_stdin, our_stdin = os.open(os.devnull, os.O_RDONLY), -1
    our_stdout, their_stdout = os.pipe()
    our_stderr, their_stderr = os.pipe()
    return [our_stdin, our_stdout, our_stderr], [their_stdin, their_stdout, their_stderr]
