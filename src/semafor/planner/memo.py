"""Results that are kept from one generation of the mesh to the next while what they were made of is the same."""

from collections.abc import Callable, Hashable
from operator import is_
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")
_Near = tuple[tuple[Any, ...], tuple[Any, ...], Any]


class Made(NamedTuple, Generic[T]):
    """How a result comes about: few objects that the inputs follow from, the inputs, and what is made of them."""

    near: Callable[[], tuple[Any, ...]]
    inputs: Callable[[], tuple[Any, ...]]
    compute: Callable[[], T]


class Memo:
    """It changes how fast a mesh answers, never what it answers.

    Within a generation a key has one result. The result of the generation before is taken over when it was made of the
    very same objects, which is the case for all that a change did not touch. What nobody asks for is forgotten.
    """

    def __init__(self, previous: "Memo | None" = None) -> None:
        self.entries: dict[Hashable, tuple[tuple[Any, ...], Any]] = {}
        self._fleeting: dict[Hashable, Any] = {}
        self._previous = previous.entries if previous else {}
        self._near: dict[Hashable, _Near] = {}
        self._previous_near = previous.near_entries if previous else {}

    @property
    def near_entries(self) -> dict[Hashable, _Near]:
        """What `near` has kept."""
        return self._near

    def before(self, key: Hashable) -> Any:
        """The result that the generation before had; None when nobody asked for it there."""
        entry = self._previous.get(key)
        return entry[1] if entry else None

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

    def near(self, key: Hashable, made: Made[T]) -> T:
        """The same, where the inputs take long to find: while `near` is the same, they are, and are not looked for."""
        entry = self._near.get(key)
        if entry is None:
            entry = self._near[key] = _renewed(self._previous_near.get(key), made)
        kept: T = entry[2]
        return kept

    def again(self, key: Hashable) -> Any:
        """What `near` had in the generation before, for who knows that its inputs are the same; None without any."""
        entry = self._near.get(key)
        if entry is None:
            entry = self._previous_near.get(key)
            if entry is None:
                return None
            self._near[key] = entry
        return entry[2]

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The result of `compute`, which may depend on all of this generation, and does not outlive it."""
        if key not in self._fleeting:
            self._fleeting[key] = compute()
        result: T = self._fleeting[key]
        return result


def _renewed(known: _Near | None, made: Made[Any]) -> _Near:
    near = made.near()
    if known is not None and _same(known[0], near):
        return known
    inputs = made.inputs()
    return (near, inputs, known[2] if known is not None and _same(known[1], inputs) else made.compute())


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return len(one) == len(other) and all(map(is_, one, other))
