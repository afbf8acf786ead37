"""What the API needs from whoever serves it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from semafor.telemetry.exposition import Metadata
from semafor.telemetry.labels import Labels
from semafor.telemetry.promql import Engine
from semafor.telemetry.series import Store

T = TypeVar("T")
Json = dict[str, Any]


class Run(Protocol):
    """Runs a function where the store lives, and gives its answer."""

    def __call__(self, work: Callable[[Store, Engine], T], /) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class TargetView:
    """One target as the API shows it. `last_scrape` is None before the first; times are seconds."""

    pool: str
    url: str
    labels: Labels
    discovered: Mapping[str, str]
    interval_s: float
    timeout_s: float
    error: str = ""
    last_scrape: float | None = None
    duration_s: float = 0.0
    metadata: Mapping[str, Metadata] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Backend:
    """`now` gives seconds since 1970. `rules` gives groups as the API shows them, `alerts` what is active."""

    run: Run
    now: Callable[[], float]
    targets: Callable[[], Iterable[TargetView]]
    rules: Callable[[], list[Json]]
    alerts: Callable[[], list[Json]]
    version: str
    started: float
    retention: Callable[[], str]
    interval: Callable[[], str]
