"""The store on disk: one SQLite file that survives `kill -9`, and loses what came after the last `save`.

series   number -> labels
blocks   closed columns of a group, packed as they are in memory
recent   the columns of a group's head, a few at each save; they go when the head has become a block

Whatever goes wrong with the file is told and does not touch the store in memory: a full disk is tried again at the next
save; a damaged file is put aside.
"""

import contextlib
import sqlite3
import struct
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from semafor.telemetry.series import packing
from semafor.telemetry.series.bits import is_absent
from semafor.telemetry.series.group import Block, Group, Head
from semafor.telemetry.series.store import Store

_PAGE_BYTES: Final = 4096
_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, labels BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY, grp TEXT NOT NULL, ids BLOB NOT NULL, times BLOB NOT NULL,
                                   pieces BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS recent (grp TEXT NOT NULL, first INTEGER NOT NULL, ids BLOB NOT NULL, times BLOB NOT NULL,
                                   columns BLOB NOT NULL, PRIMARY KEY (grp, first));
"""


class _Saved:
    """What the file has of a group: its blocks with their rows, and how many columns of which head."""

    def __init__(self) -> None:
        self.blocks: list[tuple[Block, int]] = []
        self.head: Head | None = None
        self.columns = 0


class Disk:
    """The file at `path`, at most `max_bytes` long. Belongs to the thread that has made it."""

    def __init__(self, path: Path, *, max_bytes: int = 1 << 30) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._connection: sqlite3.Connection | None = None
        self._groups: dict[str, _Saved] = {}
        self._series: set[int] = set()

    def load(self, store: Store) -> str:
        """Fill an empty store with what was saved; what went wrong, "" when nothing did."""
        try:
            self._read(store)
        except (sqlite3.DatabaseError, OSError, ValueError, LookupError, TypeError, struct.error) as error:
            self._put_aside()
            store.__init__(store.limits)  # type: ignore[misc] # half of a file is worse than none
            return f"{self._path} cannot be read and was put aside: {error}"
        return ""

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=1.0)
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(f"PRAGMA journal_size_limit={8 << 20}")
            connection.execute(f"PRAGMA max_page_count={self._max_bytes // _PAGE_BYTES}")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _VERSION):
                connection.close()
                raise ValueError(f"version {version} of the file is not known")
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA user_version={_VERSION}")
            self._connection = connection
        return self._connection

    def _put_aside(self) -> None:
        self.close()
        with contextlib.suppress(OSError):
            self._path.rename(self._path.with_suffix(".damaged"))
        for suffix in ("-wal", "-shm"):
            with contextlib.suppress(OSError):
                self._path.with_name(self._path.name + suffix).unlink()

    def close(self) -> None:
        """Close the file; nothing is saved."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # Reading

    def _read(self, store: Store) -> None:
        connection = self._open()
        for number, text in connection.execute("SELECT id, labels FROM series ORDER BY id"):
            labels = msgspec.json.decode(text, type=tuple[tuple[str, str], ...])
            store.index.add(labels, number)
            self._series.add(number)
        for row, name, ids, times, pieces in connection.execute("SELECT * FROM blocks ORDER BY id"):
            block = Block(_integers(ids), _integers(times), _parted(pieces))
            self._group(store, name).blocks.append(block)
            self._groups[name].blocks.append((block, row))
        for name, _, ids, times, columns in connection.execute("SELECT * FROM recent ORDER BY grp, first"):
            _append(self._group(store, name).head, _integers(ids).tolist(), _integers(times).tolist(), columns)
        for name, group in store.groups.items():
            saved = self._groups[name]
            saved.head, saved.columns = group.head, len(group.head.times)
            group.alive = group.head.living() if group.head.times else frozenset()
        store.recount()

    def _group(self, store: Store, name: str) -> Group:
        self._groups.setdefault(name, _Saved())
        return store.groups.setdefault(name, Group())

    # Writing

    def save(self, store: Store) -> str:
        """Write what is new, in one transaction; what went wrong, "" when nothing did."""
        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                saved, series = self._write(connection, store)
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
            connection.execute("PRAGMA incremental_vacuum(2000)").fetchall()
        except (sqlite3.Error, OSError, ValueError) as error:
            self.close()
            return f"{self._path} cannot be written: {error}"
        self._groups, self._series = saved, series
        return ""

    def _write(self, connection: sqlite3.Connection, store: Store) -> tuple[dict[str, _Saved], set[int]]:
        known = set(store.index.known())
        connection.executemany("DELETE FROM series WHERE id = ?", [(number,) for number in self._series - known])
        new = ((number, msgspec.json.encode(store.index.labels(number))) for number in sorted(known - self._series))
        connection.executemany("INSERT OR REPLACE INTO series VALUES (?, ?)", new)
        for name in self._groups.keys() - store.groups.keys():
            connection.execute("DELETE FROM blocks WHERE grp = ?", (name,))
            connection.execute("DELETE FROM recent WHERE grp = ?", (name,))
        empty = _Saved()
        saved = {
            name: _write_group(connection, name, group, self._groups.get(name, empty))
            for name, group in store.groups.items()
        }
        return saved, known


def _write_group(connection: sqlite3.Connection, name: str, group: Group, before: _Saved) -> _Saved:
    now = _Saved()
    rows = {id(block): row for block, row in before.blocks}
    for block in group.blocks:
        row = rows.pop(id(block), None)
        if row is None:
            values = (name, block.ids.tobytes(), block.times.tobytes(), _joined(block.pieces))
            found = connection.execute("INSERT INTO blocks (grp, ids, times, pieces) VALUES (?, ?, ?, ?)", values)
            row = int(found.lastrowid or 0)
        now.blocks.append((block, row))
    connection.executemany("DELETE FROM blocks WHERE id = ?", [(row,) for row in rows.values()])
    head, first = group.head, before.columns
    if head is not before.head:
        connection.execute("DELETE FROM recent WHERE grp = ?", (name,))
        first = 0
    if len(head.times) > first:
        ids = np.fromiter(head.rows, dtype=np.int64, count=len(head.rows))
        times = np.array(head.times[first:], dtype=np.int64)
        columns = packing.pack(head.values[:, first:])
        connection.execute(
            "INSERT OR REPLACE INTO recent VALUES (?, ?, ?, ?, ?)",
            (name, first, ids.tobytes(), times.tobytes(), columns),
        )
    now.head, now.columns = head, len(head.times)
    return now


def _append(head: Head, ids: list[int], times: list[int], packed: bytes) -> None:
    """Columns after those that a head has."""
    values = packing.unpack(packed, len(ids), len(times)) if ids else np.empty((0, len(times)))
    rows = np.array([head.row(series) for series in ids], dtype=np.int64)
    for column, time_ms in enumerate(times):
        there = ~is_absent(values[:, column])
        head.append(time_ms, rows[there], values[there, column])


def _integers(raw: bytes) -> Any:
    return np.frombuffer(raw, dtype=np.int64)


def _joined(pieces: tuple[bytes, ...]) -> bytes:
    """Pieces in one, with their lengths before them."""
    return struct.pack(f"<I{len(pieces)}I", len(pieces), *map(len, pieces)) + b"".join(pieces)


def _parted(raw: bytes) -> tuple[bytes, ...]:
    (count,) = struct.unpack_from("<I", raw)
    place, found = 4 + 4 * count, []
    for length in struct.unpack_from(f"<{count}I", raw, 4):
        found.append(raw[place : place + length])
        place += length
    return tuple(found)
