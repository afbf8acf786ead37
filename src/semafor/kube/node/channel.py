"""Messages between the daemon, the agent and the supervisors: one JSON document each, with open files beside it.

A SOCK_SEQPACKET socket pair keeps the messages whole. A document too long for one packet (a pod's environment may be)
goes as a file in memory. End of file means that the other side is gone.
"""

import os
import socket
from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

Json = dict[str, Any]

MAX_PACKET_BYTES = 48 * 1024  # well below the kernel's default send buffer of 208 KiB
MAX_FDS = 8
_IN_A_FILE = b"@"  # no JSON document starts so


class Message(NamedTuple):
    """What arrived. The receiver closes the descriptors."""

    body: Json
    fds: list[int]


def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(to: socket.socket, body: Json, fds: Sequence[int] = ()) -> None:
    """Send one message. Raises OSError: BlockingIOError when the socket does not block and is full."""
    packet = msgspec.json.encode(body)
    if len(packet) <= MAX_PACKET_BYTES:
        socket.send_fds(to, [packet], list(fds))
        return
    file = os.memfd_create("message")
    try:
        with os.fdopen(os.dup(file), "wb") as writer:
            writer.write(packet)
        socket.send_fds(to, [_IN_A_FILE], [*fds, file])
    finally:
        os.close(file)


def receive(source: socket.socket) -> Message | None:
    """Read one message; None at the end. Raises BlockingIOError when the socket does not block and nothing is there."""
    try:
        packet, fds = receive_files(source, MAX_PACKET_BYTES)
    except ConnectionResetError:
        return None
    if packet == _IN_A_FILE:
        packet = _content(fds.pop())
    return Message(msgspec.json.decode(packet), fds) if packet else None


def receive_files(source: socket.socket, max_bytes: int) -> tuple[bytes, list[int]]:
    """Read one packet and the open files beside it, which programs started from here do not inherit.

    Python's own `socket.recv_fds` ignores its flags before 3.12, and so leaks them.
    """
    space = socket.CMSG_SPACE(MAX_FDS * array("i").itemsize)
    packet, ancillary, _, _ = source.recvmsg(max_bytes, space, socket.MSG_CMSG_CLOEXEC)
    fds = array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return packet, list(fds)


def _content(file: int) -> bytes:
    with os.fdopen(file, "rb") as reader:
        reader.seek(0)
        return reader.read()


def close_all(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
