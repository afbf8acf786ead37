"""Starting one program inside a container: the container's own process and `exec` take the same way.

    supervisor ─setns pid─fork─▶ child ─setns mnt─ session, stdio, user, capabilities ─execve─▶ program

The child reports over a socket pair that closes by itself when the program starts; what arrives before is the error.
"""

import errno
import fcntl
import os
import resource
import signal
import socket
import struct
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from semafor.kube.node import channel, syscalls
from semafor.kube.node.spec import StartError

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SIZE = (24, 80)  # of a terminal before its client says otherwise
_TIOCSPTLCK, _TIOCGPTN = 0x4004_5431, 0x8004_5430

# What container runtimes leave to a container, without the three that reach beyond it: MKNOD, NET_RAW, AUDIT_WRITE.
_CHOWN, _DAC_OVERRIDE, _FOWNER, _FSETID, _KILL, _SETGID, _SETUID = 0, 1, 3, 4, 5, 6, 7
_SETPCAP, _NET_BIND_SERVICE, _SYS_CHROOT, _SETFCAP = 8, 10, 18, 31
_ORDINARY = (_CHOWN, _DAC_OVERRIDE, _FOWNER, _FSETID, _KILL, _SETGID, _SETUID)
APP_CAPABILITIES = (*_ORDINARY, _SETPCAP, _NET_BIND_SERVICE, _SYS_CHROOT, _SETFCAP)
PROXY_CAPABILITIES = (syscalls.CAP_NET_ADMIN,)  # SO_MARK

# Python ignores these; programs expect the default.
_RESTORED_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)


class Namespaces(NamedTuple):
    """Open namespaces: the supervisor's own PID namespace to come back to, and those of the container.

    `mount` None stays in the supervisor's.
    """

    own_pid: int
    pid: int
    mount: int | None


class Command(NamedTuple):
    """What to start, and as whom. `stdio` is stdin, stdout and stderr, or None for a new terminal."""

    argv: Sequence[str]
    env: dict[str, str]
    cwd: str
    stdio: tuple[int, int, int] | None
    uid: int = 0
    gid: int = 0
    privileged_net: bool = False


class Started(NamedTuple):
    """A running program; `terminal` is the master side of its terminal, -1 without one."""

    pid: int
    terminal: int


def start(command: Command, inside: Namespaces) -> Started:
    """Start a program as a child of the caller. Raises StartError, worded as Kubernetes' container runtimes do."""
    ours, theirs = socket.socketpair()
    pid = syscalls.fork_into(inside.pid, inside.own_pid)
    if pid == 0:
        _become(command, inside, theirs)
    theirs.close()
    with ours:
        return Started(pid, _outcome(ours, pid))


def is_mapped(kind: Literal["uid", "gid"], number: int) -> bool:
    """Whether a user or group exists in the node's user namespace."""
    rows = [[int(word) for word in row.split()] for row in Path(f"/proc/self/{kind}_map").read_text().splitlines()]
    return any(first <= number < first + count for first, _, count in rows)


def _outcome(ours: socket.socket, pid: int) -> int:
    """Wait until the program runs; return its terminal. Raises StartError."""
    terminal = -1
    while True:
        text, fds = channel.receive_files(ours, 4096)
        if fds:
            terminal = fds[0]
        elif not text:
            return terminal
        else:
            os.waitpid(pid, 0)
            if terminal >= 0:
                os.close(terminal)
            code, _, message = text.decode().partition(" ")
            raise StartError("StartError", message, code=int(code))


def _become(command: Command, inside: Namespaces, report: socket.socket) -> None:
    """Turn this process into the program; never returns."""
    try:
        # It is a copy of the supervisor in the midst of the container's processes, which run as the same user.
        syscalls.close_to_others()
        _prepare(command, inside, report)
        os.execvpe(command.argv[0], list(command.argv), command.env)  # noqa: S606  (there is no shell here)
    except BaseException as error:  # noqa: BLE001  (whatever it is, the parent must hear of it)
        report.send(_describe(error, command).encode())
    os._exit(127)


def _prepare(command: Command, inside: Namespaces, report: socket.socket) -> None:
    if inside.mount is not None:
        syscalls.setns(inside.mount, syscalls.CLONE_NEWNS)
    os.chdir(command.cwd)
    os.setsid()
    stdio = command.stdio or _terminal(report)
    for target, source in enumerate(stdio):
        os.dup2(source, target)
    for number in _RESTORED_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.umask(0o022)
    _raise_open_files()
    _drop_privileges(command)


def _terminal(report: socket.socket) -> tuple[int, int, int]:
    """A terminal of the container's own devpts, as the controlling one; its other side goes to the supervisor."""
    master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
    (number,) = struct.unpack("i", fcntl.ioctl(master, _TIOCGPTN, b"\0" * 4))
    slave = os.open(f"/dev/pts/{number}", os.O_RDWR)
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *DEFAULT_SIZE, 0, 0))
    socket.send_fds(report, [b"t"], [master])
    return slave, slave, slave


def _raise_open_files() -> None:
    """A proxy needs thousands; the hard limit is what the machine's owner set."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 1 << 20), hard))


def _drop_privileges(command: Command) -> None:
    keep = PROXY_CAPABILITIES if command.privileged_net else APP_CAPABILITIES
    syscalls.bound_capabilities(keep)
    if command.uid or command.gid:
        syscalls.keep_capabilities_over_setuid()
        os.setgroups([command.gid])
        os.setresgid(command.gid, command.gid, command.gid)
        os.setresuid(command.uid, command.uid, command.uid)
    # Of a program that is not uid 0 only ambient capabilities survive, and only the proxy needs any.
    kept = keep if command.privileged_net or command.uid == 0 else ()
    syscalls.set_capabilities(kept, ambient=bool(command.uid and kept))
    syscalls.no_new_privileges()


def _describe(error: BaseException, command: Command) -> str:
    """The exit code that Kubernetes reports, and the sentence of its container runtimes."""
    program = f'exec: "{command.argv[0]}"'
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, OSError) and error.filename == command.cwd and not Path(command.cwd).is_dir():
        return f"128 chdir to cwd ({command.cwd!r}) set in config.json failed: {os.strerror(error.errno or 0).lower()}"
    if number in (errno.ENOENT, errno.ENOTDIR):
        where = "no such file or directory" if "/" in command.argv[0] else "executable file not found in $PATH"
        return f"127 {program}: {where}"
    if number in (errno.EACCES, errno.ENOEXEC):
        return f"126 {program}: {os.strerror(number or 0).lower()}"
    return f"128 {program}: {error}"
