"""What a query answers."""

from dataclasses import dataclass
from typing import Literal

from semafor.telemetry.labels import Labels
from semafor.telemetry.series.bits import Floats, Times

Kind = Literal["vector", "matrix", "scalar", "string"]


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a time, in milliseconds."""

    time_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class Row:
    """The values of one series; one of them in a vector."""

    labels: Labels
    times: Times
    values: Floats

    @property
    def last(self) -> Point:
        return Point(int(self.times[-1]), float(self.values[-1]))


@dataclass(frozen=True, slots=True)
class Result:
    """`rows` of a vector or a matrix; of a scalar one row without labels; `text` of a string."""

    kind: Kind
    rows: tuple[Row, ...] = ()
    text: str = ""
    time_ms: int = 0  # of a string
