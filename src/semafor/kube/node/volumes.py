"""A pod's volumes as folders of the host, and a container's mounts of them.

Files that come from objects are swapped in one step, as Kubernetes does, so that a reader sees the old state or the
new one and never a mixture:

    volume/..2026_11_22_1/config.yaml     volume/..data -> ..2026_11_22_1     volume/config.yaml -> ..data/config.yaml
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from semafor.kube.node import environment
from semafor.kube.node.payload import File, VolumeError
from semafor.kube.node.spec import Mount

Json = dict[str, Any]

_OF_OBJECTS = frozenset({"configMap", "secret", "downwardAPI", "projected"})
_FOLDERS = ("Directory", "DirectoryOrCreate")
_CHECKS = {
    "Directory": (stat.S_ISDIR, "directory"),
    "File": (stat.S_ISREG, "file"),
    "Socket": (stat.S_ISSOCK, "socket"),
    "CharDevice": (stat.S_ISCHR, "character device"),
    "BlockDevice": (stat.S_ISBLK, "block device"),
}


def swap(folder: Path, files: Mapping[str, File]) -> None:
    """Make `folder` hold exactly `files`, in one step for its readers; do nothing when it does already."""
    folder.mkdir(parents=True, exist_ok=True)
    current = folder / "..data"
    if current.is_symlink() and _same(current, files):
        return
    old = _pointed_to(folder, current)
    fresh = Path(tempfile.mkdtemp(prefix="..", dir=folder))
    fresh.chmod(0o755)
    for path, file in files.items():
        _write(fresh / _inside(path), file)
    pointer = folder / "..data_tmp"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(fresh.name)
    pointer.rename(current)
    _link(folder, {PurePosixPath(path).parts[0] for path in files})
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _pointed_to(folder: Path, current: Path) -> Path | None:
    """What we have pointed to so far: a folder beside the link, whatever the link says by now."""
    name = current.readlink().name if current.is_symlink() else ""
    return folder / name if name.startswith("..") and name != ".." else None


def _same(current: Path, files: Mapping[str, File]) -> bool:
    there = {str(path.relative_to(current)) for path in current.rglob("*") if path.is_file()}
    return there == set(files) and all((current / path).read_bytes() == file.data for path, file in files.items())


def _inside(path: str) -> PurePosixPath:
    """A volume's path, which must not leave the volume."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not parts.parts:
        raise VolumeError(f"invalid path {path!r} in a volume: it must stay inside the volume")
    return parts


def _write(path: Path, file: File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.data)
    path.chmod(file.mode)


def _link(folder: Path, names: set[str]) -> None:
    """Keep one link per top-level name, into whatever `..data` points to."""
    for entry in folder.iterdir():
        if not entry.name.startswith("..") and entry.name not in names:
            entry.unlink()
    for name in names:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")


def host_path(source: Json) -> str:
    """The host's path of a hostPath volume, made or checked as its type says. Raises VolumeError."""
    path, kind = Path(source["path"]), source.get("type") or ""
    if kind == "DirectoryOrCreate":
        path.mkdir(parents=True, exist_ok=True)
    elif kind == "FileOrCreate":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    elif kind in _CHECKS:
        check, word = _CHECKS[kind]
        if not path.exists() or not check(path.stat().st_mode):
            raise VolumeError(f"hostPath type check failed: {path} is not a {word}")
    elif not path.exists():
        path.mkdir(parents=True)  # what container runtimes do for an untyped hostPath
    return str(path)


def mounts(
    container: Json, sources: Mapping[str, str], variables: Mapping[str, str], sealed: Collection[str] = ()
) -> list[Mount]:
    """A container's volumeMounts. `sources` are the volumes' paths on the host by name. Raises VolumeError.

    `sealed` volumes are read-only whatever the mount says: those whose files we write, by paths that we trust.
    """
    found = []
    for mount in container.get("volumeMounts") or []:
        if mount["name"] not in sources:
            raise VolumeError(f'volume "{mount["name"]}" not found')
        part = mount.get("subPath") or environment.expand(mount.get("subPathExpr") or "", variables)
        source = _sub_path(sources[mount["name"]], part) if part else sources[mount["name"]]
        read_only = bool(mount.get("readOnly")) or mount["name"] in sealed
        found.append(Mount(source=source, target=mount["mountPath"], read_only=read_only, settled=bool(part)))
    return found


def _sub_path(source: str, part: str) -> str:
    """A file or folder in a volume, made as a folder when it is missing; links are followed now, once."""
    path = Path(os.path.realpath(Path(source) / _inside(part)))
    if not path.is_relative_to(os.path.realpath(source)):
        raise VolumeError(f"subPath {part!r} leaves its volume")
    if not path.exists():
        path.mkdir(parents=True)
    return str(path)


def sealed(pod: Json) -> frozenset[str]:
    """The volumes that show objects of the API: nobody but us writes there, as in Kubernetes. And read-only claims."""
    return frozenset(
        volume["name"]
        for volume in pod["spec"].get("volumes") or []
        if not _OF_OBJECTS.isdisjoint(volume) or (volume.get("persistentVolumeClaim") or {}).get("readOnly")
    )
