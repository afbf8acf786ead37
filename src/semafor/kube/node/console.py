"""A container's output: into its log, in the format that Kubernetes' container runtimes share, and to who is attached.

    2026-01-01T00:00:00.000000000Z stdout F a whole line
    2026-01-01T00:00:00.000000001Z stdout P a part of a line longer than 16 KiB

A log of 10 MB is renamed to `PATH.1`, the one before to `PATH.2`; older ones are deleted.
"""

import os
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Literal

Stream = Literal["stdout", "stderr"]

MAX_LINE_BYTES = 16 * 1024
MAX_LOG_BYTES = 10_000_000
KEPT_LOGS = 3  # the current one and two older
MAX_REPLAY_BYTES = 64 * 1024
MAX_UNREAD_BYTES = 1 << 20  # of one slow client; then the container waits, as on a full pipe


class Log:
    """A log file. Lines are written whole, at once, so that readers never see half of one."""

    def __init__(self, path: str, *, max_bytes: int = MAX_LOG_BYTES) -> None:
        self._path = Path(path)
        self._max_bytes = max_bytes
        self._unfinished: dict[Stream, bytes] = {}
        self._open()

    def write(self, stream: Stream, data: bytes) -> None:
        """Take a piece of output; a line is written when its end, or its 16 KiB, has come."""
        *lines, rest = (self._unfinished.get(stream, b"") + data).split(b"\n")
        head = f"{_now()} {stream} ".encode()
        records = [_record(head, line) for line in lines]
        while len(rest) >= MAX_LINE_BYTES:
            records.append(head + b"P " + rest[:MAX_LINE_BYTES] + b"\n")
            rest = rest[MAX_LINE_BYTES:]
        self._unfinished[stream] = rest
        self._append(b"".join(records))

    def close(self) -> None:
        """Write what has no line end, and close."""
        for stream, rest in self._unfinished.items():
            if rest:
                self._append(_record(f"{_now()} {stream} ".encode(), rest))
        os.close(self._file)

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self._bytes = os.fstat(self._file).st_size

    def _append(self, records: bytes) -> None:
        # A full disk, or a folder that was deleted, costs lines of the log, never the pod.
        with suppress(OSError):
            if records:
                self._bytes += os.write(self._file, records)
            if self._bytes >= self._max_bytes:
                self._rotate()

    def _rotate(self) -> None:
        names = [self._path, *(self._path.with_name(f"{self._path.name}.{age}") for age in range(1, KEPT_LOGS))]
        for newer, older in reversed(list(pairwise(names))):
            if newer.exists():
                newer.rename(older)
        full = self._file
        self._open()
        os.close(full)


class Client:
    """Someone attached: the pipes to write to, and what they have not taken yet. `stderr` -1 takes only stdout."""

    def __init__(self, stdout: int, stderr: int) -> None:
        self.unsent = {"stdout": (stdout, bytearray()), "stderr": (stderr, bytearray())}
        for pipe in self.pipes():
            os.set_blocking(pipe, False)

    def pipes(self) -> list[int]:
        return [pipe for pipe, _ in self.unsent.values() if pipe >= 0]

    def add(self, stream: Stream, data: bytes) -> None:
        if self.unsent[stream][0] >= 0:
            self.unsent[stream][1].extend(data)

    def is_waiting(self, pipe: int) -> bool:
        return any(waiting for own, waiting in self.unsent.values() if own == pipe)

    def flush(self) -> bool:
        """Write what the pipes take now. False: the client has gone."""
        for pipe, waiting in self.unsent.values():
            try:
                while waiting:
                    del waiting[: os.write(pipe, waiting)]
            except BlockingIOError:
                continue
            except OSError:
                return False
        return True

    @property
    def unread_bytes(self) -> int:
        return sum(len(waiting) for _, waiting in self.unsent.values())

    def close(self) -> None:
        for pipe in self.pipes():
            os.close(pipe)


class Console:
    """Where one container's output goes. The first client to attach also gets what came before it (`replay`)."""

    def __init__(self, log: Log | None, *, replay: bool) -> None:
        self._log = log
        self._before: dict[Stream, bytes] | None = {} if replay else None
        self._ended = False
        self.clients: list[Client] = []

    def write(self, stream: Stream, data: bytes) -> None:
        if self._log:
            self._log.write(stream, data)
        if self._before is not None:
            self._before[stream] = (self._before.get(stream, b"") + data)[-MAX_REPLAY_BYTES:]
        for client in self.clients:
            client.add(stream, data)

    def attach(self, client: Client) -> None:
        for stream, data in (self._before or {}).items():
            client.add(stream, data)
        self._before = None
        self.clients.append(client)

    def flush(self, client: Client) -> bool:
        """Send a client what it takes now. False: it has gone, or has all there will ever be; detach it."""
        return client.flush() and not (self._ended and client.unread_bytes == 0)

    def detach(self, client: Client) -> None:
        self.clients.remove(client)
        client.close()

    @property
    def is_full(self) -> bool:
        """A client is too far behind: stop reading the container's output."""
        return any(client.unread_bytes > MAX_UNREAD_BYTES for client in self.clients)

    def end(self) -> None:
        """There will be no more output. The clients stay until they have read what there is."""
        self._ended = True
        if self._log:
            self._log.close()


def _record(head: bytes, line: bytes) -> bytes:
    """One line as records: parts of at most 16 KiB, the last one marked full."""
    parts = [line[at : at + MAX_LINE_BYTES] for at in range(0, len(line), MAX_LINE_BYTES)] or [b""]
    return b"".join(head + b"P " + part + b"\n" for part in parts[:-1]) + head + b"F " + parts[-1] + b"\n"


def _now() -> str:
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds:09d}Z"
