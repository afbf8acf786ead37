"""The first process of a container: it holds the container's namespaces, reaps its orphans, and does nothing else.

A PID namespace lives as long as its first process. Killing this one is how a container ends: the kernel then kills all
that is in it, at once and without exception. The container's own program is not the first process, so that signals do
to it what they do anywhere (the first process of a namespace ignores SIGTERM unless it asks for it).
"""

import os
import signal
import socket
from typing import NamedTuple

from semafor.kube.node import root, syscalls
from semafor.kube.node.process import Namespaces
from semafor.kube.node.spec import Container, StartError

_READY = b"ready"


class Holder(NamedTuple):
    """A container's first process and its namespaces."""

    pid: int
    namespaces: Namespaces

    def close(self) -> None:
        os.close(self.namespaces.pid)
        if self.namespaces.mount is not None:
            os.close(self.namespaces.mount)


def hold(container: Container, stage: str, own_pid_ns: int) -> Holder:
    """Make the container's namespaces and its root. Raises StartError with what the kernel refused."""
    ours, theirs = socket.socketpair()
    pid = syscalls.fork_first(own_pid_ns)
    if pid == 0:
        _be_first(container, stage, theirs)
    theirs.close()
    with ours:
        answer = ours.recv(4096)
    if answer != _READY:
        os.waitpid(pid, 0)
        message = answer.decode() or "its first process was killed"
        raise StartError("RunContainerError", f"cannot make the container's root: {message}")
    pid_ns = os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY)
    mount_ns = None if container.root is None else os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
    return Holder(pid, Namespaces(own_pid_ns, pid_ns, mount_ns))


def _be_first(container: Container, stage: str, report: socket.socket) -> None:
    """Never returns."""
    try:
        syscalls.set_name("semafor-holder")
        if container.root is not None:
            root.enter(container.root, container.mounts, stage)
        # Ignored children are reaped by the kernel.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        report.send(_READY)
        os.closerange(0, os.sysconf("SC_OPEN_MAX"))
        while True:
            signal.pause()
    except BaseException as error:  # noqa: BLE001  (whatever it is, the supervisor must hear of it)
        report.send(str(error).encode()[:4096])
    os._exit(1)
