"""One step of a build, in a process of its own: make the root, then run a command or copy files in it.

In: a job (JSON on standard input). Out: the command's output on standard output, and one line of JSON on the descriptor
that `job["result"]` names: `{"code": n}`, or `{"error": text, "refused": bool}`. Standard library only, so that it
starts fast. The process and all it starts end with the builder (they are in a PID namespace that dies with it).
"""

# Paths of another root are plain text here, and pathlib would double the start of these processes.
# ruff: noqa: PTH101, PTH103, PTH110, PTH112, PTH118, PTH120, PTH123, PTH211

import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from semafor.kube.images import files, mounts, pretend

_NEW_MOUNTS, _NEW_USER, _NEW_PIDS, _NEW_NET, _NEW_IPC = 0x20000, 0x10000000, 0x20000000, 0x40000000, 0x08000000
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP = 1, 24
_MNT_DETACH = 2

# What a command keeps, as Docker's default: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP,
# NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP. Above all it cannot mount.
_KEPT_CAPABILITIES = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31})
_LAST_CAPABILITY = 40

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"))

# A switch of the kernel, the value that forbids user namespaces, and the one that allows them.
_SWITCHES = (
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
)

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> NoReturn:
    """Read the job, enter the namespaces, and leave the work to their first process."""
    job = json.load(sys.stdin)
    builder = os.getppid()
    try:
        single = _enter(network=job.get("network", True))
    except OSError as error:
        _report(job, error=f"this machine does not let the build make its own namespaces ({error}){_remedy()}")
        os._exit(1)
    # Only now: entering a user namespace forgets it.
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != builder:
        os._exit(1)
    first = os.fork()
    if first == 0:
        _first(job, single=single)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) & 0xFF)


def _remedy() -> str:
    """The commands that allow user namespaces; empty when no switch forbids them."""
    found = []
    for name, forbids, allows in _SWITCHES:
        try:
            values = _read(f"/proc/sys/{name.replace('.', '/')}")
        except OSError:
            continue
        if values == [forbids]:
            found.append(f"sudo sysctl -w {name}={allows}")
    return f": {' && '.join(found)}" if found else ""


def _enter(*, network: bool) -> bool:
    """Enter new namespaces; whether the user namespace has a single user."""
    uid, gid = os.getuid(), os.getgid()
    single = uid != 0
    maps = {
        # Root hands all its users on, unchanged; an ordinary user has only itself, as root inside.
        "uid_map": f"0 {uid} 1" if single else _unchanged("/proc/self/uid_map"),
        "gid_map": f"0 {gid} 1" if single else _unchanged("/proc/self/gid_map"),
    }
    if single:
        maps = {"setgroups": "deny", **maps}
    finish = _map_from_outside(maps)
    flags = _NEW_USER | _NEW_MOUNTS | _NEW_PIDS | _NEW_IPC | (0 if network else _NEW_NET)
    if _libc.unshare(ctypes.c_int(flags)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")
    finish()
    mounts.mount(None, "/", None, mounts.MS_REC | mounts.MS_PRIVATE, None)
    return single


def _map_from_outside(maps: dict[str, str]) -> Callable[[], None]:
    """Fork a process that stays outside and writes our maps: only there is more than one user at hand."""
    pid = os.getpid()
    reader, writer = os.pipe()
    helper = os.fork()
    if helper == 0:
        os.close(writer)
        os.read(reader, 1)
        try:
            for name, text in maps.items():
                _write(f"/proc/{pid}/{name}", text)
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    os.close(reader)

    def finish() -> None:
        os.close(writer)
        number = os.waitstatus_to_exitcode(os.waitpid(helper, 0)[1])
        if number != 0:
            raise OSError(number, f"map users: {os.strerror(number)}")

    return finish


def _unchanged(path: str) -> str:
    """A map that gives each of our users the same number inside."""
    rows = [line.split() for line in _read(path)]
    return "".join(f"{row[0]} {row[0]} {row[2]}\n" for row in rows)


def _first(job: dict[str, Any], *, single: bool) -> NoReturn:
    """The first process of the PID namespace: when it ends, everything in it ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        code = _step(job, single=single)
    except files.RefusedError as error:
        _report(job, error=str(error), refused=True)
    except Exception as error:  # noqa: BLE001  (the edge of this process: the builder shows it)
        _report(job, error=f"{type(error).__name__}: {error}")
    else:
        _report(job, code=code)
    os._exit(0)


def _step(job: dict[str, Any], *, single: bool) -> int:
    root = job["root"]
    copy = job.get("copy")
    if copy and copy.get("extract"):
        # Now, because afterwards modules would come from the image's root.
        import tarfile  # noqa: F401
    mounts.execute(job["ops"], root)
    source, items = _choose(copy) if copy else (-1, [])
    _system_folders(root)
    _change_root(root)
    os.umask(0o022)
    if job.get("folder"):
        os.makedirs(job["folder"], exist_ok=True)
    if copy:
        _copy(copy, source, items)
    for document in job.get("documents", ()):
        _write_document(document)
    return _run(job["run"], single=single) if job.get("run") else 0


def _choose(copy: dict[str, Any]) -> tuple[int, list[files.Item]]:
    """The open folder to copy from, and what to copy: chosen by the builder, or here in another image's root."""
    if "ops" not in copy:
        return _open(copy["folder"]), [files.Item(*row) for row in copy["items"]]
    mounts.execute(copy["ops"][:1], copy["folder"])
    folder = files.Folder(copy["folder"], strict=False)
    try:
        # Only what the image brings: the rest of its root is the host's, which is in the new root already.
        items = [item for pattern in copy["patterns"] for item in files.select(folder, pattern)]
    except files.RefusedError:
        mounts.execute(copy["ops"][1:], copy["folder"])
        items = [item for pattern in copy["patterns"] for item in files.select(folder, pattern)]
    return _open(copy["folder"]), items


def _copy(copy: dict[str, Any], source: int, items: list[files.Item]) -> None:
    """Docker's rules: one file goes to the destination itself, unless that is a folder or is written with a slash."""
    destination = copy["destination"].rstrip("/")
    one_file = copy["single"] and [item.target for item in items] == [copy["single_name"]] and items[0].kind == "file"
    if one_file and not os.path.isdir(destination):
        items = [items[0]._replace(target="")]
    else:
        # A link, even to what is not there yet, is followed, as in Docker.
        destination = os.path.realpath(destination or "/")
        os.makedirs(destination, exist_ok=True)
    if copy.get("extract") and _extract(source, items, destination):
        return
    files.copy(source, items, destination.rstrip("/"), copy.get("mode"))


def _extract(source: int, items: list[files.Item], destination: str) -> bool:
    """Unpack an archive, as ADD does; False when the file is none."""
    if len(items) != 1 or items[0].kind != "file":
        return False
    tarfile = sys.modules["tarfile"]
    with open(os.open(items[0].source, os.O_RDONLY, dir_fd=source), "rb") as stream:
        try:
            archive = tarfile.open(fileobj=stream)
        except tarfile.ReadError:
            return False
        with archive:
            # The root is the image's own by now, so nothing outside can be reached. Pythons before 3.11.4 have no
            # filters, newer ones want one to be named.
            archive.extraction_filter = getattr(tarfile, "tar_filter", None)
            archive.extractall(destination)  # noqa: S202
    return True


def _write_document(document: dict[str, Any]) -> None:
    os.makedirs(os.path.dirname(document["path"]), exist_ok=True)
    with open(document["path"], "w", encoding="utf-8", newline="") as target:
        target.write(document["body"])
    os.chmod(document["path"], document["mode"])


def _system_folders(root: str) -> None:
    """Mount /proc, /dev and /sys as a command expects them."""
    proc = mounts.place(root, "/proc", folder=True)
    try:
        mounts.mount("proc", proc, "proc", 0, None)
    except OSError:
        # In a container whose own /proc is partly hidden, a new one is not allowed.
        mounts.execute([mounts.MountOp("bind", "/proc", source="/proc")], root)
    mounts.execute([mounts.MountOp("tmpfs", "/dev", data="mode=755,size=64k"), *_device_ops()], root)
    for name, where in _DEVICE_LINKS:
        os.symlink(where, os.path.join(root, "dev", name))
    mounts.execute([mounts.MountOp("tmpfs", "/dev/shm", data="mode=1777,size=64m")], root)  # noqa: S108


def _device_ops() -> Iterator[mounts.MountOp]:
    for name in _DEVICES:
        if os.path.exists(f"/dev/{name}"):
            yield mounts.MountOp("bind", f"/dev/{name}", source=f"/dev/{name}")


def _change_root(root: str) -> None:
    os.chdir(root)
    if _libc.pivot_root(b".", b".") != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"pivot_root: {os.strerror(number)}")
    _libc.umount2(b".", _MNT_DETACH)
    os.chdir("/")


def _run(run: dict[str, Any], *, single: bool) -> int:
    """Run a command and wait for it, reaping what it leaves behind; the code is negative for a signal."""
    child = os.fork()
    if child == 0:
        _command(run, single=single)
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def _command(run: dict[str, Any], *, single: bool) -> NoReturn:
    """Become the command."""
    try:
        os.setsid()
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.chdir(run["cwd"])
        if single:
            pretend.single_user()
        for capability in range(_LAST_CAPABILITY + 1):
            if capability not in _KEPT_CAPABILITIES:
                _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        empty = os.open("/dev/null", os.O_RDONLY)
        os.dup2(empty, 0)
        os.closerange(3, 256)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvpe(run["argv"][0], run["argv"], run["env"])  # noqa: S606
    except OSError as error:
        print(f"{run['argv'][0]}: {error.strerror}", flush=True)  # noqa: T201
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def _report(job: dict[str, Any], **result: object) -> None:
    with open(job["result"], "w", encoding="utf-8", closefd=False) as stream:
        json.dump(result, stream)


def _open(folder: str) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)


def _read(path: str) -> list[str]:
    with open(path, encoding="ascii") as stream:
        return stream.read().splitlines()


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as stream:
        stream.write(text)
