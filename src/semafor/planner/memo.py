"""Results that are kept from one generation of the mesh to the next while what they were made of is the same."""

from collections.abc import Callable, Hashable
from operator import is_
from typing import Any, TypeVar

T = TypeVar("T")


class Memo:
    """It changes how fast a mesh answers, never what it answers.

    Within a generation a key has one result. The result of the generation before is taken over when it was made of the
    very same objects, which is the case for all that a change did not touch. What nobody asks for is forgotten.
    """

    def __init__(self, previous: "Memo | None" = None) -> None:
        self.entries: dict[Hashable, tuple[tuple[Any, ...], Any]] = {}
        self._fleeting: dict[Hashable, Any] = {}
        self._previous = previous.entries if previous else {}
        self._near: dict[Hashable, tuple[tuple[Any, ...], tuple[Any, ...], Any]] = {}
        self._previous_near = previous.near_entries if previous else {}

    @property
    def near_entries(self) -> dict[Hashable, tuple[tuple[Any, ...], tuple[Any, ...], Any]]:
        """What `near` has kept."""
        return self._near

    def __call__(self, key: Hashable, inputs: tuple[Any, ...], compute: Callable[[], T]) -> T:
        """The result of `compute`, which has to depend on nothing but `key` and `inputs`."""
        entry = self.entries.get(key)
        if entry is None:
            entry = self._previous.get(key)
            if entry is None or not _same(entry[0], inputs):
                entry = (inputs, compute())
            self.entries[key] = entry
        result: T = entry[1]
        return result

    def near(
        self, key: Hashable, near: tuple[Any, ...], inputs: Callable[[], tuple[Any, ...]], compute: Callable[[], T]
    ) -> T:
        """The same, where the inputs take long to find: while `near` is the same, they are, and are not looked for."""
        entry = self._near.get(key)
        if entry is None:
            entry = self._previous_near.get(key)
            if entry is None or not _same(entry[0], near):
                found = inputs()
                entry = (near, found, entry[2] if entry is not None and _same(entry[1], found) else compute())
            self._near[key] = entry
        kept: T = entry[2]
        return kept

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The result of `compute`, which may depend on all of this generation, and does not outlive it."""
        if key not in self._fleeting:
            self._fleeting[key] = compute()
        result: T = self._fleeting[key]
        return result


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return len(one) == len(other) and all(map(is_, one, other))
