"""The node: one process that owns the user namespace in which all pods live, and forks a supervisor for each.

    daemon ─▶ agent (host's PID namespace, waits) ─▶ node (first process of the new one) ─▶ supervisors ─▶ containers

`python -m semafor.kube.node.agent FD` is started by `Runtime`, or a program that calls `main` with more that pods are
to answer; FD is its channel. Each process dies with the one
that made it, by the kernel's hand, and a namespace dies with its first process: whoever is killed, and how, nothing
that was below is left: no process, no mount, no interface.

The first process imports next to nothing, for it only waits; the second loads all that supervisors need, so that
forking one is fast and its memory is shared.
"""

import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from semafor.kube.node import syscalls

_NAMESPACES = syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS | syscalls.CLONE_NEWNET | syscalls.CLONE_NEWPID
_NAMESPACES |= syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS


def main(extras: Callable[[], Mapping[str, Any]] = dict) -> NoReturn:
    """`extras` gives what supervisors answer besides (supervisor.Extra), and is called in the second process only."""
    daemon = int(sys.argv[1])
    syscalls.set_name("semafor-agent")
    syscalls.leave_keys_behind()
    enter_namespaces()
    _close_user_namespaces()
    # Only now: a new user namespace forgets it. The daemon may have died before, which its closed channel then shows.
    syscalls.die_with_parent(signal.SIGKILL)
    node = os.fork()
    if node == 0:
        syscalls.die_with_parent(signal.SIGKILL)
        from semafor.kube.node import zygote  # all that is heavy, loaded here only

        zygote.serve(socket.socket(fileno=daemon), extras)
    os.close(daemon)
    _, status = os.waitpid(node, 0)
    sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)


def enter_namespaces() -> None:
    """Enter the node's namespaces, as their root. Raises OSError with what the kernel refused.

    Root keeps every user of the machine; an ordinary user has one, its own, which is uid 0 inside.
    """
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        syscalls.unshare(_NAMESPACES)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        return
    # Only a process outside may map more than one user, so a child stays there until we are in.
    entered, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        os.read(entered, 1)
        os._exit(_map_everyone(os.getppid()))
    syscalls.unshare(_NAMESPACES)
    os.close(go)
    os.close(entered)
    _, status = os.waitpid(child, 0)
    if status:
        raise PermissionError("mapping the users of this machine into a user namespace was refused")


def _close_user_namespaces() -> None:
    """Let no pod make a user namespace, in which it would have all capabilities, and most of the kernel to attack."""
    with suppress(OSError):  # a machine that is a container itself may have its settings sealed
        Path("/proc/sys/user/max_user_namespaces").write_text("0")


def _map_everyone(pid: int) -> int:
    try:
        for kind in ("uid_map", "gid_map"):
            rows = (line.split() for line in Path("/proc/self", kind).read_text().splitlines())
            same = "\n".join(f"{inside} {inside} {count}" for inside, _, count in rows)
            Path("/proc", str(pid), kind).write_text(same)
    except OSError:
        return 1
    return 0


if __name__ == "__main__":
    main()
