"""What the processes of a mesh cost, read from /proc: which there are, their memory, their time on a CPU."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_KB_PER_MB = 1024


@dataclass(frozen=True)
class Process:
    """`hostname` is the pod's name for the processes of a pod's containers."""

    pid: int
    command: tuple[str, ...]
    hostname: str

    @property
    def is_envoy(self) -> bool:
        return bool(self.command) and Path(self.command[0]).name == "envoy"

    @property
    def is_ours(self) -> bool:
        """Whether it holds up pods: the agent, or a pod's supervisor and what belongs to it."""
        return "semafor.app.agent" in self.command


def children(pid: int) -> list[Process]:
    """The processes that `pid` started and that have not ended."""
    return [_process(child) for child in _by_parent().get(pid, ())]


def below(pid: int) -> list[Process]:
    """The processes that descend from `pid`."""
    table = _by_parent()
    found, waiting = [], [pid]
    while waiting:
        for child in table.get(waiting.pop(), ()):
            waiting.append(child)
            found.append(_process(child))
    return found


def private_mb(pid: int) -> float | None:
    """Memory that would be free without the process; None when it may not be read or has ended."""
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    fields = {line.split(":")[0]: line.split() for line in lines}
    return sum(int(fields[name][1]) for name in ("Private_Clean", "Private_Dirty")) / _KB_PER_MB


def cpu_ns(pids: Iterable[int]) -> int:
    """Nanoseconds that all threads of the processes have been on a CPU."""
    tasks = (task for pid in pids for task in (_PROC / str(pid) / "task").iterdir())
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def pin(pids: Iterable[int], cpu: int) -> None:
    """Let all threads of the processes run on one CPU only."""
    for pid in pids:
        for task in (_PROC / str(pid) / "task").iterdir():
            os.sched_setaffinity(int(task.name), {cpu})


def _by_parent() -> dict[int, list[int]]:
    table: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (parent := _parent(entry)):
            table.setdefault(parent, []).append(int(entry.name))
    return table


def _parent(entry: Path) -> int:
    try:
        stat = (entry / "stat").read_text()
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])


def _process(pid: int) -> Process:
    folder = _PROC / str(pid)
    command = tuple(part.decode(errors="replace") for part in _read(folder / "cmdline").split(b"\0") if part)
    variables = _read(folder / "environ").split(b"\0")
    hostname = next((each[9:].decode() for each in variables if each.startswith(b"HOSTNAME=")), "")
    return Process(pid=pid, command=command, hostname=hostname)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
