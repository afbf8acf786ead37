"""The file system of a container: from the plan of its root to a process that sees nothing else.

The caller is the first process in the container's PID namespace, in the pod's other namespaces, with all capabilities
of the node's user namespace. Afterwards the host's files are out of reach.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from semafor.kube.images import mounts
from semafor.kube.images.mounts import MountOp
from semafor.kube.node import syscalls
from semafor.kube.node.spec import Mount
from semafor.kube.node.syscalls import MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_REC, MS_SLAVE

SHARED_MEMORY = "/dev/shm"  # noqa: S108  (not a temporary file of ours: the place POSIX shared memory has on Linux)
_QUIET = MS_NOSUID | MS_NODEV | MS_NOEXEC

# An ordinary user cannot make device nodes, so the host's are shown.
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
)
# What container runtimes hide, and what they make read-only. Source: the defaults of containerd and Docker.
_MASKED_FILES = ("kcore", "keys", "latency_stats", "timer_list", "sched_debug", "interrupts", "sysrq-trigger")
_MASKED_FOLDERS = ("proc/acpi", "proc/scsi", "proc/asound", "sys/firmware", "sys/devices/virtual/powercap")
_READ_ONLY = ("bus", "fs", "irq", "sys")


def enter(plan: Sequence[MountOp], extra: Sequence[Mount], stage: str) -> None:
    """Build the root on `stage`, any existing folder, in a new mount namespace, and make it `/`.

    Raises OSError (MountError) at the first mount that is refused.
    """
    separate()
    mounts.execute(plan, stage)
    _system(stage)
    for mount in extra:
        mounts.execute([_operation(mount)], stage)
    mounts.seal(plan, stage)  # after the last mount point has been made
    _mask(stage)
    os.chdir(stage)
    syscalls.pivot_root(".", ".")
    syscalls.umount(".", syscalls.MNT_DETACH)
    os.chdir("/")


def separate() -> None:
    """Enter a new mount namespace: the host's later mounts and unmounts still arrive here, ours stay here."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    mounts.mount(None, "/", None, MS_REC | MS_SLAVE, None)


def mount_proc(path: str) -> None:
    """Show the processes of the caller's PID namespace."""
    mounts.mount("proc", path, "proc", _QUIET, None)


def _operation(mount: Mount) -> MountOp:
    if mount.kind == "tmpfs":
        limit = f",size={mount.size_bytes}" if mount.size_bytes else ""
        return MountOp("tmpfs", mount.target, data=f"mode=1777{limit}")
    source = held(mount.source) if mount.settled else mount.source
    return MountOp("bind", mount.target, source=source, read_only=mount.read_only)


def held(path: str) -> str:
    """The file or folder at `path`, by a name that nobody can turn to another one. Raises OSError where links are.

    A container that shares the volume may swap folders for links between the look at a subPath and its mount.
    """
    return f"/proc/self/fd/{syscalls.open_without_links(path)}"


def _system(stage: str) -> None:
    mount_proc(mounts.place(stage, "/proc", folder=True))
    # A machine that hides parts of its own /sys (itself a container) gives none; few programs miss it.
    with suppress(OSError):
        mounts.mount("sysfs", mounts.place(stage, "/sys", folder=True), "sysfs", _QUIET | MS_RDONLY, None)
    _devices(stage)


def _devices(stage: str) -> None:
    devices = Path(mounts.place(stage, "/dev", folder=True))
    mounts.mount("tmpfs", str(devices), "tmpfs", MS_NOSUID, "mode=755,size=64k")
    for name in _DEVICES:
        mounts.execute([MountOp("bind", f"/dev/{name}", source=f"/dev/{name}")], stage)
    for name, target in _DEVICE_LINKS:
        (devices / name).symlink_to(target)
    (devices / "pts").mkdir()
    mounts.mount("devpts", f"{devices}/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
    # The pod's, not the host's: the supervisor has mounted it.
    mounts.execute([MountOp("bind", SHARED_MEMORY, source=SHARED_MEMORY)], stage)


def _mask(stage: str) -> None:
    for name in _READ_ONLY:
        path = Path(stage, "proc", name)
        if path.exists():
            mounts.execute([MountOp("bind", f"/proc/{name}", source=str(path), read_only=True)], stage)
    for name in _MASKED_FILES:
        if Path(stage, "proc", name).exists():
            mounts.execute([MountOp("bind", f"/proc/{name}", source="/dev/null")], stage)
    for name in _MASKED_FOLDERS:
        if Path(stage, name).exists():
            mounts.mount("tmpfs", f"{stage}/{name}", "tmpfs", _QUIET | MS_RDONLY, "size=0")
