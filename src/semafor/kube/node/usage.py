"""What containers use of processor and memory, without cgroups: the sums over the processes of their PID namespaces.

A process's own time holds that of the children it has waited for, so the sum over those that live is the time of all
that ever lived, but for what was started by `exec` and has ended.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from semafor.kube.node import memory
from semafor.kube.node.container import Running

Json = dict[str, float]

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_UTIME, _AFTER = 11, 15  # utime, stime, cutime, cstime in /proc/PID/stat, counted after the name. Source: proc(5)


def read(containers: Iterable[Running]) -> dict[str, Json]:
    """By the container's name: seconds of processor since it began, and bytes of memory of its own."""
    found: dict[int, Json] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError, ValueError):  # it has ended meanwhile
                _add(found, Path(entry.path))
    nothing = {"cpu_s": 0.0, "bytes": 0.0}
    return {running.spec.name: found.get(running.pid_namespace, nothing) for running in containers}


def _add(found: dict[int, Json], process: Path) -> None:
    namespace = (process / "ns/pid").stat().st_ino
    # The name stands in brackets, and may hold any character.
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    seconds = sum(map(int, fields[_UTIME:_AFTER])) / _TICKS_PER_S
    used = memory.process_bytes(process / "status")
    one = found.setdefault(namespace, {"cpu_s": 0.0, "bytes": 0.0})
    one["cpu_s"] += seconds
    one["bytes"] += used
