"""What several levels say one after the other: who is told, and which of their parts are for a direction.

Source: Istio's function mergeMetrics and its likes: a level that names providers replaces those of the level before.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol, TypeVar

from semafor.ir import Origin
from semafor.planner.checks.problems import at
from semafor.planner.telemetry.objects import Telemetry
from semafor.resources.istio import telemetry as istio

Direction = Literal["CLIENT", "SERVER"]  # calls that are made, calls that are taken


class _Section(Protocol):
    @property
    def providers(self) -> tuple[istio.ProviderRef, ...]: ...


class _Selector(Protocol):
    @property
    def mode(self) -> str: ...


S = TypeVar("S", bound=_Section)


def names(section: _Section) -> tuple[str, ...]:
    return tuple(provider.name for provider in section.providers)


def metrics(levels: Iterable[Telemetry]) -> Iterator[tuple[istio.Metrics, Origin]]:
    """The sections of all levels, each with its place."""
    for level in levels:
        yield from ((each, at(level.origin, f"metrics[{index}]")) for index, each in enumerate(level.spec.metrics))


def logs(levels: Iterable[Telemetry]) -> Iterator[tuple[istio.AccessLogging, Origin]]:
    for level in levels:
        found = enumerate(level.spec.access_logging)
        yield from ((each, at(level.origin, f"accessLogging[{index}]")) for index, each in found)


def tracing(levels: Iterable[Telemetry]) -> Iterator[tuple[istio.Tracing, Origin]]:
    for level in levels:
        yield from ((each, at(level.origin, f"tracing[{index}]")) for index, each in enumerate(level.spec.tracing))


def told(said: Iterable[tuple[S, Origin]], default: tuple[str, ...]) -> tuple[str, ...]:
    """Who is told at all: whom the last section names that names anybody."""
    chosen = default
    for section, _ in said:
        chosen = names(section) or chosen
    return chosen


def each(said: Iterable[tuple[S, Origin]], default: tuple[str, ...]) -> Iterator[tuple[S, tuple[str, ...], Origin]]:
    """Every section with those that it is for: whom it names, else whom the one before it is for."""
    before = default
    for section, origin in said:
        before = names(section) or before
        yield section, before, origin


def matches(selector: _Selector | None, direction: Direction) -> bool:
    return selector is None or selector.mode in ("CLIENT_AND_SERVER", direction)
