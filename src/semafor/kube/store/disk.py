"""SQLite behind one writer thread: what is in the queue when it wakes goes into one transaction (group commit).

A write is reported done only after COMMIT with `synchronous=FULL`, so it survives the death of the process and of the
machine. When a transaction fails, every write after it is refused too, until the owner says `resume`: they may build on
what was lost.
"""

import enum
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from semafor.kube.store.errors import StoreError

MAX_BATCH = 512  # rows in one transaction: bounds how long the first writer of a burst waits

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL);
INSERT OR IGNORE INTO counter VALUES (1, 0);
"""


class Row(NamedTuple):
    """One write: the document's JSON under its key, or None for a deletion; `version` is the write's own."""

    resource: str
    namespace: str
    name: str
    version: int
    body: bytes | None


class _Mark(enum.Enum):
    RESUME = 1
    CLOSE = 2


Done = Callable[[Sequence[Row], Exception | None], None]


class Disk:
    """The file. `done` is called in the writer's thread, in the order of the writes, with each finished batch."""

    def __init__(self, path: Path, done: Done) -> None:
        self._path = path
        self._connection = _connect(path)
        self._done = done
        self._queue: queue.SimpleQueue[Row | _Mark] = queue.SimpleQueue()
        self._failure: sqlite3.Error | None = None
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)

    def version(self) -> int:
        """The last version that was given out before this process started."""
        return int(self._connection.execute("SELECT version FROM counter").fetchone()[0])

    def rows(self) -> Iterator[Row]:
        """Everything that is stored. To be read before `start`. Raises StoreError."""
        try:
            for row in self._connection.execute("SELECT resource, namespace, name, version, body FROM objects"):
                yield Row(*row)
        except sqlite3.Error as error:
            raise StoreError(f"cannot read the store {self._path}: {error}") from error

    def start(self) -> None:
        self._thread.start()

    def write(self, row: Row) -> None:
        """Queue a write; `done` tells its fate."""
        self._queue.put(row)

    def resume(self) -> None:
        """Take writes again after a failure; those queued before this call are still refused, with the same error."""
        self._queue.put(_Mark.RESUME)

    def close(self) -> None:
        """Finish what is queued, then let the file go. Blocks."""
        if self._thread.is_alive():
            self._queue.put(_Mark.CLOSE)
            self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        batch: list[Row] = []
        while True:
            item = self._next() if batch else self._queue.get()
            if isinstance(item, Row):
                batch.append(item)
                if len(batch) < MAX_BATCH:
                    continue
            if batch:
                self._finish(batch)
                batch = []
            if item is _Mark.CLOSE:
                return
            if item is _Mark.RESUME:
                self._failure = None

    def _next(self) -> Row | _Mark | None:
        """What is waiting, or None: the batch is complete."""
        try:
            return self._queue.get_nowait()
        except queue.Empty:
            return None

    def _finish(self, batch: list[Row]) -> None:
        self._failure = self._failure or self._commit(batch)
        self._done(batch, self._failure)

    def _commit(self, batch: list[Row]) -> sqlite3.Error | None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for row in batch:
                self._apply(row)
            self._connection.execute("UPDATE counter SET version = ?", (batch[-1].version,))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            return error
        return None

    def _apply(self, row: Row) -> None:
        if row.body is None:
            self._connection.execute("DELETE FROM objects WHERE resource=? AND namespace=? AND name=?", row[:3])
        else:
            self._connection.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", row)


def _connect(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")  # a second process must fail here, not corrupt the counter
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(_SCHEMA)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot open the store {path}: {error}") from error
    return connection
