"""The first process of a pod: it makes the pod's namespaces, starts its containers and reports their ends.

It is forked from the agent, with everything loaded, and runs no thread. It dies with its channel to the daemon: end of
file there means that nobody is left to serve.
"""

import errno
import functools
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import msgspec

from semafor.kube.images import mounts
from semafor.kube.node import channel, holder, memory, network, process, root, syscalls, usage
from semafor.kube.node.channel import Json
from semafor.kube.node.console import Client
from semafor.kube.node.container import Ended, Running
from semafor.kube.node.poller import READ, Poller
from semafor.kube.node.spec import EXEMPT_MARK, NODE_UID, Container, Gone, NodeNetwork, Sandbox, StartError

MEMORY_CHECK_S = 1.0
PREPARED = 2  # first processes of the containers to come: a pod has an app and a sidecar
_QUIET = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
_OWN_NAMESPACES = syscalls.CLONE_NEWNET | syscalls.CLONE_NEWUTS | syscalls.CLONE_NEWIPC

# Where there is one user, whose files `kubectl cp` brings cannot be given to another: GNU tar, as root, would fail.
_ONE_USER = {"TAR_OPTIONS": "--no-same-owner"}

Extra = Callable[[Json, str], Json]  # answers a request of the daemon's, with the pod's private folder


class Folders(NamedTuple):
    """Two folders of the host: one on which containers' roots are built, and one that shows each pod memory of its own.

    That memory is the supervisor's and of those containers that mount the folder.
    """

    stage: str
    private: str


class Reply(NamedTuple):
    """The answer to one request."""

    body: Json
    fds: Sequence[int] = ()  # sent, then closed


def run(
    sandbox: Sandbox, node: NodeNetwork, folders: Folders, daemon: socket.socket, extras: Mapping[str, Extra]
) -> NoReturn:
    """Be the pod `sandbox`, in a process that is alone in a new PID namespace. Never returns.

    `extras` are further requests that it answers.
    """
    try:
        syscalls.set_name("semafor-pod")
        own_pid_ns = os.open("/proc/self/ns/pid", os.O_RDONLY)
        first = [holder.prepare(own_pid_ns) for _ in range(PREPARED)]
        _enter(sandbox, node, folders.private)
        supervisor = Supervisor(folders, daemon, own_pid_ns, first)
        supervisor.answer_also(extras)
        channel.send(daemon, {"event": "ready", "network": Path("/proc/self/ns/net").stat().st_ino})
    except Exception as error:  # noqa: BLE001  (whatever it is, the daemon must hear of it)
        channel.send(daemon, {"event": "failed", "message": str(error)})
        os._exit(1)
    try:
        supervisor.serve()
    finally:
        # Never back into the agent's code. An error of ours is in the agent's log, and ends the pod.
        sys.excepthook(*sys.exc_info())
        os._exit(1)


def _enter(sandbox: Sandbox, node: NodeNetwork, private: str) -> None:
    root.separate()
    root.mount_proc("/proc")
    if sandbox.uid == NODE_UID:
        return
    link = network.PodLink()
    syscalls.unshare(_OWN_NAMESPACES)
    socket.sethostname(sandbox.hostname)
    mounts.mount("tmpfs", root.SHARED_MEMORY, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, "mode=1777,size=64m")
    mounts.mount("tmpfs", private, "tmpfs", _QUIET, "mode=0700,size=256k")
    link.plug(sandbox, node)


class Supervisor:
    """Answers the daemon's requests, one at a time, in order."""

    def __init__(self, folders: Folders, daemon: socket.socket, own_pid_ns: int, first: list[holder.Waiting]) -> None:
        self._folders = folders
        self._daemon = daemon
        self._own_pid_ns = own_pid_ns
        self._first = first
        self._poller = Poller()
        self._containers: dict[str, Running] = {}
        self._commands: dict[int, int] = {}  # pid -> the daemon's number for it
        self._answers: dict[str, Callable[[Json, list[int]], Reply]] = {
            "run": self._run,
            "signal": self._signal,
            "exec": self._exec,
            "kill": self._kill,
            "attach": self._attach,
            "connect": self._connect,
            "usage": self._usage,
        }
        self._wake = self._catch_ends()

    def answer_also(self, extras: Mapping[str, Extra]) -> None:
        """Take these further requests."""
        for op, answer in extras.items():
            self._answers[op] = functools.partial(self._extra, answer)

    def serve(self) -> NoReturn:
        self._poller.watch(self._daemon.fileno(), READ, lambda _: self._request())
        self._poller.watch(self._wake, READ, lambda _: self._reap())
        checked_at = 0.0
        while True:
            limited = [c for c in self._containers.values() if c.spec.memory_bytes]
            self._poller.wait(MEMORY_CHECK_S if limited else None)
            if limited and time.monotonic() - checked_at >= MEMORY_CHECK_S:
                checked_at = time.monotonic()
                memory.enforce(limited)

    # ---- requests

    def _request(self) -> None:
        message = channel.receive(self._daemon)
        if message is None:
            os._exit(0)  # and with it all that runs in the pod
        body, fds = message
        try:
            reply = self._answers[body["op"]](body, fds)
        except StartError as error:
            reply = Reply({"error": {"reason": error.reason, "message": error.message, "code": error.code}})
        except Gone as error:
            reply = Reply({"error": {"reason": "Gone", "message": str(error)}})
        except Exception as error:  # noqa: BLE001  (one request may fail; the pod goes on)
            reply = Reply({"error": {"reason": "RunContainerError", "message": f"{type(error).__name__}: {error}"}})
        channel.send(self._daemon, {"id": body["id"], **reply.body}, reply.fds)
        for fd in (*fds, *reply.fds):
            os.close(fd)

    def _extra(self, answer: Extra, body: Json, _: list[int]) -> Reply:
        return Reply(answer(body, self._folders.private))

    def _run(self, body: Json, _: list[int]) -> Reply:
        spec = msgspec.convert(body["container"], Container)
        if spec.name in self._containers:
            raise StartError("RunContainerError", f"container {spec.name} is running already")
        first = self._first.pop() if self._first else holder.prepare(self._own_pid_ns)
        if any(mount.source == self._folders.private for mount in spec.mounts):
            self._give_private_memory(spec)
        self._containers[spec.name] = Running(spec, first, self._folders.stage, self._own_pid_ns, self._poller)
        return Reply({})

    def _give_private_memory(self, spec: Container) -> None:
        """To the user as whom the container runs; what is made there later takes after the folder."""
        uid = spec.uid if process.is_mapped("uid", spec.uid) else 0
        gid = spec.gid if process.is_mapped("gid", spec.gid) else 0
        folder = Path(self._folders.private)
        for path in (folder, *folder.iterdir()):
            os.chown(path, uid, gid)

    def _signal(self, body: Json, _: list[int]) -> Reply:
        self._find(body["container"]).signal(body["signal"])
        return Reply({})

    def _exec(self, body: Json, fds: list[int]) -> Reply:
        running = self._find(body["container"])
        spec = running.spec
        env = ({} if process.is_mapped("uid", 1) else _ONE_USER) | dict(spec.env) | dict(body["env"])
        stdio = None if body["tty"] else (fds[0], fds[1], fds[2])
        command = running.command(tuple(body["argv"]), env, body["cwd"] or spec.cwd, stdio)
        started = running.execute(command)
        self._commands[started.pid] = body["id"]
        return Reply({}, (started.terminal,) if started.terminal >= 0 else ())

    def _kill(self, body: Json, _: list[int]) -> Reply:
        for pid, number in self._commands.items():
            if number == body["command"]:
                os.killpg(pid, signal.SIGKILL)
        return Reply({})

    def _attach(self, body: Json, fds: list[int]) -> Reply:
        running = self._find(body["container"])
        pipes = [os.dup(fd) for fd in fds]
        client = Client(pipes[0], pipes[1] if len(pipes) > 1 else -1)
        given = running.attach(client, stdin=body["stdin"])
        return Reply({"tty": running.spec.tty}, (given,) if given >= 0 else ())

    def _connect(self, body: Json, _: list[int]) -> Reply:
        """Begin to connect; the daemon waits for the outcome, so that a slow peer holds up nobody here."""
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, EXEMPT_MARK)
        made.settimeout(0)
        number = made.connect_ex((body["host"], body["port"]))
        if number not in (0, errno.EINPROGRESS):
            made.close()
            return Reply({"errno": number})
        return Reply({}, (made.detach(),))

    def _usage(self, _: Json, __: list[int]) -> Reply:
        return Reply({"containers": usage.read(self._containers.values())})

    def _find(self, name: str) -> Running:
        found = self._containers.get(name)
        if found is None:
            raise Gone(f"container {name} is not running")
        return found

    # ---- the ends of processes

    def _catch_ends(self) -> int:
        """A descriptor that is ready whenever a child has ended."""
        wake, woken = os.pipe()
        for end in (wake, woken):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        return wake

    def _reap(self) -> None:
        os.read(self._wake, 4096)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._reaped(pid, status)

    def _reaped(self, pid: int, status: int) -> None:
        number = self._commands.pop(pid, None)
        if number is not None:
            code = os.waitstatus_to_exitcode(status)
            channel.send(
                self._daemon, {"event": "command", "command": number, "code": code if code >= 0 else 128 - code}
            )
        for name, running in list(self._containers.items()):
            if pid in running.children:
                ended = running.reaped(pid, status)
                if ended:
                    del self._containers[name]
                    self._report(name, ended)

    def _report(self, name: str, ended: Ended) -> None:
        reason = "OOMKilled" if ended.out_of_memory else "Error" if ended.code else "Completed"
        event = {"event": "exit", "container": name, "code": ended.code, "signal": ended.signal}
        channel.send(self._daemon, {**event, "finished_at": ended.finished_at, "reason": reason})
