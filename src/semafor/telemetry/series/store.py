"""The store: groups of series, an index over all of them, and limits that hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semafor.telemetry.labels import Labels
from semafor.telemetry.matching import Matcher
from semafor.telemetry.series.bits import STALE, Floats, Times, is_absent
from semafor.telemetry.series.group import Block, Group
from semafor.telemetry.series.index import Index


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_series` of the store within the window; a group may have a share of them, so that none starves others."""

    window_ms: int = 6 * 3600 * 1000
    max_series: int = 200_000
    group_share: float = 0.25
    max_bytes: int = 512 << 20

    @property
    def max_group_series(self) -> int:
        return max(1, int(self.max_series * self.group_share))


@dataclass(frozen=True, slots=True)
class Samples:
    """One series between two times. `values` has Prometheus's stale markers in it, and nothing absent."""

    labels: Labels
    times: Times
    values: Floats


@dataclass(slots=True)
class Refusals:
    """What did not get in, since the start."""

    over_limit: int = 0  # series for which there was no more room
    old: int = 0  # samples that were not newer than what is there


class Store:
    """All series. Not safe for several threads at once."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.refused = Refusals()
        self.groups: dict[str, Group] = {}
        self.index = Index()
        self._homes: dict[int, tuple[str, ...]] = {}  # the groups of each series: mostly one

    def append(self, group: str, time_ms: int, samples: Sequence[tuple[Labels, float]]) -> tuple[int, Block | None]:
        """Take what was read of a group at one time; what was there before and is not now has ended.

        Returns how many series found no room, and the block that this has closed.
        """
        refused = 0
        values: dict[int, float] = {}
        for labels, value in samples:
            series = self.resolve(group, labels)
            if series is None:
                refused += 1
            else:
                values.setdefault(series, value)  # of two samples for one series the first counts
        self.refused.over_limit += refused
        return refused, self.append_in_order(group, time_ms, values)

    def append_numbers(self, group: str, time_ms: int, values: dict[int, float]) -> Block | None:
        """Like `append`, for series whose numbers are known (`resolve`), in order of time."""
        home = self._group(group)
        head = home.head
        ended = home.alive - values.keys()
        home.alive = frozenset(values)
        rows = np.fromiter((head.row(series) for series in (*values, *ended)), np.int64, len(values) + len(ended))
        column = np.empty(len(rows))
        column[: len(values)] = np.fromiter(values.values(), np.float64, len(values))
        column[len(values) :] = STALE
        return home.append(time_ms, rows, column)

    def append_in_order(self, group: str, time_ms: int, values: dict[int, float]) -> Block | None:
        """Like `append_numbers`; what is not newer than what is there is refused."""
        last = self._group(group).last_ms
        if last is not None and time_ms <= last:
            self.refused.old += len(values)
            return None
        return self.append_numbers(group, time_ms, values)

    def resolve(self, group: str, labels: Labels, *, needed: bool = False) -> int | None:
        """The number of a series that a group has; None when there is no room for one more.

        `needed`: one of the few that tell how things are, for which there is room always.
        """
        series = self.index.find(labels)
        if series is not None and group in self._homes[series]:
            return series
        home = self._group(group)
        if home.series_count >= self.limits.max_group_series and not needed:
            return None
        if series is None:
            if len(self.index) >= self.limits.max_series and not needed:
                return None
            series = self.index.add(labels)
            self._homes[series] = ()
        self._homes[series] = (*self._homes[series], group)
        home.series_count += 1
        return series

    def is_full(self, group: str) -> bool:
        """Whether a group gets no more series."""
        limits = self.limits
        return self._group(group).series_count >= limits.max_group_series or len(self.index) >= limits.max_series

    def restore(self, number: int, labels: Labels, groups: Sequence[str]) -> None:
        """Put back a series with its number, as `disk` has it."""
        self.index.add(labels, number)
        self._homes[number] = tuple(groups)
        for group in groups:
            self._group(group).series_count += 1

    def _group(self, name: str) -> Group:
        found = self.groups.get(name)
        if found is None:
            found = self.groups[name] = Group()
        return found

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Samples]:
        """The series that the matchers take, with their samples from start to end, both included; none without."""
        parts: dict[int, list[tuple[Times, Floats]]] = {}
        for group, wanted in self._wanted(matchers).items():
            found = self.groups.get(group)
            if found is None:
                continue
            for ids, times, values in found.read(np.array(sorted(wanted), dtype=np.int64), start_ms, end_ms):
                low = int(np.searchsorted(times, start_ms))
                high = int(np.searchsorted(times, end_ms, side="right"))
                self._gather(parts, ids, times[low:high], values[:, low:high])
        return [Samples(self.index.labels(series), *_joined(found)) for series, found in sorted(parts.items())]

    def _wanted(self, matchers: Sequence[Matcher]) -> dict[str, list[int]]:
        wanted: dict[str, list[int]] = {}
        for series in self.index.select(matchers):
            for group in self._homes[series]:
                wanted.setdefault(group, []).append(series)
        return wanted

    @staticmethod
    def _gather(parts: dict[int, list[tuple[Times, Floats]]], ids: Any, times: Times, values: Floats) -> None:
        there = ~is_absent(values)
        whole: list[bool] = np.all(there, axis=1).tolist()
        some: list[bool] = np.any(there, axis=1).tolist()
        for row, series in enumerate(ids.tolist()):
            if whole[row] and len(times):
                parts.setdefault(series, []).append((times, values[row]))
            elif some[row]:
                here = there[row]
                parts.setdefault(series, []).append((times[here], values[row][here]))

    def matching(self, matchers: Sequence[Matcher]) -> Iterator[Labels]:
        """The labels of the series that the matchers take."""
        return (self.index.labels(series) for series in self.index.select(matchers))

    def forget(self, now_ms: int) -> None:
        """Drop what is older than the window, more when there is too much, and series that have no samples left."""
        limit = now_ms - self.limits.window_ms
        gone = sum(group.forget_before(limit) for group in self.groups.values())
        while self.bytes > self.limits.max_bytes and (oldest := self._oldest()) is not None:
            gone += sum(group.forget_before(oldest) for group in self.groups.values())
        if gone:
            self.recount()

    def _oldest(self) -> int | None:
        """Just after the end of the oldest block."""
        ends = [int(group.blocks[0].times[-1]) for group in self.groups.values() if group.blocks]
        return min(ends) + 1 if ends else None

    def recount(self) -> None:
        """Look anew which series are in which group, and forget those that are in none."""
        self.groups = {name: group for name, group in self.groups.items() if group.blocks or group.head.times}
        homes: dict[int, list[str]] = {}
        for name, group in self.groups.items():
            parts = list(group.series())
            known = np.unique(np.concatenate(parts)).tolist()
            group.series_count = len(known)
            for series in known:
                homes.setdefault(series, []).append(name)
        self.index.remove([series for series in self.index.known() if series not in homes])
        self._homes = {series: tuple(names) for series, names in homes.items()}

    def forget_after(self, now_ms: int) -> int:
        """Drop groups' samples of the future, after the clock was set back; how many groups that met."""
        met = 0
        for group in self.groups.values():
            if group.last_ms is not None and group.last_ms > now_ms:
                group.close()
                group.blocks = [block for block in group.blocks if block.times[-1] <= now_ms]
                met += 1
        if met:
            self.recount()
        return met

    @property
    def bytes(self) -> int:
        """Memory of the samples, about; the index has some 600 bytes a series besides."""
        return sum(group.size for group in self.groups.values())

    @property
    def span(self) -> tuple[int, int] | None:
        """The times of the oldest and the newest sample."""
        starts = [int(g.blocks[0].times[0]) if g.blocks else g.head.times[0] for g in self.groups.values() if g.last_ms]
        ends = [group.last_ms for group in self.groups.values() if group.last_ms]
        return (min(starts), max(ends)) if starts else None

    @property
    def samples(self) -> int:
        """How many places for samples there are, absent ones too."""
        packed = sum(len(block.ids) * len(block.times) for group in self.groups.values() for block in group.blocks)
        return packed + sum(len(group.head.rows) * len(group.head.times) for group in self.groups.values())


def _joined(parts: list[tuple[Times, Floats]]) -> tuple[Times, Floats]:
    if len(parts) == 1:
        return parts[0]
    times = np.concatenate([times for times, _ in parts])
    values = np.concatenate([values for _, values in parts])
    if np.all(times[1:] > times[:-1]):
        return times, values
    order = np.unique(times, return_index=True)[1]  # two groups with one series: the first to say something counts
    return times[order], values[order]


__all__ = ["Limits", "Refusals", "Samples", "Store"]
