"""Remote commands over WebSocket without I/O: `v4.channel.k8s.io` and `v5.channel.k8s.io`.

Every binary message starts with the number of a channel. Version 5 adds the signal 255 with the number of a channel
that will bring no more: without it, a client could not end stdin and still read the answer.
Source: k8s.io/apimachinery/pkg/util/remotecommand, k8s.io/kubelet/pkg/cri/streaming.
"""

import json
from typing import Any

from semafor.kube.api.streams.peer import Input, Nothing, Resize, Stdin, StdinEnd

V4, V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"
# In the order of our preference.
PROTOCOLS = (V5, V4)

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255


def decode(message: bytes, protocol: str) -> Input:
    """What a client's message says; Nothing for what the server does not listen to."""
    channel, rest = message[:1], message[1:]
    if channel == bytes([STDIN]):
        return Stdin(rest) if rest else Nothing()
    if channel == bytes([RESIZE]):
        return size(rest)
    if channel == bytes([CLOSE]) and protocol == V5 and rest[:1] == bytes([STDIN]):
        return StdinEnd()
    return Nothing()


def encode(channel: int, data: bytes) -> bytes:
    """A message of the server."""
    return bytes([channel]) + data


def size(text: bytes) -> Resize | Nothing:
    """The terminal's size that a client has sent as JSON."""
    try:
        found: Any = json.loads(text)
        rows, cols = int(found["Height"]), int(found["Width"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return Nothing()
    if not 0 < rows < 0x10000 or not 0 < cols < 0x10000:
        return Nothing()
    return Resize(rows, cols)
