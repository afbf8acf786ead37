"""The lowest layer of every root: empty folders, mount points, and a small /etc of our own.

Copies of the host's /etc are taken entry by entry, and only what everyone on the machine may read, so neither
passwords nor private keys get in. Folders below /usr are repeated empty: they then belong to whoever builds, so that an
ordinary user's container can add files beside the host's.
"""

import hashlib
import os
import shutil
import stat
from pathlib import Path

from semafor.kube.images.host import Host

# Bump when what is written here changes, so that existing homes get the new one.
_RECIPE = "2"

# name, permissions
_FOLDERS = (
    ("boot", 0o755),
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("media", 0o755),
    ("mnt", 0o755),
    ("opt", 0o755),
    ("proc", 0o555),
    ("root", 0o700),
    ("run", 0o755),
    ("run/lock", 0o777),
    ("srv", 0o755),
    ("sys", 0o555),
    ("tmp", 0o1777),
    ("var", 0o755),
    ("var/cache", 0o755),
    ("var/lib", 0o755),
    ("var/log", 0o755),
    ("var/spool", 0o755),
    ("var/tmp", 0o1777),
    ("var/www", 0o755),
)
_LINKS = (("var/run", "/run"), ("var/lock", "/run/lock"), ("etc/mtab", "/proc/self/mounts"))

# What programs look up in /etc and would not work without. Everything else of the host's /etc stays outside.
_HOST_ETC = (
    "alternatives",  # /usr/bin/java and others are links through here
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",  # Fedora's OpenSSL reads its settings here
    "debian_version",
    "fonts",
    "gai.conf",
    "inputrc",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "mime.types",
    "networks",
    "os-release",
    "pki",  # Fedora's certificates
    "protocols",
    "rpc",
    "services",
    "ssl",
    "terminfo",
    "timezone",
)
_HOST_ETC_PREFIXES = ("java", "python3", "perl")  # /usr/lib has links to their settings

_ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\n"
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
    "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
    "istio-proxy:x:1337:1337:istio-proxy:/home/istio-proxy:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": "root:x:0:\ndaemon:x:1:\nadm:x:4:\ntty:x:5:\nwww-data:x:33:\nstaff:x:50:\nusers:x:100:\n"
    "istio-proxy:x:1337:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n",
    "hostname": "localhost\n",
    # The host's own may ask services (systemd-resolved, avahi) that a container does not have.
    "nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
    "protocols: files\nservices: files\nethers: files\nrpc: files\n",
    "resolv.conf": "",
    "shells": "/bin/sh\n/bin/bash\n",
    "profile": "export PS1='\\u@\\h:\\w\\$ '\n",
    "login.defs": "UID_MIN 1000\nUID_MAX 60000\nGID_MIN 1000\nGID_MAX 60000\nSYS_UID_MIN 100\nSYS_UID_MAX 999\n"
    "SYS_GID_MIN 100\nSYS_GID_MAX 999\nCREATE_HOME yes\nUMASK 022\n",
}

# How deep the folders of /usr are repeated: /usr/lib/x86_64-linux-gnu/pkgconfig is the third level. /usr/local is
# the place for additions, so it is repeated further.
_DEPTH, _DEPTH_LOCAL = 2, 3


def fingerprint(host: Host) -> str:
    """A short name that changes when the skeleton must be made anew: another machine layout, new certificates."""
    text = [_RECIPE, repr((host.folders, host.links, host.prefixes))]
    for name in _etc_names():
        paths = (f"/etc/{name}", f"/etc/{name}/certs", f"/etc/{name}/certs/ca-certificates.crt")
        text.extend(_stamp(path) for path in paths)
    return hashlib.sha256("\0".join(text).encode()).hexdigest()[:16]


def make(host: Host, folder: Path) -> None:
    """Fill an empty folder."""
    for name, mode in _FOLDERS:
        (folder / name).mkdir(exist_ok=True)
        (folder / name).chmod(mode)
    for name, where in (*host.links, *_LINKS):
        (folder / name).symlink_to(where)
    for _, inside in host.prefixes:
        (folder / inside.removeprefix("/")).mkdir(parents=True, exist_ok=True)
    for name in host.folders:
        _repeat_folders(Path("/", name), folder / name, depth=_DEPTH)
    _repeat_folders(Path("/usr/local"), folder / "usr/local", depth=_DEPTH_LOCAL)
    for name in _etc_names():
        _copy_public(Path("/etc", name), folder / "etc" / name)
    for name, content in _ETC.items():
        (folder / "etc" / name).write_text(content)


def _etc_names() -> list[str]:
    others = sorted(path.name for path in Path("/etc").glob("*") if path.name.startswith(_HOST_ETC_PREFIXES))
    return [*_HOST_ETC, *others]


def _repeat_folders(source: Path, target: Path, *, depth: int) -> None:
    """Make the same folders, empty, with the same permissions for their owner, who is now us."""
    target.mkdir(parents=True, exist_ok=True)
    try:
        entries = list(os.scandir(source)) if depth else []
    except PermissionError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) and _public(entry.stat(follow_symlinks=False).st_mode):
            _repeat_folders(Path(entry.path), target / entry.name, depth=depth - 1)


def _copy_public(source: Path, target: Path) -> None:
    """Copy a file, a link or a folder, without what only its owner may read."""
    try:
        mode = source.lstat().st_mode
    except OSError:
        return
    if stat.S_ISLNK(mode):
        target.symlink_to(source.readlink())
    elif not _public(mode):
        return
    elif stat.S_ISDIR(mode):
        target.mkdir()
        for entry in source.iterdir():
            _copy_public(entry, target / entry.name)
    elif stat.S_ISREG(mode):
        shutil.copyfile(source, target)
        target.chmod(0o755 if mode & stat.S_IXUSR else 0o644)


def _public(mode: int) -> bool:
    """Whether everyone may read the file, or enter and list the folder."""
    needed = 0o005 if stat.S_ISDIR(mode) else 0o004
    return mode & needed == needed


def _stamp(path: str) -> str:
    try:
        found = os.lstat(path)
    except OSError:
        return "-"
    return f"{found.st_mtime_ns} {found.st_size}"
