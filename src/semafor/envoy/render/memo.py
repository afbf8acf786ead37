"""Remember what equal values were rendered to, within bounds."""

from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

T = TypeVar("T")

_ENTRIES: Final = 40_000  # two views of a mesh with 1,000 services and 10,000 endpoints
_PLANS: Final = 4  # of the largest plan's size: what several views have of their own, and the plans before a change


class Memo:
    """A cache in two halves: what is used moves to the young half, and the old half is dropped when that is full."""

    def __init__(self, entries: int = _ENTRIES) -> None:
        self._half = entries // 2
        self._young: dict[tuple[Hashable, Hashable], Any] = {}
        self._old: dict[tuple[Hashable, Hashable], Any] = {}

    def make_room(self, parts: int) -> None:
        """Hold several plans of so many parts. With less, each plan would push out what the next one needs again."""
        self._half = max(self._half, parts * _PLANS // 2)

    def __call__(self, make: Callable[[Any], T], node: Hashable) -> T:
        """`make(node)`, or what it gave for an equal node before."""
        key = (make, node)
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                found = make(node)
            if len(self._young) >= self._half:
                self._old, self._young = self._young, {}
            self._young[key] = found
        return found  # of the type T, for the maker is part of the key
