"""How two sets of objects differ, in words: which are new, gone, or changed, and in which fields. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from semafor.installation import merge

Doc = dict[str, Any]
Key = tuple[str, str, str]  # kind, namespace, name


class Difference(NamedTuple):
    """An object that is not the same on both sides, and each field that differs with its two values."""

    name: str
    state: str  # added, removed, changed
    fields: tuple[tuple[str, Any, Any], ...] = ()


def objects(before: Iterable[Doc], after: Iterable[Doc]) -> Iterator[Difference]:
    """The differences, by kind and name."""
    one, other = ({_key(each): each for each in every} for every in (before, after))
    for key in sorted(one.keys() | other.keys()):
        name = f"{key[0]} {key[1]}/{key[2]}" if key[1] else f"{key[0]} {key[2]}"
        if key not in other:
            yield Difference(name, "removed")
        elif key not in one:
            yield Difference(name, "added")
        elif found := tuple(fields(merge.opened(one[key]), merge.opened(other[key]))):
            yield Difference(name, "changed", found)


def fields(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every field that differs; None stands for one that is not there."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from fields(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from fields(*pair, f"{path}[{index}]")
    elif before != after:
        yield path, before, after


def _key(document: Doc) -> Key:
    metadata = document.get("metadata") or {}
    return str(document.get("kind", "")), str(metadata.get("namespace", "")), str(metadata.get("name", ""))
