"""What was read of one target: one list of times for all of its series."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from semafor.telemetry.series import packing
from semafor.telemetry.series.bits import ABSENT, STALE, Flags, Floats, Ids, Times, is_absent, is_stale

COLUMNS: Final = 120  # as many samples as Prometheus puts into a chunk; half an hour at 15 s
_FIRST_ROWS: Final = 16
_FIRST_COLUMNS: Final = 8


@dataclass(frozen=True, slots=True)
class Block:
    """Columns that do not change any more. `ids` is sorted; row i is the series ids[i]."""

    ids: Ids
    times: Times
    pieces: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        return sum(map(len, self.pieces)) + 8 * (len(self.ids) + len(self.times)) + 60 * len(self.pieces) + 200

    def read(self, wanted: Ids) -> tuple[Ids, Floats]:
        """Those of the wanted series that are in it, and their values."""
        found: Ids = np.intersect1d(wanted, self.ids, assume_unique=True)
        rows = np.searchsorted(self.ids, found)
        values: Floats = np.empty((len(rows), len(self.times)))
        piece = rows // packing.PIECE_ROWS
        for number in np.unique(piece):
            first = number * packing.PIECE_ROWS
            count = min(packing.PIECE_ROWS, len(self.ids) - first)
            matrix = packing.unpack(self.pieces[number], count, len(self.times))
            here = piece == number
            values[here] = matrix[rows[here] - first]
        return found, values


class Head:
    """The newest columns. Rows and columns double as they fill."""

    def __init__(self, ids: tuple[int, ...] = ()) -> None:
        self.times: list[int] = []
        self.rows: dict[int, int] = {series: row for row, series in enumerate(ids)}
        self._values: Floats = np.full((max(_FIRST_ROWS, len(ids)), _FIRST_COLUMNS), ABSENT[0])
        self._fill(self._values)

    @staticmethod
    def _fill(values: Floats) -> None:
        values[...] = ABSENT  # by array: a scalar may lose its bits on the way

    def row(self, series: int) -> int:
        """The row of a series; a new one where it has none."""
        known = self.rows.get(series)
        if known is None:
            known = self.rows[series] = len(self.rows)
        return known

    def append(self, time_ms: int, rows: Ids, values: Floats) -> None:
        """One more column. Rows that are not named were absent."""
        column = len(self.times)
        self._grow(len(self.rows), column + 1)
        self._values[rows, column] = values
        self.times.append(time_ms)

    def _grow(self, rows: int, columns: int) -> None:
        old = self._values
        if rows <= old.shape[0] and columns <= old.shape[1]:
            return
        # Rows grow by half: ten thousand of them are some megabytes, and most targets have few.
        new_rows = old.shape[0] if rows <= old.shape[0] else max(rows, old.shape[0] * 3 // 2)
        new_columns = old.shape[1] if columns <= old.shape[1] else min(COLUMNS, old.shape[1] * 4)
        self._values = np.empty((new_rows, max(new_columns, columns)))
        self._fill(self._values)
        self._values[: old.shape[0], : old.shape[1]] = old

    @property
    def values(self) -> Floats:
        return self._values[: len(self.rows), : len(self.times)]

    @property
    def size(self) -> int:
        return int(self._values.nbytes) + 100 * len(self.rows)

    @property
    def full(self) -> bool:
        return len(self.times) >= COLUMNS

    def block(self) -> Block:
        """Its columns, packed."""
        ids = np.fromiter(self.rows, dtype=np.int64, count=len(self.rows))
        order = np.argsort(ids)
        return Block(ids[order], np.array(self.times, dtype=np.int64), packing.pieces(self.values[order]))

    def living(self) -> frozenset[int]:
        """The series that its last column has."""
        if not self.times:
            return frozenset(self.rows)
        last = self.values[:, -1]
        alive = ~(is_absent(last) | is_stale(last))
        return frozenset(series for series, row in self.rows.items() if alive[row])

    def read(self, wanted: Ids) -> tuple[Ids, Floats]:
        rows = [(series, self.rows[series]) for series in wanted.tolist() if series in self.rows]
        ids = np.array([series for series, _ in rows], dtype=np.int64)
        return ids, self.values[[row for _, row in rows]]


class Group:
    """One target's samples, oldest first. Times only go forward."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.head = Head()
        self.alive: frozenset[int] = frozenset()  # the series of the last column
        self.series_count = 0  # in all of its parts

    @property
    def last_ms(self) -> int | None:
        """The time of the newest sample."""
        if self.head.times:
            return self.head.times[-1]
        return int(self.blocks[-1].times[-1]) if self.blocks else None

    def append(self, time_ms: int, rows: Ids, values: Floats) -> Block | None:
        """Append a column; the block that this has closed, if it has."""
        self.head.append(time_ms, rows, values)
        return self.close() if self.head.full else None

    def close(self) -> Block | None:
        """Pack the head. Series that have ended leave it."""
        if not self.head.times:
            return None
        block = self.head.block()
        self.blocks.append(block)
        self.head = Head(tuple(self.alive))
        return block

    def read(self, wanted: Ids, start_ms: int, end_ms: int) -> Iterator[tuple[Ids, Times, Floats]]:
        """Parts, oldest first: series, times, values (with the bits of stale and absent in them)."""
        for block in self.blocks:
            if block.times[-1] >= start_ms and block.times[0] <= end_ms:
                ids, values = block.read(wanted)
                if len(ids):
                    yield ids, block.times, values
        times = self.head.times
        if times and times[-1] >= start_ms and times[0] <= end_ms:
            ids, values = self.head.read(wanted)
            if len(ids):
                yield ids, np.array(times, dtype=np.int64), values

    def forget_before(self, time_ms: int) -> int:
        """Drop blocks that end before; how many."""
        kept = [block for block in self.blocks if block.times[-1] >= time_ms]
        gone, self.blocks = len(self.blocks) - len(kept), kept
        times = self.head.times
        if times and times[-1] < time_ms:  # a target that is gone
            self.head = Head()
            gone += 1
        return gone

    def series(self) -> Iterator[Ids]:
        """The series of each part; one may be in several."""
        for block in self.blocks:
            yield block.ids
        yield np.fromiter(self.head.rows, dtype=np.int64, count=len(self.head.rows))

    @property
    def size(self) -> int:
        return self.head.size + sum(block.size for block in self.blocks)


def present(values: Floats) -> Flags:
    """Where something was read, were it that the series ended."""
    return ~is_absent(values)


__all__ = ["COLUMNS", "STALE", "Block", "Group", "Head", "present"]
