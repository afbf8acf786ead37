"""Carry out a list of mounts. Standard library only: it runs in fresh processes where nothing else is loaded.

The caller has entered a new user namespace and a new mount namespace, and has made mounts private; afterwards it
mounts /proc and /dev and calls pivot_root. Nothing here reaches outside the new root: links in an image's layers
are followed as if the new root were `/`.
"""

# Paths of another root are plain text here, and pathlib would double the start of these processes.
# ruff: noqa: PTH101, PTH102, PTH103, PTH115, PTH116, PTH120

import ctypes
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = -100, 0x8000, 1
# The same number on every architecture, as all system calls since Linux 5.1.
SYS_MOUNT_SETATTR = 442
# A path may pass through this many links, as in Linux itself.
MAX_LINKS = 40


class MountOp(NamedTuple):
    """One step. `target` is a path in the new root; a missing one is made (a folder, or a file when the source is one).

    overlay: `lowers`, top first, are folders of the host; those that do not exist are skipped. `upper` and `work`
    take what is written and are made; with an empty `upper` the result is read-only. With `read_only` it becomes so
    when `seal` is called, after mount points for volumes have been made in it.
    bind: `source` is a file or folder of the host, with all that is mounted below it.
    tmpfs: an empty, writable folder in memory; `data` are its mount options.
    """

    kind: Literal["overlay", "bind", "tmpfs"]
    target: str
    source: str = ""
    lowers: tuple[str, ...] = ()
    upper: str = ""
    work: str = ""
    read_only: bool = False
    data: str = ""


class MountError(OSError):
    """A mount was refused. The message names it and says what usually helps."""


_libc = ctypes.CDLL(None, use_errno=True)


def execute(ops: Sequence[MountOp], new_root: str) -> None:
    """Carry out the mounts below `new_root`, an existing folder. Raises MountError at the first that fails.

    `ops` may be the rows of a JSON document. The working directory is restored.
    """
    for op in ops:
        _OPERATIONS[op[0]](MountOp(*op), new_root)


def seal(ops: Sequence[MountOp], new_root: str) -> None:
    """Make the overlays read-only that are meant to be, once everything else is mounted in them."""
    for row in ops:
        op = MountOp(*row)
        if op.kind == "overlay" and op.read_only:
            _make_read_only(place(new_root, op.target, folder=True), below=False)


def _overlay(op: MountOp, new_root: str) -> None:
    target = place(new_root, op.target, folder=True)
    lowers = [lower for lower in op.lowers if stat.S_ISDIR(_mode(lower))]
    if op.upper:
        os.makedirs(op.upper, exist_ok=True)
        os.makedirs(op.work, exist_ok=True)
        # A fresh upper folder hides the attributes of the merged one, so it must look like it.
        os.chmod(op.upper, stat.S_IMODE(_mode(lowers[0])))
    elif len(lowers) == 1:
        _bind(MountOp("bind", op.target, source=lowers[0], read_only=True), new_root)
        return
    # Short relative names, because the kernel takes one page (4096 bytes) of options.
    base = os.path.dirname(lowers[0])
    with _working_directory(base):
        options = f"lowerdir={':'.join(_option(base, lower) for lower in lowers)}"
        if op.upper:
            options += f",upperdir={_option(base, op.upper)},workdir={_option(base, op.work)}"
        # userxattr: without it a user namespace may not record deletions of whole folders.
        mount("overlay", target, "overlay", MS_NODEV, f"{options},userxattr")


def _bind(op: MountOp, new_root: str) -> None:
    target = place(new_root, op.target, folder=stat.S_ISDIR(_mode(op.source)))
    mount(op.source, target, None, MS_BIND | MS_REC, None)
    if op.read_only:
        _make_read_only(target)


def _tmpfs(op: MountOp, new_root: str) -> None:
    target = place(new_root, op.target, folder=True)
    mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, op.data or None)


_OPERATIONS = {"overlay": _overlay, "bind": _bind, "tmpfs": _tmpfs}


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None) -> None:
    """Call mount(2). Raises MountError."""
    encoded = [text if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    if _libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]) != 0:
        raise _error(f"mount {kind or 'bind'} {source} on {target}", kind)


def _make_read_only(target: str, *, below: bool = True) -> None:
    """Make a mount, and all below it, read-only; the flags that a user namespace may not clear stay as they are."""
    attributes = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY, 0, 0, 0)
    arguments = (ctypes.c_int(AT_FDCWD), os.fsencode(target), ctypes.c_uint(AT_RECURSIVE if below else 0))
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    if _libc.syscall(ctypes.c_long(SYS_MOUNT_SETATTR), *arguments, ctypes.byref(attributes), size) != 0:
        raise _error(f"make {target} read-only", None)


def place(new_root: str, path: str, *, folder: bool) -> str:
    """The host's path of `path` in the new root, made when missing, with links followed inside the new root only."""
    parts = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    here, links = "", 0
    while parts:
        part = parts.pop()
        if part == "..":
            here = os.path.dirname(here)
            continue
        step = f"{here}/{part}"
        mode = _mode(new_root + step, follow=False)
        if stat.S_ISLNK(mode):
            links += 1
            if links > MAX_LINKS:
                raise MountError(f"too many links in {path}")
            link = os.readlink(new_root + step)
            here = "" if link.startswith("/") else here
            parts += [part for part in reversed(link.split("/")) if part not in ("", ".")]
            continue
        if mode == 0:
            _make(new_root + step, folder=folder or bool(parts))
        here = step
    return new_root + here


def _make(path: str, *, folder: bool) -> None:
    if folder:
        os.mkdir(path, 0o755)
    else:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))


def _mode(path: str, *, follow: bool = True) -> int:
    """The file's type and permissions; 0 when there is none."""
    try:
        return os.stat(path, follow_symlinks=follow).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _option(base: str, path: str) -> str:
    """A path as an option of overlayfs: relative where that is shorter, with the separators escaped."""
    text = min(path, os.path.relpath(path, base), key=len)
    return text.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")


@contextmanager
def _working_directory(path: str) -> Iterator[None]:
    before = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.chdir(path)
        yield
    finally:
        os.fchdir(before)
        os.close(before)


def _error(what: str, kind: str | None) -> MountError:
    number = ctypes.get_errno()
    hint = ""
    if kind == "overlay":
        hint = (
            "; overlayfs in a user namespace needs Linux 5.11 and a home folder on an ordinary file system"
            " (ext4, xfs, btrfs, tmpfs from Linux 6.6): set SEMAFOR_HOME to one"
        )
    return MountError(number, f"{what}: {os.strerror(number)}{hint}")
