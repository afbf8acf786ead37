"""Choose files in a folder for COPY, and copy them. Standard library only: steps of a build run it inside their root.

A choice never leaves the folder: `..` and links that point outside are refused (a build's folder) or followed as if the
folder were `/` (another image's root).
"""

# Runs where the start of the process counts, on paths relative to an open folder, which pathlib cannot express.
# ruff: noqa: PTH101, PTH102, PTH103, PTH108, PTH112, PTH114, PTH115, PTH119, PTH120, PTH123, PTH208, PTH211

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from semafor.kube.images import ignore

MAX_LINKS = 40


class Item(NamedTuple):
    """One file, folder or link to copy. `target` is relative to the destination; "" is the destination itself."""

    source: str
    target: str
    kind: Literal["file", "folder", "link"]
    mode: int


class RefusedError(ValueError):
    """A path that is missing, is left out, or leads outside."""


class Folder(NamedTuple):
    """Where files are chosen. `strict` refuses links that lead outside instead of keeping them inside."""

    path: str
    strict: bool
    rules: tuple[ignore.Rule, ...] = ()


def select(folder: Folder, pattern: str) -> list[Item]:
    """What one source of COPY means: a file by its name, or all that a folder holds. Sorted. Raises RefusedError."""
    wanted = _inside(pattern)
    matches = sorted(_matches(folder, wanted.split("/"), "")) if ignore.is_pattern(wanted) else [wanted]
    items = [item for match in matches for item in _expand(folder, match)]
    if not matches or (not items and ignore.ignored(wanted, folder.rules)):
        raise RefusedError(f"{pattern}: no such file in the folder, or .dockerignore leaves it out")
    return items


def _inside(pattern: str) -> str:
    """The pattern without `.`, `..` and slashes around. Raises RefusedError when it leaves the folder."""
    parts: list[str] = []
    for part in pattern.split("/"):
        if part == "..":
            if not parts:
                raise RefusedError(f"{pattern} is outside the folder that is built: copy what is needed into it")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _matches(folder: Folder, patterns: Sequence[str], here: str) -> Iterator[str]:
    """The paths below `here` that match one pattern for each level."""
    expression = ignore.expression(patterns[0])
    for name in sorted(os.listdir(f"{folder.path}/{here}")):
        path = f"{here}/{name}" if here else name
        if not expression.fullmatch(name) or ignore.ignored(path, folder.rules):
            continue
        if len(patterns) == 1:
            yield path
        elif os.path.isdir(f"{folder.path}/{path}") and not os.path.islink(f"{folder.path}/{path}"):
            yield from _matches(folder, patterns[1:], path)


def _expand(folder: Folder, match: str) -> list[Item]:
    real = resolve(folder, match)
    found = os.lstat(f"{folder.path}/{real}")
    if stat.S_ISDIR(found.st_mode):
        return list(_walk(folder, real, ""))
    if not stat.S_ISREG(found.st_mode) or ignore.ignored(match, folder.rules):
        return []
    return [Item(real, os.path.basename(match), "file", stat.S_IMODE(found.st_mode))]


def _walk(folder: Folder, source: str, target: str) -> Iterator[Item]:
    """All that a folder holds, folders before what is in them; sockets and devices are passed over."""
    for entry in sorted(os.scandir(f"{folder.path}/{source}"), key=lambda entry: entry.name):
        path = f"{source}/{entry.name}" if source else entry.name
        below = f"{target}/{entry.name}" if target else entry.name
        mode = entry.stat(follow_symlinks=False).st_mode
        kept = not (folder.rules and ignore.ignored(path, folder.rules))
        if stat.S_ISDIR(mode):
            if kept:
                yield Item(path, below, "folder", stat.S_IMODE(mode))
            if kept or ignore.has_exceptions(folder.rules):
                yield from _walk(folder, path, below)
        elif kept and stat.S_ISREG(mode):
            yield Item(path, below, "file", stat.S_IMODE(mode))
        elif kept and stat.S_ISLNK(mode):
            yield Item(path, below, "link", 0o777)


def resolve(folder: Folder, path: str) -> str:
    """The path with links followed inside the folder. Raises RefusedError when there is none or it leads outside."""
    parts = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    here: list[str] = []
    links = 0
    while parts:
        part = parts.pop()
        if part == "..":
            if not here and folder.strict:
                raise RefusedError(f"{path} is a link that leads outside the folder that is built")
            here = here[:-1]
            continue
        step = "/".join((*here, part))
        link = _link(f"{folder.path}/{step}", path)
        if link is None:
            here.append(part)
            continue
        links += 1
        if links > MAX_LINKS or (link.startswith("/") and folder.strict):
            raise RefusedError(f"{path} is a link that leads outside the folder that is built ({step} -> {link})")
        here = [] if link.startswith("/") else here
        parts += [part for part in reversed(link.split("/")) if part not in ("", ".")]
    return "/".join(here)


def _link(full: str, shown: str) -> str | None:
    """Where a link points; None for anything else. Raises RefusedError when there is nothing."""
    try:
        return os.readlink(full)
    except OSError as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise RefusedError(f"{shown}: no such file in the folder, or .dockerignore leaves it out") from None
        return None


def copy(source: int, items: Sequence[Item], destination: str, mode: int | None) -> None:
    """Copy the items of the open folder `source` to a folder; an item without target becomes `destination` itself.

    `mode` replaces the permissions of files and folders where it is not None.
    """
    for item in items:
        target = f"{destination}/{item.target}" if item.target else destination
        os.makedirs(os.path.realpath(os.path.dirname(target)), exist_ok=True)
        _COPIES[item.kind](source, item, target)
        if item.kind != "link":
            os.chmod(target, item.mode if mode is None else mode)


def _copy_file(source: int, item: Item, target: str) -> None:
    if os.path.isdir(target) and not os.path.islink(target):
        raise RefusedError(f"{target} is a folder, so the file {item.source} cannot replace it")
    if os.path.lexists(target):
        os.unlink(target)
    with (
        open(os.open(item.source, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=source), "rb") as reader,
        open(target, "xb") as writer,
    ):
        shutil.copyfileobj(reader, writer, 1 << 20)
        found = os.fstat(reader.fileno())
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))


def _copy_folder(_: int, item: Item, target: str) -> None:
    if not os.path.isdir(target):
        if os.path.lexists(target):
            raise RefusedError(f"{target} is a file, so the folder {item.source} cannot replace it")
        os.mkdir(target)


def _copy_link(source: int, item: Item, target: str) -> None:
    if os.path.lexists(target):
        if os.path.isdir(target) and not os.path.islink(target):
            raise RefusedError(f"{target} is a folder, so the link {item.source} cannot replace it")
        os.unlink(target)
    os.symlink(os.readlink(item.source, dir_fd=source), target)


_COPIES: dict[str, Callable[[int, Item, str], None]] = {
    "file": _copy_file,
    "folder": _copy_folder,
    "link": _copy_link,
}
