"""What expressions are worth, at all steps at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from semafor.telemetry.labels import Labels, nameless, written
from semafor.telemetry.promql.errors import ExecutionError
from semafor.telemetry.series.bits import Flags, Floats, Times

SAME_LABELS = "vector cannot contain metrics with the same labelset"


@dataclass(frozen=True, slots=True)
class Vector:
    """An instant vector at each step: row i is the series labels[i]; where `present` is not set it has no value."""

    labels: tuple[Labels, ...]
    values: Floats
    present: Flags

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, kept: Iterable[int]) -> "Vector":
        """Some of the rows."""
        chosen = list(kept)
        return Vector(tuple(self.labels[row] for row in chosen), self.values[chosen], self.present[chosen])

    def where(self, present: Flags) -> "Vector":
        """The same, with values in fewer places; rows without any are left out."""
        there = self.present & present
        some = there.any(axis=1)
        if some.all():
            return Vector(self.labels, self.values, there)
        return Vector(self.labels, self.values, there).rows(np.flatnonzero(some).tolist())

    def valued(self, values: Floats) -> "Vector":
        """Computed values for the same series, which have no metric's name any more."""
        return distinct(tuple(nameless(labels) for labels in self.labels), values, self.present)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number at each step."""

    values: Floats


@dataclass(frozen=True, slots=True)
class Text:
    """A string: the same at each step."""

    value: str


@dataclass(frozen=True, slots=True)
class Windows:
    """The samples that range functions look at: those of all series in one line.

    The window of series i at step j is `times[low[i, j] : high[i, j]]`. `ends` are the windows' ends at each step, and
    `range_ms` is their length; `steps` are the times for which is asked, apart from the ends by `offset` and `@`.
    """

    labels: tuple[Labels, ...]
    times: Times
    values: Floats
    low: Times
    high: Times
    ends: Times
    steps: Times
    range_ms: int

    @property
    def counts(self) -> Times:
        """How many samples each window has."""
        return self.high - self.low


Value: TypeAlias = Vector | Scalar | Text | Windows


def nothing(steps: int) -> Vector:
    """No series at all."""
    return Vector((), np.empty((0, steps)), np.empty((0, steps), dtype=np.bool_))


def distinct(labels: tuple[Labels, ...], values: Floats, present: Flags) -> Vector:
    """A vector in which rows of equal labels are one. Raises ExecutionError when two have a value at one step."""
    places: dict[Labels, list[int]] = {}
    for row, found in enumerate(labels):
        places.setdefault(found, []).append(row)
    if len(places) == len(labels):
        return Vector(labels, values, present)
    merged_values, merged = np.zeros((len(places), values.shape[1])), np.zeros((len(places), values.shape[1]), np.bool_)
    for place, rows in enumerate(places.values()):
        if (present[rows].sum(axis=0) > 1).any():
            raise ExecutionError(SAME_LABELS)
        for row in rows:
            merged_values[place][present[row]] = values[row][present[row]]
            merged[place] |= present[row]
    return Vector(tuple(places), merged_values, merged)


def shown(labels: Labels) -> str:
    """Labels in an error message."""
    return written(labels)
