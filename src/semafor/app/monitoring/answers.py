"""What the page asks of metrics, answered in process. Implements app.web.sources.Metrics."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from semafor.app.monitoring.service import Monitoring
from semafor.app.monitoring.thread import Overloaded
from semafor.app.web.sources import Sample, Series

if TYPE_CHECKING:
    from semafor.telemetry.promql import Engine, Result, Row
    from semafor.telemetry.series import Store

T = TypeVar("T")


class Answers:
    """PromQL over the mesh's metrics. Times are seconds since 1970."""

    def __init__(self, monitoring: Monitoring) -> None:
        self._monitoring = monitoring

    async def query(self, expr: str, at: float) -> Sequence[Sample]:
        """The rows of an instant query. Raises ValueError, with a sentence."""
        time_ms = round(at * 1000)

        def work(_: object, engine: "Engine") -> list[Sample]:
            rows = _answered(lambda: engine.instant(expr, time_ms)).rows
            return [Sample(dict(row.labels), row.last.value) for row in rows]

        return await self._ask(work)

    async def query_range(self, expr: str, start: float, end: float, step: float) -> Sequence[Series]:
        """The rows of a range query. Raises ValueError, with a sentence."""
        first, last, width = round(start * 1000), round(end * 1000), max(1, round(step * 1000))

        def work(_: object, engine: "Engine") -> list[Series]:
            return [_series(row) for row in _answered(lambda: engine.range(expr, first, last, width)).rows]

        return await self._ask(work)

    async def _ask(self, work: "Callable[[Store, Engine], list[T]]") -> "list[T]":
        try:
            return await self._monitoring.ask(work)
        except Overloaded as error:
            raise ValueError(str(error)) from error


def _answered(query: "Callable[[], Result]") -> "Result":
    from semafor.telemetry.promql import QueryError

    try:
        return query()
    except QueryError as error:
        raise ValueError(str(error)) from error


def _series(row: "Row") -> Series:
    times: list[int] = row.times.tolist()
    values: list[float] = row.values.tolist()
    return Series(dict(row.labels), [(time_ms / 1000, value) for time_ms, value in zip(times, values, strict=True)])
