"""The first process of a container: it holds the container's namespaces, reaps its orphans, and does nothing else.

A PID namespace lives as long as its first process. Killing this one is how a container ends: the kernel then kills all
that is in it, at once and without exception. The container's own program is not the first process, so that signals do
to it what they do anywhere (the first process of a namespace ignores SIGTERM unless it asks for it).

    supervisor ─fork─▶ holder                        waits, and costs half a megabyte
               ─fork─▶ builder ─ mounts the root ─▶ gives its mount namespace away, and ends
"""

import os
import signal
import socket
from collections.abc import Callable
from typing import NamedTuple

from semafor.kube.node import channel, root, syscalls
from semafor.kube.node.process import Namespaces
from semafor.kube.node.spec import Container, StartError

# Who of a pod's supervisor the holder follows, besides the container's mounts.
_POD_NAMESPACES = syscalls.CLONE_NEWNET | syscalls.CLONE_NEWUTS | syscalls.CLONE_NEWIPC


class Waiting(NamedTuple):
    """A first process that has no container yet."""

    pid: int
    orders: socket.socket


class Holder(NamedTuple):
    """A container's first process and its namespaces."""

    pid: int
    namespaces: Namespaces

    def close(self) -> None:
        os.close(self.namespaces.pid)
        if self.namespaces.mount is not None:
            os.close(self.namespaces.mount)


def prepare(own_pid_ns: int) -> Waiting:
    """Make a first process, in a new PID namespace. The earlier in its maker's life, the less memory it costs."""
    ours, theirs = socket.socketpair()
    pid = syscalls.fork_first(own_pid_ns)
    if pid == 0:
        ours.close()
        _act(lambda: _hold(theirs), theirs)
    theirs.close()
    return Waiting(pid, ours)


def hold(waiting: Waiting, container: Container, stage: str, own_pid_ns: int) -> Holder:
    """Make the container's root and give it its first process. Raises StartError with what the kernel refused."""
    pid_ns = os.open(f"/proc/{waiting.pid}/ns/pid", os.O_RDONLY)
    with waiting.orders as orders:
        try:
            mount_ns = None if container.root is None else _build(container, stage, pid_ns, own_pid_ns)
        except BaseException:
            os.close(pid_ns)
            os.kill(waiting.pid, signal.SIGKILL)
            os.waitpid(waiting.pid, 0)
            raise
        # It follows into the pod and the root, so that nothing else can be seen through it.
        pod = os.pidfd_open(os.getpid())
        socket.send_fds(orders, [b"enter"], [pod] if mount_ns is None else [pod, mount_ns])
        os.close(pod)
        orders.recv(1)
    return Holder(waiting.pid, Namespaces(own_pid_ns, pid_ns, mount_ns))


def _build(container: Container, stage: str, pid_ns: int, own_pid_ns: int) -> int:
    """Make the container's root in a process of its own, which then ends; return its mount namespace."""
    ours, theirs = socket.socketpair()
    pid = syscalls.fork_into(pid_ns, own_pid_ns)
    if pid == 0:
        _act(lambda: _give_root(container, stage, theirs), theirs)
    theirs.close()
    with ours:
        answer, fds = channel.receive_files(ours, 4096)
    os.waitpid(pid, 0)
    if not fds:
        message = answer.decode() or "its builder was killed"
        raise StartError("RunContainerError", f"cannot make the container's root: {message}")
    return fds[0]


def _act(action: Callable[[], None], report: socket.socket) -> None:
    """Be a child process that does one thing; never returns."""
    try:
        action()
    except BaseException as error:  # noqa: BLE001  (whatever it is, the supervisor must hear of it)
        report.send(str(error).encode()[:4096])
    os._exit(0)


def _give_root(container: Container, stage: str, report: socket.socket) -> None:
    root.enter(container.root or (), container.mounts, stage)
    own = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    socket.send_fds(report, [b"made"], [own])


def _hold(orders: socket.socket) -> None:
    """Wait for the root, enter it, and stay for ever. Touch little: each page touched is memory of its own."""
    syscalls.set_name("semafor-holder")
    _, fds = channel.receive_files(orders, 16)
    pod, *mount_ns = fds
    syscalls.setns(pod, _POD_NAMESPACES)
    for fd in mount_ns:
        syscalls.setns(fd, syscalls.CLONE_NEWNS)
    # Ignored children are reaped by the kernel.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.closerange(0, os.sysconf("SC_OPEN_MAX"))
    while True:
        signal.pause()
