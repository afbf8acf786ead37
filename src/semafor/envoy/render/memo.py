"""Remember what equal values were rendered to, within bounds."""

from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

T = TypeVar("T")

_ENTRIES: Final = 40_000  # two views of a mesh with 1,000 services and 10,000 endpoints


class Memo:
    """A cache in two halves: what is used moves to the young half, and the old half is dropped when that is full."""

    def __init__(self, entries: int = _ENTRIES) -> None:
        self._half = entries // 2
        self._young: dict[tuple[Hashable, Hashable], Any] = {}
        self._old: dict[tuple[Hashable, Hashable], Any] = {}

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
