"""Netlink: how the kernel's network is set up without `ip` and `nft`. Pure encoders, and a socket that sends.

Differs from the rest of the project, which takes a library where there is a good one: importing pyroute2 costs the
agent 245 ms and 17 MB, more than a whole sidecar, and a pod needs five messages.
Source: linux/netlink.h, rtnetlink(7), netlink(7).
"""

import os
import socket
import struct
from collections.abc import Sequence

ROUTE, NETFILTER = 0, 12

REQUEST, ACK, CREATE, EXCLUSIVE, APPEND = 0x1, 0x4, 0x400, 0x200, 0x800
NESTED = 0x8000

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ERROR = 2
_MAX_REPLY_BYTES = 65536


class NetlinkError(OSError):
    """The kernel refused a message."""


def attribute(kind: int, payload: bytes) -> bytes:
    """One type-length-value, padded to 4 bytes."""
    return struct.pack("=HH", 4 + len(payload), kind) + payload + b"\0" * (-len(payload) % 4)


def nested(kind: int, *children: bytes) -> bytes:
    return attribute(kind | NESTED, b"".join(children))


def text(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


def u32(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=I", value))


def be32(kind: int, value: int) -> bytes:
    """A number in network byte order, as nf_tables wants all of its own."""
    return attribute(kind, struct.pack(">I", value & 0xFFFF_FFFF))


def message(kind: int, flags: int, *parts: bytes) -> bytes:
    """A whole message; its sequence number is 0 until it is sent."""
    body = b"".join(parts)
    return _HEADER.pack(_HEADER.size + len(body), kind, REQUEST | flags, 0, 0) + body


class Netlink:
    """A netlink socket. It stays in the network namespace in which it was made, wherever its owner goes."""

    def __init__(self, family: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)
        self._socket.bind((0, 0))

    def __enter__(self) -> "Netlink":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def request(self, what: str, request: bytes) -> None:
        """Send one message that asks for an acknowledgement, and wait for it. Raises NetlinkError, saying `what`."""
        self._socket.send(request)
        self._acknowledged(what, 1)

    def batch(self, what: str, requests: Sequence[bytes], *, acknowledged: int) -> None:
        """Send messages as one; `acknowledged` of them ask for an acknowledgement. All happen, or none."""
        self._socket.send(b"".join(requests))
        self._acknowledged(what, acknowledged)

    def _acknowledged(self, what: str, count: int) -> None:
        while count > 0:
            reply = self._socket.recv(_MAX_REPLY_BYTES)
            while reply:
                length, kind, *_ = _HEADER.unpack_from(reply)
                if kind == _ERROR:
                    count -= 1
                    _raise_error(what, reply)
                reply = reply[(length + 3) & ~3 :]


def _raise_error(what: str, reply: bytes) -> None:
    (negative,) = struct.unpack_from("=i", reply, _HEADER.size)
    if negative:
        raise NetlinkError(-negative, f"{what}: {os.strerror(-negative)}")
