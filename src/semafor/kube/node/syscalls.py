"""The system calls that Python 3.11 does not offer: namespaces, roots, capabilities. Their OSErrors name the call.

Imports little and fast: the agent's first process stays as small as this file.
"""

import ctypes
import os
from collections.abc import Iterable

# linux/sched.h
CLONE_NEWNS = 0x0002_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

# linux/mount.h
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_SLAVE = 4096, 16384, 1 << 19
MNT_DETACH = 2

# linux/prctl.h
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_NAME = 1, 4, 8, 15
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 24, 38, 47, 2

# linux/keyctl.h, asm/unistd.h
KEYCTL_JOIN_SESSION_KEYRING = 1
SYS_KEYCTL = {"x86_64": 250, "aarch64": 219}

# linux/openat2.h; its number is the same on every architecture
SYS_OPENAT2 = 437
RESOLVE_NO_SYMLINKS = 4
AT_FDCWD = -100

# linux/capability.h
CAP_NET_ADMIN = 12
CAPABILITY_VERSION_3 = 0x2008_0522

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags` for new ones; of NEWPID only the children are in the new one."""
    _check(_libc.unshare(flags), "unshare")


def setns(fd: int, kind: int) -> None:
    """Enter the namespace that `fd` holds; of NEWPID only the children enter it."""
    _check(_libc.setns(fd, kind), "setns")


def fork_first(own_pid_ns: int) -> int:
    """Fork a child that is the first process of a new PID namespace; the caller stays in `own_pid_ns`, its own."""
    unshare(CLONE_NEWPID)
    return _fork_and_return(own_pid_ns)


def fork_into(pid_ns: int, own_pid_ns: int) -> int:
    """Fork a child in the PID namespace `pid_ns`, a descendant of the caller's, which is `own_pid_ns`."""
    setns(pid_ns, CLONE_NEWPID)
    return _fork_and_return(own_pid_ns)


def _fork_and_return(own_pid_ns: int) -> int:
    try:
        pid = os.fork()
    except OSError:
        setns(own_pid_ns, CLONE_NEWPID)
        raise
    if pid != 0:
        setns(own_pid_ns, CLONE_NEWPID)
    return pid


def umount(path: str, flags: int = 0) -> None:
    _check(_libc.umount2(os.fsencode(path), flags), f"umount {path}")


def pivot_root(new_root: str, put_old: str) -> None:
    _check(_libc.pivot_root(os.fsencode(new_root), os.fsencode(put_old)), f"pivot_root {new_root}")


def open_without_links(path: str) -> int:
    """A descriptor that only stands for the file or folder. A symbolic link anywhere in the path is an error, ELOOP."""
    how = (ctypes.c_uint64 * 3)(os.O_PATH | os.O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS)
    arguments = (ctypes.c_long(AT_FDCWD), os.fsencode(path), ctypes.byref(how), ctypes.c_size_t(ctypes.sizeof(how)))
    fd = int(_libc.syscall(ctypes.c_long(SYS_OPENAT2), *arguments))
    _check(min(fd, 0), f"open {path} without links")
    return fd


def die_with_parent(signal: int) -> None:
    """Get `signal` when the thread that made this process ends. Call it after every change of user or user namespace,
    which undoes it."""
    _prctl("PR_SET_PDEATHSIG", PR_SET_PDEATHSIG, signal)


def set_name(name: str) -> None:
    """Name this process for `ps`; the kernel keeps 15 characters."""
    buffer = ctypes.create_string_buffer(name.encode()[:15])
    _check(_libc.prctl(PR_SET_NAME, buffer, 0, 0, 0), "prctl PR_SET_NAME")


def close_to_others() -> None:
    """Let nobody of the same user look into this process or trace it, until it executes another program."""
    _prctl("PR_SET_DUMPABLE", PR_SET_DUMPABLE, 0)


def leave_keys_behind() -> None:
    """Enter an empty session keyring: the keys of who started us are not for what we start."""
    number = SYS_KEYCTL.get(os.uname().machine)
    if number is not None:  # a kernel without keyrings has none to leave
        _libc.syscall(ctypes.c_long(number), ctypes.c_long(KEYCTL_JOIN_SESSION_KEYRING), None)


def no_new_privileges() -> None:
    """Make set-uid programs and file capabilities ordinary, for this process and all that come from it."""
    _prctl("PR_SET_NO_NEW_PRIVS", PR_SET_NO_NEW_PRIVS, 1)


def keep_capabilities_over_setuid() -> None:
    _prctl("PR_SET_KEEPCAPS", PR_SET_KEEPCAPS, 1)


def bound_capabilities(keep: Iterable[int]) -> None:
    """Take all capabilities but `keep` out of the bounding set: no program started from here can get them back."""
    kept = frozenset(keep)
    for capability in range(64):
        if capability in kept:
            continue
        if _libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) != 0:
            return  # EINVAL: past the last capability this kernel knows


def set_capabilities(keep: Iterable[int], *, ambient: bool = False) -> None:
    """Have exactly the capabilities `keep`; with `ambient` they survive execve by another uid than 0."""
    bits = sum(1 << capability for capability in keep)
    inherited = bits if ambient else 0
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    low, high = 0xFFFF_FFFF, 32
    data = (ctypes.c_uint32 * 6)(
        *(bits & low, bits & low, inherited & low),
        *(bits >> high, bits >> high, inherited >> high),
    )
    _check(_libc.capset(header, data), "capset")
    for capability in keep if ambient else ():
        result = _libc.prctl(PR_CAP_AMBIENT, ctypes.c_ulong(PR_CAP_AMBIENT_RAISE), ctypes.c_ulong(capability), 0, 0)
        _check(result, "prctl PR_CAP_AMBIENT_RAISE")


def _prctl(name: str, option: int, value: int) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {name}")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
