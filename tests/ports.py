"""Free ports of 127.0.0.1, which stay free until whoever asked has begun to listen.

The kernel's own choice may be given to another test before that. It would not even be noticed: Envoys of one user
share a port (SO_REUSEPORT), and each gets some of the other's connections. So every process of tests has a block of its
own, below what the kernel gives out, and takes its ports one after the other.
"""

import itertools
import os
import socket
from typing import Final

_FIRST: Final = 21_000  # up to 31,000
_BLOCKS, _SIZE = 100, 100
_offsets = itertools.cycle(range(_SIZE))


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """As many ports, no two of them the same."""
    found: dict[int, None] = {}
    for _ in range(2 * _SIZE):
        port = _FIRST + os.getpid() % _BLOCKS * _SIZE + next(_offsets)
        if port not in found and _is_free(port):
            found[port] = None
        if len(found) == count:
            return list(found)
    raise OSError(f"there are no {count} free ports")


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
