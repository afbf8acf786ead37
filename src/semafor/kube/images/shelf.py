"""Where layers and images lie on the disk: whole or not at all, also after a kill.

    layers/<key>/   one folder for each step; the key names what the step was made of, so it never changes
    refs/<name>     one JSON file for each name: an Image
    work/<name>/    steps under way; a lock tells those of living builds from leftovers
    cache/          what downloads may share between builds

A layer appears by one rename, a name by another, after its layers. Two builds that make the same layer both win.
Who uses a layer holds a shared lock on its folder, so that another process's `collect` leaves it alone.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from semafor.kube.images.image import Image


class Shelf:
    """The folder of images of one home. Layers that it has handed out stay, as long as it lives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._layers, self._refs, self._work = (folder / name for name in ("layers", "refs", "work"))
        self._held: dict[str, int] = {}
        weakref.finalize(self, _release, self._held)

    def layer(self, key: str) -> Path | None:
        """A finished layer; None when there is none. It is marked as used now, and held."""
        path = self._layers / key
        if not self._hold(path):
            return None
        os.utime(path)
        return path

    def _hold(self, path: Path) -> bool:
        """Lock a layer against removal; False when there is none."""
        if path.name in self._held and path.exists():
            return True
        try:
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            return False
        fcntl.flock(lock, fcntl.LOCK_SH)
        if not path.exists():  # it was being removed
            os.close(lock)
            return False
        _release({path.name: self._held.pop(path.name, -1)})
        self._held[path.name] = lock
        return True

    def make_layer(self, key: str, fill: Callable[[Path], None]) -> Path:
        """The layer, made by `fill` in an empty folder when it is not there yet."""
        found = self.layer(key)
        if found:
            return found
        with self.workspace() as work:
            made = work / "layer"
            made.mkdir(mode=0o755)
            fill(made)
            return self.keep(key, made)

    def keep(self, key: str, made: Path) -> Path:
        """Move a finished folder to its place; when another build was faster, theirs stays."""
        self._layers.mkdir(parents=True, exist_ok=True)
        target = self._layers / key
        try:
            made.rename(target)
        except OSError:
            if not target.is_dir():
                raise
        self._hold(target)
        return target

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """A new folder for work under way, removed at the end; one that a killed process left is removed later."""
        self._work.mkdir(parents=True, exist_ok=True)
        path, lock = self._locked_folder()
        try:
            yield path
        finally:
            os.close(lock)
            remove_tree(path)

    def _locked_folder(self) -> tuple[Path, int]:
        while True:
            path = Path(tempfile.mkdtemp(dir=self._work))
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():  # another process may have cleaned it up before it was locked
                return path, lock
            os.close(lock)

    def cache(self, name: str) -> Path:
        """A folder that builds share, such as pip's downloads."""
        path = self.folder / "cache" / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def read(self, ref: str) -> Image | None:
        """The image of a full name; None when there is none, or one of its layers is gone."""
        return self._decode(self._refs / _file_name(ref))

    def write(self, image: Image) -> None:
        """Give the image its name, in place of whatever had it."""
        self._refs.mkdir(parents=True, exist_ok=True)
        with self.workspace() as work:
            draft = work / "ref"
            keys = tuple(Path(layer).name for layer in image.layers)
            draft.write_bytes(msgspec.json.encode(msgspec.structs.replace(image, layers=keys)))
            draft.rename(self._refs / _file_name(image.ref))

    def forget(self, ref: str) -> bool:
        """Take a name away; False when there was none. Its layers stay until `collect`."""
        path = self._refs / _file_name(ref)
        existed = path.exists()
        path.unlink(missing_ok=True)
        return existed

    def images(self) -> tuple[Image, ...]:
        """All built images, by name."""
        found = (self._decode(path) for path in self._refs.glob("*.json"))
        return tuple(sorted((image for image in found if image), key=lambda image: image.ref))

    def collect(self, *, unused_for_s: float, now: float | None = None) -> int:
        """Remove layers that no image uses; the bytes that this frees.

        `unused_for_s` spares those that a build used more recently, because they are its cache. What a living process
        holds, this one too, stays.
        """
        used = {Path(layer).name for image in self.images() for layer in image.layers}
        before = (time.time() if now is None else now) - unused_for_s
        waste = [path for path in self._layers.glob("*") if path.name not in used and path.stat().st_mtime <= before]
        return sum(self._discard(path) for path in waste)

    def _discard(self, path: Path) -> int:
        with _unless_locked(path) as free, self.workspace() as work:
            if not free:
                return 0
            size = tree_size(path)
            path.rename(work / "layer")
            return size

    def clean(self) -> None:
        """Remove what killed builds left behind."""
        for path in self._work.glob("*"):
            with _unless_locked(path) as free:
                if free:
                    remove_tree(path)

    def _decode(self, path: Path) -> Image | None:
        try:
            image = msgspec.json.decode(path.read_bytes(), type=Image)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        layers = tuple(str(self._layers / name) for name in image.layers)
        whole = all(self._hold(Path(layer)) for layer in layers)
        return msgspec.structs.replace(image, layers=layers) if whole else None


def _release(held: dict[str, int]) -> None:
    for lock in held.values():
        if lock >= 0:
            os.close(lock)
    held.clear()


@contextlib.contextmanager
def _unless_locked(path: Path) -> Iterator[bool]:
    """True when no living process holds the folder's lock; it is ours inside the block."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(lock)


def _file_name(ref: str) -> str:
    return f"{quote(ref, safe='')}.json"


def key(*parts: Any) -> str:
    """A short name for what a layer is made of (JSON values): equal parts, equal key."""
    text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"), default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def identity(*parts: Any) -> str:
    """An image's id, as Docker writes them."""
    return f"sha256:{hashlib.sha256(key(*parts).encode()).hexdigest()}"


def tree_size(path: Path) -> int:
    """The bytes that a folder's files take on the disk."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            found = os.lstat(f"{folder}/{name}")
            total += found.st_blocks * 512 if stat.S_ISREG(found.st_mode) else 0
    return total


def remove_tree(path: Path) -> None:
    """Remove a folder whatever its permissions; overlayfs leaves some without any."""
    for folder, names, _ in os.walk(path):
        for name in names:
            below = Path(folder, name)
            if not below.is_symlink():
                below.chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)
