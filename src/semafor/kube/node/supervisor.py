"""The first process of a pod: it makes the pod's namespaces, starts its containers and reports their ends.

It is forked from the agent, with everything loaded, and runs no thread. It dies with its channel to the daemon: end of
file there means that nobody is left to serve.
"""

import errno
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

import msgspec

from semafor.kube.images import mounts
from semafor.kube.node import channel, holder, memory, network, root, syscalls
from semafor.kube.node.channel import Json
from semafor.kube.node.console import Client
from semafor.kube.node.container import Ended, Running
from semafor.kube.node.poller import READ, Poller
from semafor.kube.node.spec import EXEMPT_MARK, NODE_UID, Container, Gone, NodeNetwork, Sandbox, StartError

MEMORY_CHECK_S = 1.0
PREPARED = 2  # first processes of the containers to come: a pod has an app and a sidecar
_OWN_NAMESPACES = syscalls.CLONE_NEWNET | syscalls.CLONE_NEWUTS | syscalls.CLONE_NEWIPC


class Reply(NamedTuple):
    """The answer to one request."""

    body: Json
    fds: Sequence[int] = ()  # sent, then closed


def run(sandbox: Sandbox, node: NodeNetwork, stage: str, daemon: socket.socket) -> NoReturn:
    """Be the pod `sandbox`, in a process that is alone in a new PID namespace. Never returns."""
    try:
        syscalls.set_name("semafor-pod")
        own_pid_ns = os.open("/proc/self/ns/pid", os.O_RDONLY)
        first = [holder.prepare(own_pid_ns) for _ in range(PREPARED)]
        _enter(sandbox, node)
        supervisor = Supervisor(stage, daemon, own_pid_ns, first)
        channel.send(daemon, {"event": "ready"})
    except Exception as error:  # noqa: BLE001  (whatever it is, the daemon must hear of it)
        channel.send(daemon, {"event": "failed", "message": str(error)})
        os._exit(1)
    try:
        supervisor.serve()
    finally:
        # Never back into the agent's code. An error of ours is in the agent's log, and ends the pod.
        sys.excepthook(*sys.exc_info())
        os._exit(1)


def _enter(sandbox: Sandbox, node: NodeNetwork) -> None:
    root.separate()
    root.mount_proc("/proc")
    if sandbox.uid == NODE_UID:
        return
    link = network.PodLink()
    syscalls.unshare(_OWN_NAMESPACES)
    socket.sethostname(sandbox.hostname)
    mounts.mount("tmpfs", root.SHARED_MEMORY, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, "mode=1777,size=64m")
    link.plug(sandbox, node)


class Supervisor:
    """Answers the daemon's requests, one at a time, in order."""

    def __init__(self, stage: str, daemon: socket.socket, own_pid_ns: int, first: list[holder.Waiting]) -> None:
        self._stage = stage
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
        }
        self._wake = self._catch_ends()

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

    def _run(self, body: Json, _: list[int]) -> Reply:
        spec = msgspec.convert(body["container"], Container)
        if spec.name in self._containers:
            raise StartError("RunContainerError", f"container {spec.name} is running already")
        first = self._first.pop() if self._first else holder.prepare(self._own_pid_ns)
        self._containers[spec.name] = Running(spec, first, self._stage, self._own_pid_ns, self._poller)
        return Reply({})

    def _signal(self, body: Json, _: list[int]) -> Reply:
        self._find(body["container"]).signal(body["signal"])
        return Reply({})

    def _exec(self, body: Json, fds: list[int]) -> Reply:
        running = self._find(body["container"])
        spec = running.spec
        env = dict(spec.env) | dict(body["env"])
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
