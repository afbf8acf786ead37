"""The tree -> its value at all steps."""

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from semafor.telemetry.labels import nameless
from semafor.telemetry.matching import Matcher
from semafor.telemetry.promql import aggregate, binary, calls, tree
from semafor.telemetry.promql.errors import ExecutionError, Timeout
from semafor.telemetry.promql.tree import Expr, When
from semafor.telemetry.promql.values import Scalar, Text, Value, Vector, Windows, distinct, nothing
from semafor.telemetry.series.bits import Flags, Times, is_stale
from semafor.telemetry.series.store import Samples


class Source(Protocol):
    """Where series come from."""

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Samples]: ...


@dataclass(frozen=True, slots=True)
class Options:
    """`lookback_ms`: how old a value may be. `step_ms`: of subqueries without one. `modern`: as Prometheus 3, to whose
    windows their very beginning does not belong."""

    lookback_ms: int = 300_000
    step_ms: int = 60_000
    max_samples: int = 20_000_000
    timeout_s: float = 60.0
    modern: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One query: its steps, and the limits that it has. `start_ms` and `end_ms` are those of the whole query."""

    source: Source
    options: Options
    steps: Times
    start_ms: int
    end_ms: int
    deadline: float

    def value(self, expr: Expr) -> Value:
        """The value of an expression."""
        if time.monotonic() > self.deadline:
            raise Timeout("query timed out in expression evaluation")
        match expr:
            case tree.Number(number):
                return Scalar(np.full(len(self.steps), number))
            case tree.String(text):
                return Text(text)
            case tree.Paren(inner):
                return self.value(inner)
            case tree.Selector():
                return self.instant(expr)[0]
            case tree.Matrix():
                return self._matrix(expr)
            case tree.Subquery():
                return self._subquery(expr)
            case tree.Call():
                return calls.call(self, expr)
            case tree.Unary():
                return self._unary(expr)
            case tree.Binary():
                return self._binary(expr)
            case tree.Aggregate():
                return self._aggregate(expr)

    def vector(self, expr: Expr) -> Vector:
        found = self.value(expr)
        assert isinstance(found, Vector)
        return found

    def _unary(self, expr: tree.Unary) -> Value:
        found = self.value(expr.expr)
        if expr.op == "+":
            return found
        if isinstance(found, Scalar):
            return Scalar(-found.values)
        assert isinstance(found, Vector)
        return found.valued(-found.values)

    def _binary(self, expr: tree.Binary) -> Value:
        left, right = self.value(expr.left), self.value(expr.right)
        assert isinstance(left, Scalar | Vector)
        assert isinstance(right, Scalar | Vector)
        return binary.combine(expr, left, right)

    def _aggregate(self, expr: tree.Aggregate) -> Value:
        parameter = self.value(expr.parameter) if expr.parameter is not None else None
        assert parameter is None or isinstance(parameter, Scalar | Text)
        return aggregate.aggregate(expr, self.vector(expr.expr), parameter)

    # What comes out of the store

    def moments(self, when: When) -> Times:
        """The time at which each step looks."""
        if when.at is None:
            return self.steps - when.offset_ms
        at = {"start": self.start_ms, "end": self.end_ms}.get(str(when.at), when.at)
        return np.full(len(self.steps), int(at) - when.offset_ms, dtype=np.int64)

    def instant(self, selector: tree.Selector) -> tuple[Vector, Vector]:
        """The newest values of series, and when these were read (in seconds)."""
        moments = self.moments(selector.when)
        oldest = moments - self.options.lookback_ms + (1 if self.options.modern else 0)
        found = self.source.select(selector.matchers, int(oldest.min()), int(moments.max()))
        self._afford(len(found) * len(moments) + sum(len(series.times) for series in found))
        if not found:
            return nothing(len(moments)), nothing(len(moments))
        shape = (len(found), len(moments))
        values, times, present = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.bool_)
        for row, series in enumerate(found):
            place = np.searchsorted(series.times, moments, side="right") - 1
            inside = np.maximum(place, 0)
            when, taken = series.times[inside], series.values[inside]
            present[row] = (place >= 0) & (when >= oldest) & ~is_stale(taken)
            values[row], times[row] = taken, when / 1000
        labels = tuple(series.labels for series in found)
        return Vector(labels, values, present).where(present), Vector(labels, times, present).where(present)

    def _matrix(self, expr: tree.Matrix) -> Windows:
        moments = self.moments(expr.selector.when)
        start = int(moments.min()) - expr.range_ms
        found = self.source.select(expr.selector.matchers, start, int(moments.max()))
        self._afford(sum(len(series.times) for series in found))
        return self.windows([_living(series) for series in found], moments, expr.range_ms)

    def windows(self, found: Sequence[Samples], moments: Times, range_ms: int) -> Windows:
        """The windows of series that end at these moments."""
        shape = (len(found), len(moments))
        low, high = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        base = 0
        side: Literal["left", "right"] = "right" if self.options.modern else "left"
        for row, series in enumerate(found):
            low[row] = np.searchsorted(series.times, moments - range_ms, side=side) + base
            high[row] = np.searchsorted(series.times, moments, side="right") + base
            base += len(series.times)
        some: Flags = np.any(high > low, axis=1, keepdims=True)[:, 0]
        self._afford(int((high - low).sum()))
        times = np.concatenate([series.times for series in found]) if found else np.zeros(0, dtype=np.int64)
        values = np.concatenate([series.values for series in found]) if found else np.zeros(0)
        labels = tuple(series.labels for series, there in zip(found, some.tolist(), strict=True) if there)
        return Windows(labels, times, values, low[some], high[some], moments, self.steps, range_ms)

    def _subquery(self, expr: tree.Subquery) -> Windows:
        moments = self.moments(expr.when)
        step = expr.step_ms or self.options.step_ms
        first = int(moments.min()) - expr.range_ms
        aligned = -(-first // step) * step
        if self.options.modern and aligned == first:
            aligned += step
        grid = np.arange(aligned, int(moments.max()) + 1, step, dtype=np.int64)
        self._afford(len(grid))
        if not len(grid):
            return self.windows([], moments, expr.range_ms)
        inner = dataclasses.replace(self, steps=grid).value(expr.expr)
        if isinstance(inner, Scalar):
            rows = [Samples((), grid, inner.values)]
        else:
            assert isinstance(inner, Vector)
            self._afford(inner.values.size)
            rows = [
                Samples(labels, grid[there], values[there])
                for labels, values, there in zip(inner.labels, inner.values, inner.present, strict=True)
            ]
        return self.windows(rows, moments, expr.range_ms)

    def _afford(self, samples: int) -> None:
        if samples > self.options.max_samples:
            raise ExecutionError("query processing would load too many samples into memory in query execution")

    def named(self, windows: Windows, found: tuple[object, object]) -> Vector:
        """What a range function gives, as a vector that has no metric's name any more."""
        values, present = found
        assert isinstance(values, np.ndarray)
        assert isinstance(present, np.ndarray)
        return distinct(tuple(nameless(labels) for labels in windows.labels), values, present)


def _living(series: Samples) -> Samples:
    ended = is_stale(series.values)
    if not ended.any():
        return series
    return Samples(series.labels, series.times[~ended], series.values[~ended])
