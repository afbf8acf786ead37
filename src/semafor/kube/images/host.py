"""What this machine lends to containers: its system folders, its interpreters, selected entries of /etc."""

import os
import shutil
import stat
import sys
import sysconfig
from pathlib import Path

from semafor.base.struct import Value

# Folders with programs and libraries. On most machines all but /usr are links into it. /nix and /gnu are where NixOS
# and Guix keep everything.
SYSTEM_FOLDERS = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix", "gnu")

# Programs that well-known images are made of, or bring themselves where the machine has none.
_ASKED = ("bun", "busybox", "cargo", "curl", "deno", "go", "java", "nc", "nginx", "node", "php", "ruby", "uv", "wget")

# File systems whose mounts below a system folder hold ordinary files. Others (proc, devices) are not shown.
_SPECIAL = frozenset({"proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "mqueue", "autofs", "nsfs", "tmpfs"})


class Host(Value):
    """The part of the machine that containers see.

    `folders` are the system folders that are real folders (`usr`; a mount below one, such as `usr/local`, follows it);
    `links` are those that are links, as (name, where to). `python` is the interpreter without any virtual environment,
    and `prefixes` are the pairs (path, path inside) that show it where it lives elsewhere, as under a user's pyenv.
    `programs` are the pairs (name, path) of what well-known images are made of. `skeleton` is the lowest layer of every
    root (see skeleton.py); `mount_points` another, for the time of a build's step.
    """

    folders: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()
    prefixes: tuple[tuple[str, str], ...] = ()
    python: str = ""
    python_version: str = ""
    programs: tuple[tuple[str, str], ...] = ()
    skeleton: str = ""
    mount_points: str = ""

    @classmethod
    def detect(cls, *, search_path: str) -> "Host":
        """Look at this machine. `search_path` is where programs are looked for, as in $PATH."""
        folders = [name for name in SYSTEM_FOLDERS if stat.S_ISDIR(_mode(f"/{name}"))]
        links = [(name, str(Path(f"/{name}").readlink())) for name in SYSTEM_FOLDERS if stat.S_ISLNK(_mode(f"/{name}"))]
        found = ((name, shutil.which(name, path=search_path or os.defpath)) for name in _ASKED)
        return cls(
            folders=_with_mounts(folders),
            links=tuple(links),
            prefixes=prefixes(python_executable()),
            python=python_executable(),
            python_version=sysconfig.get_python_version(),
            programs=tuple((name, path) for name, path in found if path),
        )

    def program(self, name: str) -> str:
        """The path of a program; empty when the machine does not have it."""
        return dict(self.programs).get(name, "")

    @property
    def search_path(self) -> str:
        """$PATH in a container: the usual folders, then those of interpreters that live elsewhere."""
        usual = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
        elsewhere = tuple(f"{inside}/bin" for _, inside in self.prefixes)
        return ":".join(dict.fromkeys((*usual, *elsewhere)))


def python_executable() -> str:
    """The interpreter that virtual environments are made of: this one, outside its own environment."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = (Path(sys.base_prefix, "bin", version), Path(sys.base_prefix, "bin", "python3"))
    found = next((path for path in candidates if path.exists()), None)
    return str(found or os.path.realpath(sys.executable))


def prefixes(program: str) -> tuple[tuple[str, str], ...]:
    """The folders to show, as (path, path inside), so that a program runs: PREFIX of PREFIX/bin/program.

    By its name and by its real path; none where containers see it anyway.
    """
    found: dict[str, str] = {}
    for path in (program, os.path.realpath(program)):
        prefix = str(Path(path).parent.parent)
        if prefix.count("/") > 1 and prefix.split("/")[1] not in SYSTEM_FOLDERS:
            found.setdefault(prefix, os.path.realpath(prefix))
    return tuple((source, inside) for inside, source in found.items())


def _with_mounts(folders: list[str]) -> tuple[str, ...]:
    """The folders, each followed by the file systems mounted below it: overlayfs does not look into those."""
    mounted: list[str] = []
    try:
        lines = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        lines = []
    for line in lines:
        before, _, after = line.partition(" - ")
        path = before.split(" ")[4].removeprefix("/")
        if path.split("/")[0] in folders and "/" in path and after.split(" ")[0] not in _SPECIAL:
            mounted.append(path)
    below = sorted(path for path in dict.fromkeys(mounted) if stat.S_ISDIR(_mode(f"/{path}")))
    return tuple(name for top in folders for name in (top, *(p for p in below if p.startswith(f"{top}/"))))


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0
