"""One running container, seen from its supervisor: its processes, its stdin and output, its end."""

import errno
import os
import signal
import socket
import time
from typing import NamedTuple

from semafor.kube.node import holder, process
from semafor.kube.node.console import Client, Console, Log, Stream
from semafor.kube.node.holder import Waiting
from semafor.kube.node.poller import GONE, READ, WRITE, Poller
from semafor.kube.node.spec import Container, Gone

_READ_BYTES = 65536
_LAST_PIECES = 32  # what a dead program can have left in a pipe: 1 MiB, the kernel's largest, and then some


class Ended(NamedTuple):
    """How the main process ended; `signal` 0: by itself."""

    code: int
    signal: int
    finished_at: float
    out_of_memory: bool


class Running:
    """A started container. `children` are the processes whose end `reaped` must hear of."""

    def __init__(self, spec: Container, first: Waiting, stage: str, own_pid_ns: int, poller: Poller) -> None:
        """Start it. Raises StartError; then nothing is left of it."""
        self.spec = spec
        self.out_of_memory = False
        self._poller = poller
        self._sources: dict[int, Stream] = {}
        self._stdin = -1
        self._ended: tuple[int, float] | None = None
        self._console = Console(Log(spec.log_path) if spec.log_path else None, replay=spec.stdin or spec.tty)
        try:
            self._holder = holder.hold(first, spec, stage, own_pid_ns)
        except BaseException:
            self._console.end()
            raise
        try:
            self._main = self._start()
        except BaseException:
            os.kill(self._holder.pid, signal.SIGKILL)
            os.waitpid(self._holder.pid, 0)
            self._close()
            raise
        self.children = {self._holder.pid, self._main}

    # ---- processes

    def _start(self) -> int:
        spec = self.spec
        ends = Pipes(stdin=spec.stdin) if not spec.tty else None
        try:
            stdio = ends.theirs if ends else None
            started = process.start(self.command(spec.argv, dict(spec.env), spec.cwd, stdio), self._holder.namespaces)
        except BaseException:
            if ends:
                ends.close_ours()
            raise
        finally:
            if ends:
                ends.close_theirs()
        if ends:
            self._stdin = ends.stdin
            self._read_from(ends.stdout, "stdout")
            self._read_from(ends.stderr, "stderr")
        else:
            self._stdin = os.dup(started.terminal)
            self._read_from(started.terminal, "stdout")
        return started.pid

    def command(
        self, argv: tuple[str, ...], env: dict[str, str], cwd: str, stdio: tuple[int, int, int] | None
    ) -> process.Command:
        """A program to start with this container's user and privileges."""
        spec = self.spec
        usual = {"PATH": process.DEFAULT_PATH, "HOSTNAME": socket.gethostname(), "HOME": "/" if spec.uid else "/root"}
        terminal = {} if stdio else {"TERM": "xterm"}
        return process.Command(
            argv=argv,
            env=usual | terminal | env,
            cwd=cwd,
            stdio=stdio,
            # An ordinary user has one user to give, which is uid 0 inside.
            uid=spec.uid if process.is_mapped("uid", spec.uid) else 0,
            gid=spec.gid if process.is_mapped("gid", spec.gid) else 0,
            privileged_net=spec.privileged_net,
        )

    def execute(self, command: process.Command) -> process.Started:
        """Start one more program in this container. Raises StartError, Gone."""
        if self._ended:
            raise Gone(f"container {self.spec.name} has ended")
        return process.start(command, self._holder.namespaces)

    def signal(self, number: int) -> None:
        """Signal the main process; SIGKILL kills all processes. Raises Gone."""
        if self._ended:
            raise Gone(f"container {self.spec.name} has ended")
        try:
            os.kill(self._holder.pid if number == signal.SIGKILL else self._main, number)
        except ProcessLookupError:
            raise Gone(f"container {self.spec.name} is ending") from None

    def reaped(self, pid: int, status: int) -> Ended | None:
        """Note the end of one of `children`. Returns how the container ended, when nothing of it is left."""
        self.children.discard(pid)
        if pid == self._main:
            self._ended = (status, time.time())
            if self._holder.pid in self.children:
                os.kill(self._holder.pid, signal.SIGKILL)
        if self.children or not self._ended:
            return None
        self._close()
        status, finished_at = self._ended
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = 128 + number if number else os.WEXITSTATUS(status)
        return Ended(code, number, finished_at, self.out_of_memory)

    @property
    def pid_namespace(self) -> int:
        """The inode that names this container's PID namespace."""
        return os.fstat(self._holder.namespaces.pid).st_ino

    # ---- stdin and output

    def attach(self, client: Client, *, stdin: bool) -> int:
        """Send output to `client` from now on. Returns a new descriptor to write its stdin (or terminal) to, or -1."""
        self._console.attach(client)
        for pipe in client.pipes():
            self._poller.watch(pipe, 0, lambda events: self._flush(client, events))
        self._flush(client)
        if self._stdin < 0 or not (stdin or self.spec.tty):
            return -1
        given = os.dup(self._stdin)
        if self.spec.stdin_once and stdin and not self.spec.tty:
            os.close(self._stdin)
            self._stdin = -1
        return given

    def _read_from(self, source: int, stream: Stream) -> None:
        os.set_blocking(source, False)
        self._sources[source] = stream
        self._poller.watch(source, READ, lambda _: self._drain(source, pieces=1))

    def _drain(self, source: int, *, pieces: int) -> None:
        while pieces > 0 and self._pump(source):
            pieces -= 1

    def _pump(self, source: int) -> bool:
        """Pass on one piece of output. False: there is none now, or never again."""
        try:
            data = os.read(source, _READ_BYTES)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EIO:  # a terminal whose last process has gone
                raise
            data = b""
        if not data:
            self._drop(source)
            return False
        self._console.write(self._sources[source], data)
        for client in list(self._console.clients):
            self._flush(client)
        return True

    def _flush(self, client: Client, events: int = 0) -> None:
        """Send a client what it takes; wait for it to take more, or hold the container back while it is too slow."""
        alive = not events & GONE and self._console.flush(client)
        for pipe in client.pipes():
            if alive:
                self._poller.change(pipe, WRITE if client.is_waiting(pipe) else 0)
            else:
                self._poller.forget(pipe)
        if not alive:
            self._console.detach(client)
        for source in self._sources:
            self._poller.change(source, 0 if self._console.is_full else READ)

    def _drop(self, source: int) -> None:
        del self._sources[source]
        self._poller.forget(source)
        os.close(source)

    def _close(self) -> None:
        """All processes are dead: read what they left, and let go of everything."""
        for source in list(self._sources):
            self._drain(source, pieces=_LAST_PIECES)
        for source in list(self._sources):
            self._drop(source)
        self._console.end()
        for client in list(self._console.clients):
            self._flush(client)
        self._holder.close()
        if self._stdin >= 0:
            os.close(self._stdin)


class Pipes:
    """The three pipes of a program without a terminal: our ends, and `theirs`. Without stdin it reads /dev/null."""

    def __init__(self, *, stdin: bool) -> None:
        if stdin:
            their_stdin, self.stdin = os.pipe()
        else:
            their_stdin, self.stdin = os.open(os.devnull, os.O_RDONLY), -1
        self.stdout, their_stdout = os.pipe()
        self.stderr, their_stderr = os.pipe()
        self.theirs = (their_stdin, their_stdout, their_stderr)

    def close_theirs(self) -> None:
        for fd in self.theirs:
            os.close(fd)

    def close_ours(self) -> None:
        for fd in (self.stdin, self.stdout, self.stderr):
            if fd >= 0:
                os.close(fd)
