"""What the parts of the patcher share: the patches, their values, and how lists are changed."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from semafor import ir
from semafor.envoy.patch import merge
from semafor.envoy.pool import Pool

Chosen = Callable[[Any], bool]
MERGES: Final = frozenset({"MERGE", "MERGE_AND_REPLACE_LIST"})


class Work:
    """One resource being changed. `used` collects the patches that have found something to change."""

    def __init__(self, pool: Pool, values: Callable[[ir.Patch], Any], patches: Iterable[ir.Patch]) -> None:
        self.pool = pool
        self.value = values
        self.used: set[ir.Patch] = set()
        self._by_thing: dict[str, list[ir.Patch]] = {}
        for patch in patches:
            self._by_thing.setdefault(patch.apply_to, []).append(patch)

    def of(self, thing: ir.patch.ApplyTo) -> list[ir.Patch]:
        """The patches of such a thing, in order."""
        return self._by_thing.get(thing, [])

    def merge(self, into: Any, patch: ir.Patch, value: Any = None) -> None:
        """Merge the patch's value, or `value` in its place."""
        self.used.add(patch)
        what = self.value(patch) if value is None else value
        merge.merge(into, what, replace_lists=patch.operation == "MERGE_AND_REPLACE_LIST")

    def merge_extension(self, into: Any, patch: ir.Patch, value: Any = None) -> None:
        """The same of a filter or a transport socket, into what its `typed_config` holds."""
        what = self.value(patch) if value is None else value
        whole = patch.operation == "MERGE_AND_REPLACE_LIST"
        if merge.merge_extension(self.pool, into, what, replace_lists=whole):
            self.used.add(patch)

    def edit(self, items: Any, patch: ir.Patch, chosen: Chosen | None, end: int | None = None) -> None:
        """Add to a repeated field, insert, replace or remove. `chosen` tells the item that the patch is relative to;
        without one, inserting is at the beginning or the end, and nothing is replaced or removed. `end` is where an
        item is added, if not at the very end.
        """
        made = _edited(list(items), patch.operation, self.value(patch), chosen, len(items) if end is None else end)
        if made is not None:
            self.used.add(patch)
            kept = [_copy(item) for item in made]
            del items[:]
            items.extend(kept)


def _edited(items: list[Any], operation: str, value: Any, chosen: Chosen | None, end: int) -> list[Any] | None:
    place = next((index for index, item in enumerate(items) if chosen and chosen(item)), None)
    match operation:
        case "ADD":
            return [*items[:end], value, *items[end:]]
        case "INSERT_FIRST":
            return [value, *items]
        case "INSERT_BEFORE" if chosen is None:
            return [value, *items]
        case "INSERT_AFTER" if chosen is None:
            return [*items[:end], value, *items[end:]]
        case "INSERT_BEFORE" if place is not None:
            return [*items[:place], value, *items[place:]]
        case "INSERT_AFTER" if place is not None:
            after = min(place + 1, end)
            return [*items[:after], value, *items[after:]]
        case "REPLACE" if place is not None:
            return [*items[:place], value, *items[place + 1 :]]
        case "REMOVE" if chosen is not None and place is not None:
            return [item for item in items if not chosen(item)]
    return None


def _copy(message: Any) -> Any:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy
