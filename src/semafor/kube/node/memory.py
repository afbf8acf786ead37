"""Memory limits without cgroups, which an ordinary user seldom may make: look every second, kill what is over.

Counted is what a container has for itself (anonymous and shared memory), not the program files that all share. The end
is reported as Kubernetes does for its own limit: OOMKilled, exit code 137.
"""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from semafor.kube.node.container import Running
from semafor.kube.node.spec import Gone

_COUNTED = ("RssAnon:", "RssShmem:", "VmSwap:")


def enforce(limited: Iterable[Running]) -> None:
    """Kill the containers that use more than their limit."""
    used = _used_bytes()
    for running in limited:
        if used.get(running.pid_namespace, 0) > running.spec.memory_bytes:
            running.out_of_memory = True
            with suppress(Gone):  # it is ending already
                running.signal(signal.SIGKILL)


def _used_bytes() -> dict[int, int]:
    """What the processes of each PID namespace use, by its inode."""
    used: dict[int, int] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError):  # it has ended meanwhile
                namespace = Path(entry.path, "ns/pid").stat().st_ino
                used[namespace] = used.get(namespace, 0) + process_bytes(Path(entry.path, "status"))
    return used


def process_bytes(status: Path) -> int:
    """What a process has for itself, by its file `status`."""
    lines = (line.split() for line in status.read_text().splitlines())
    return sum(int(words[1]) * 1024 for words in lines if words[0] in _COUNTED)
