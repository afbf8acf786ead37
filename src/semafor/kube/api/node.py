"""What the API needs of a node: the logs, processes and ports of the pods that run there.

The kubelet implements these roles; `streams` turns them into what kubectl speaks. `pod` is always the Pod
document as stored, and `container` the name of one of its containers, init containers or ephemeral containers:
both have been checked before a node is asked.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from semafor.base.struct import Value


class NodeError(Exception):
    """The node cannot do what was asked now: no such container, not started yet, no previous log, no such program.

    The message is a sentence for the person at kubectl, worded as Kubernetes does
    (`container "app" in pod "web-0" is waiting to start: ContainerCreating`).
    """


class Input(Protocol):
    """The writing end of a process's stdin."""

    async def write(self, data: bytes) -> None:
        """Write all of `data`, waiting while the process is slow to read; dropped when the process has gone."""

    async def close(self) -> None:
        """Send end of file. Closing twice is allowed."""


class Process(Protocol):
    """A process in a container that was started by `exec`, or joined by `attach`.

    Dropping a Process does not end it; `kill` does. The output iterators end when the last writer has gone,
    which may be before or after `wait` returns. Reading slowly slows the process, as a pipe does.
    """

    @property
    def stdin(self) -> Input | None:
        """None when the process was started without stdin."""

    @property
    def stdout(self) -> AsyncIterator[bytes]:
        """Chunks of stdout, or of the terminal when there is one."""

    @property
    def stderr(self) -> AsyncIterator[bytes]:
        """Chunks of stderr; empty when there is a terminal."""

    def resize(self, rows: int, cols: int) -> None:
        """Set the terminal's size, in characters. Without a terminal nothing happens."""

    async def wait(self) -> int:
        """Wait for the end; return the exit code, 128 + the signal's number when a signal ended it.

        For an attached process: wait for the end of the container's own process.
        """

    def kill(self) -> None:
        """End it and what it has started, at once. Of an attached process only the connection ends."""


class Usage(Value):
    """What a container uses: processors on average over the window, and memory of its own."""

    cores: float
    bytes: int
    window_s: float


class Node(Protocol):
    """The kubelet, as the API sees it. Every method raises NodeError with a message for the user."""

    def logs(
        self,
        pod: dict[str, Any],
        container: str,
        *,
        previous: bool,
        follow: bool,
        tail: int | None,
        since: datetime | None,
        timestamps: bool,
        limit_bytes: int | None,
    ) -> AsyncIterator[bytes]:
        """Yield the container's log in chunks of any size; with `follow`, until the container has ended.

        `tail` is a number of lines, `since` an aware time, `timestamps` puts an RFC 3339 time and a space before
        each line. NodeError is raised before the first chunk. An empty chunk says that the log is open.
        """

    async def exec(
        self, pod: dict[str, Any], container: str, argv: Sequence[str], *, tty: bool, stdin: bool
    ) -> Process:
        """Start a program in a running container."""

    async def attach(self, pod: dict[str, Any], container: str, *, tty: bool, stdin: bool) -> Process:
        """Join the container's own process: its output from now on and, if it was made with stdin, its input.

        Closing the input ends the container's own only where its `stdinOnce` says so.
        """

    async def connect(self, pod: dict[str, Any], port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a TCP connection to 127.0.0.1:`port` inside the pod's network namespace.

        Raises NodeError when nothing listens there.
        """

    async def usage(self, pods: Sequence[dict[str, Any]]) -> Mapping[str, Mapping[str, Usage]]:
        """By the pods' uids and the containers' names; what does not run is left out. May take a second."""
