"""Let an ordinary user's build do what needs several users: changes of owner succeed and change nothing.

An ordinary user's namespace has one user, so chown, setgroups and the like fail with EINVAL, and with them useradd,
tar and package installers. A seccomp filter answers them with success, which is all that such programs need.
Standard library only.
"""

import ctypes
import os
import struct

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ANSWER_ZERO = 0x7FFF0000, 0x00050000  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO with errno 0

# Architecture -> its number for the filter, and its system calls in the order chown, fchown, lchown, fchownat (as far
# as it has them), setuid, setgid, setreuid, setregid, setgroups, setresuid, setresgid, setfsuid, setfsgid.
_CALLS = {
    "x86_64": (0xC000003E, (92, 93, 94, 260, 105, 106, 113, 114, 116, 117, 119, 122, 123)),
    "aarch64": (0xC00000B7, (55, 54, 146, 144, 145, 143, 159, 147, 149, 151, 152)),
}


def single_user() -> None:
    """From now on, in this process and its children, changes of owner and user do nothing and succeed.

    Where the processor's system calls are not known, or filters are not allowed, nothing happens.
    """
    known = _CALLS.get(os.uname().machine)
    if known is None:
        return
    architecture, calls = known
    code = [(_LOAD, 0, 0, 4), (_JUMP_IF_EQUAL, 0, len(calls) + 1, architecture), (_LOAD, 0, 0, 0)]
    code += [(_JUMP_IF_EQUAL, len(calls) - at, 0, call) for at, call in enumerate(calls)]
    code += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ANSWER_ZERO)]
    # A foreign architecture jumps to ALLOW, which stands behind all comparisons.
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *row) for row in code))
    descriptor = ctypes.create_string_buffer(struct.pack("@HP", len(code), ctypes.addressof(program)))
    ctypes.CDLL(None).prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, descriptor, 0, 0)
