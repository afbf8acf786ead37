"""Which steps take all that others would: earlier ones, or a newer object's, with fewer conditions."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from semafor.ir import PathMatch, RouteMatch
from semafor.planner import hosts
from semafor.planner.routes.step import L4Step, Source, Step

S = TypeVar("S", Step, L4Step)
_PATHS = ("exact", "prefix")
# Of the steps with one path, so that a thousand rules for one path do not make a million comparisons.
_COMPARED = 50


class Shadow(Generic[S]):
    """The steps so far. `over` finds one of them that leaves nothing to a later step."""

    def __init__(self) -> None:
        self._by_place: dict[str, list[S]] = {}

    def add(self, step: S) -> None:
        known = self._by_place.setdefault(_place(step), [])
        if len(known) < _COMPARED:
            known.append(step)

    def over(self, step: S) -> S | None:
        """The first that takes all that the step would take, of those whose conditions can be compared."""
        candidates = (known for place in _places(step) for known in self._by_place.get(place, ()))
        return next((known for known in candidates if covers(known, step)), None)


class Layers(Generic[S]):
    """The steps in force of newer objects for one host, told apart by who sees them and by whether they take all."""

    def __init__(self) -> None:
        self._known: dict[tuple[frozenset[str] | None, bool], Shadow[S]] = {}

    def add(self, step: S, audience: frozenset[str] | None) -> None:
        self._known.setdefault((audience, step.is_catch_all), Shadow()).add(step)

    def over(self, step: S, audience: frozenset[str] | None) -> S | None:
        """A step that takes all of this one's from everybody who sees this one. See `layering` for what comes first."""
        for (seen_by, takes_all), shadow in self._known.items():
            wide_enough = seen_by is None or (audience is not None and audience <= seen_by)
            if wide_enough and takes_all is step.is_catch_all and (found := shadow.over(step)):
                return found
        return None


def covers(one: S, other: S) -> bool:
    """Whether everything that `other` takes is taken by `one`."""
    if not _source(one.source, other.source):
        return False
    if isinstance(one, Step) and isinstance(other, Step):
        return _match(one.match, other.match)
    if isinstance(one, L4Step) and isinstance(other, L4Step):
        return _connections(one, other)
    return False


def _place(step: Step | L4Step) -> str:
    """Where a step is looked for: by its path, as far as paths can be compared."""
    if isinstance(step, L4Step):
        return ""
    path = step.match.path
    return path.value.lower() if path.kind in _PATHS else f"{path.kind} {path.value}"


def _places(step: Step | L4Step) -> Iterator[str]:
    """Where a step that takes all of this one could be."""
    place = _place(step)
    if isinstance(step, Step) and step.match.path.kind in _PATHS:
        yield from (place[:end] for end in range(1, len(place) + 1))
    else:
        yield from dict.fromkeys((place, "/"))


def _source(one: Source, other: Source) -> bool:
    return (
        one.port in {0, other.port}
        and one.namespace in {"", other.namespace}
        and set(one.labels) <= set(other.labels)
        and (not one.gateways or (bool(other.gateways) and set(other.gateways) <= set(one.gateways)))
    )


def _match(one: RouteMatch, other: RouteMatch) -> bool:
    return _path(one.path, other.path) and set(one.headers) <= set(other.headers) and set(one.query) <= set(other.query)


def _path(one: PathMatch, other: PathMatch) -> bool:
    if one in (other, PathMatch()):
        return True
    if one.kind not in _PATHS or other.kind not in _PATHS or (other.ignore_case and not one.ignore_case):
        return False
    mine, theirs = (path.value.lower() if one.ignore_case else path.value for path in (one, other))
    return theirs.startswith(mine) if one.kind == "prefix" else other.kind == "exact" and mine == theirs


def _connections(one: L4Step, other: L4Step) -> bool:
    return _all_in(one.server_names, other.server_names) and (
        not one.ranges or (bool(other.ranges) and set(other.ranges) <= set(one.ranges))
    )


def _all_in(patterns: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """Whether each of the names is covered by a pattern; no patterns cover all, and no names mean all."""
    if not patterns:
        return True
    return bool(names) and all(any(hosts.covers(pattern, name) for pattern in patterns) for name in names)
