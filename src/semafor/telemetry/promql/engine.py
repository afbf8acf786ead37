"""Queries: at one time, or at each step between two."""

import time
from typing import Final

import numpy as np

from semafor.telemetry.promql import checks
from semafor.telemetry.promql.errors import ExecutionError
from semafor.telemetry.promql.evaluate import Evaluation, Options, Source
from semafor.telemetry.promql.parser import parse
from semafor.telemetry.promql.results import Result, Row
from semafor.telemetry.promql.tree import Expr
from semafor.telemetry.promql.values import SAME_LABELS, Scalar, Text, Value, Vector, Windows
from semafor.telemetry.series.bits import Times

MAX_STEPS: Final = 11_000  # as many as Prometheus answers


class Engine:
    """Answers queries from a source of series. Times are milliseconds since 1970."""

    def __init__(self, source: Source, options: Options | None = None) -> None:
        self.options = options or Options()
        self._source = source

    def instant(self, query: str, time_ms: int) -> Result:
        """The answer at one time. Raises QueryError."""
        steps = np.array([time_ms], dtype=np.int64)
        return _instant(self._value(parse(query), steps), time_ms)

    def range(self, query: str, start_ms: int, end_ms: int, step_ms: int) -> Result:
        """The answer at each step from start to end. Raises QueryError."""
        expr = parse(query)
        kind = checks.type_of(expr)
        if kind not in ("scalar", "instant vector"):
            raise ExecutionError(f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector')
        steps = np.arange(start_ms, end_ms + 1, step_ms, dtype=np.int64)
        if len(steps) > MAX_STEPS:
            raise ExecutionError(f"exceeded maximum resolution of {MAX_STEPS} points per timeseries")
        return _range(self._value(expr, steps), steps)

    def _value(self, expr: Expr, steps: Times) -> Value:
        deadline = time.monotonic() + self.options.timeout_s
        evaluation = Evaluation(self._source, self.options, steps, int(steps[0]), int(steps[-1]), deadline)
        try:
            with np.errstate(all="ignore"):
                return evaluation.value(expr)
        except RecursionError:
            raise ExecutionError("the query is nested too deeply") from None
        except MemoryError:
            raise ExecutionError("the query needs more memory than there is") from None


def _instant(value: Value, time_ms: int) -> Result:
    now = np.array([time_ms], dtype=np.int64)
    match value:
        case Text(text):
            return Result("string", text=text, time_ms=time_ms)
        case Scalar(values):
            return Result("scalar", (Row((), now, values),))
        case Vector(labels, values, present):
            rows = [Row(found, now, values[row]) for row, found in enumerate(labels) if present[row, 0]]
            if len({row.labels for row in rows}) != len(rows):
                raise ExecutionError(SAME_LABELS)
            return Result("vector", tuple(rows))
        case Windows(labels, times, values, low, high):
            bounds = [(int(low[row, 0]), int(high[row, 0])) for row in range(len(labels))]
            parts = zip(labels, bounds, strict=True)
            return Result("matrix", tuple(Row(found, times[a:b], values[a:b]) for found, (a, b) in parts if b > a))


def _range(value: Value, steps: Times) -> Result:
    if isinstance(value, Scalar):
        return Result("matrix", (Row((), steps, value.values),))
    assert isinstance(value, Vector)
    rows = [
        Row(labels, steps[there], values[there])
        for labels, values, there in zip(value.labels, value.values, value.present, strict=True)
        if there.any()
    ]
    return Result("matrix", tuple(sorted(rows, key=lambda row: row.labels)))
