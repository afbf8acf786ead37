"""Documents read along their shape: which paths they set, how two differ, their merge, and removal of paths.

The rules are those of sigs.k8s.io/structured-merge-diff, package typed. Granular objects and associative lists have
paths of their own for what is in them; scalars, atomic lists and atomic objects are leaves. What the shape does not
know is taken as it looks: objects granular, lists atomic.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from semafor.kube.api.patch import fields
from semafor.kube.api.patch.documents import brief, clone, same
from semafor.kube.api.patch.errors import MalformedError
from semafor.kube.api.patch.fields import Fields, Path, Tree
from semafor.resources.shape import Shape

_ABSENT: Any = object()
# The only keys of associative lists that Kubernetes gives a default.
_KEY_DEFAULTS = {"protocol": "TCP"}


class Child(NamedTuple):
    """What lies one step below: `declared` says that it is a field of an object, not a key of a map or an element."""

    value: Any
    shape: Shape | None
    declared: bool


class Comparison(NamedTuple):
    """The paths in which two documents differ."""

    added: Fields
    removed: Fields
    modified: Fields

    @property
    def changed(self) -> Fields:
        return self.added | self.modified


def children(value: Any, shape: Shape | None) -> dict[str, Child] | None:
    """What is inside, by step; None for a leaf. A list that repeats or omits its keys counts as a leaf."""
    if isinstance(value, dict):
        if shape is not None and shape.map_type == "atomic":
            return None
        declared = shape.fields if shape is not None else {}
        other = shape.items if shape is not None and shape.type == "map" else None
        return {f"f:{key}": Child(inner, declared.get(key, other), key in declared) for key, inner in value.items()}
    if isinstance(value, list) and shape is not None and shape.list_type != "atomic":
        try:
            return {step: Child(item, shape.items, declared=False) for step, item in elements(value, shape)}
        except MalformedError:
            return None
    return None


def elements(items: list[Any], shape: Shape) -> list[tuple[str, Any]]:
    """The elements of an associative list with their steps. Raises MalformedError when keys are missing or repeated."""
    found: dict[str, Any] = {}
    for at, item in enumerate(items):
        step = fields.value(item) if shape.list_type == "set" else _keyed(at, item, shape)
        if step in found:
            raise MalformedError(f"duplicate entries for key {fields.text((step,))}")
        found[step] = item
    return list(found.items())


def _keyed(at: int, item: Any, shape: Shape) -> str:
    if not isinstance(item, dict):
        raise MalformedError(f"element {at}: associative list with keys may not have non-map elements")
    keys: dict[str, Any] = {}
    for key in shape.list_keys:
        found = item.get(key, _KEY_DEFAULTS.get(key))
        if found is None:
            raise MalformedError(
                f"element {at}: associative list with keys has an element that omits key field"
                f" {brief(key)} (and doesn't have default value)"
            )
        keys[key] = found
    return fields.keyed(keys)


def require_associative(value: Any, shape: Shape | None, path: Path = ()) -> None:
    """Refuse a document whose associative lists repeat or omit keys; the message names the list."""
    if isinstance(value, list) and shape is not None and shape.list_type != "atomic":
        try:
            elements(value, shape)
        except MalformedError as error:
            raise MalformedError(f"{fields.text(path)}: {error}") from None
    for step, child in (children(value, shape) or {}).items():
        require_associative(child.value, child.shape, (*path, step))


def field_set(value: Any, shape: Shape | None) -> Fields:
    """The paths that a document sets: its leaves, empty objects and lists, keys of maps and elements of lists."""
    return frozenset(_field_set(value, shape, ()))


def _field_set(value: Any, shape: Shape | None, path: Path) -> Iterator[Path]:
    inside = children(value, shape)
    if inside is None:
        yield path
        return
    for step, child in inside.items():
        yield from _field_set(child.value, child.shape, (*path, step))
        # Upstream forgets an applied empty list, which would then stay for ever once it is no longer applied.
        if not child.declared or child.value in ({}, []):
            yield (*path, step)


def compare(old: Any, new: Any, shape: Shape | None) -> Comparison:
    """The paths that `new` adds, removes and changes; an added object is there with its inner paths."""
    added: set[Path] = set()
    removed: set[Path] = set()
    modified: set[Path] = set()
    for path, before, after in _differences(old, new, shape, ()):
        if before is _ABSENT:
            added.add(path)
        elif after is _ABSENT:
            removed.add(path)
        else:
            modified.add(path)
    return Comparison(frozenset(added - {()}), frozenset(removed - {()}), frozenset(modified - {()}))


def _differences(old: Any, new: Any, shape: Shape | None, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    if old is new or _is_evidently_same(old, new):
        return
    before, after = children(old, shape), children(new, shape)
    both_granular = (before is not None or old is _ABSENT) and (after is not None or new is _ABSENT)
    if not both_granular or not (before or after):
        if old is _ABSENT or new is _ABSENT or not same(old, new):
            yield path, old, new
            if not both_granular:
                yield from _within(before or {}, {}, path)
                yield from _within({}, after or {}, path)
        return
    if old is _ABSENT or new is _ABSENT:
        yield path, old, new
    yield from _within(before or {}, after or {}, path)


def _is_evidently_same(old: Any, new: Any) -> bool:
    """A quick yes for large equal parts; Python's own equality alone would take true for 1."""
    return isinstance(old, dict | list) and bool(old == new) and repr(old) == repr(new)


def _within(before: dict[str, Child], after: dict[str, Child], path: Path) -> Iterator[tuple[Path, Any, Any]]:
    for step in before | after:
        left, right = before.get(step), after.get(step)
        known = right or left
        assert known is not None
        old = left.value if left else _ABSENT
        new = right.value if right else _ABSENT
        yield from _differences(old, new, known.shape, (*path, step))


def merge(live: Any, applied: Any, shape: Shape | None) -> Any:
    """`applied` over `live`: granular objects and associative lists united, leaves replaced, null fields left out."""
    ours, theirs = children(applied, shape), children(live, shape)
    if ours is None or theirs is None or type(live) is not type(applied):
        return _without_nulls(applied, shape)
    if isinstance(applied, list):
        return [merge(*pair, inner) for pair, inner in _woven(theirs, ours)]
    merged = {key: clone(value) for key, value in live.items()}
    for key, value in applied.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(live.get(key, _ABSENT), value, shape.field(key) if shape else None)
    return merged


def _without_nulls(value: Any, shape: Shape | None) -> Any:
    inside = children(value, shape)
    if inside is None:
        return clone(value)
    if isinstance(value, list):
        return [_without_nulls(child.value, child.shape) for child in inside.values()]
    return {
        key: _without_nulls(inner, shape.field(key) if shape else None)
        for key, inner in value.items()
        if inner is not None
    }


def _woven(live: dict[str, Child], applied: dict[str, Child]) -> Iterator[tuple[tuple[Any, Any], Shape | None]]:
    """The elements of two lists as pairs: the applied ones in their order, live's own woven in where they stood."""
    order: list[str] = []
    shared = deque(step for step in applied if step in live)
    rest = deque(live)
    for step in applied:
        while rest and (not shared or rest[0] != shared[0]):
            own = rest.popleft()
            if own not in applied:
                order.append(own)
        order.append(step)
        if shared and step == shared[0]:
            shared.popleft()
            if rest and rest[0] == step:
                rest.popleft()
    order.extend(step for step in rest if step not in applied)
    for step in order:
        known = applied.get(step) or live[step]
        theirs = live[step].value if step in live else _ABSENT
        ours = applied[step].value if step in applied else theirs
        yield (theirs, ours), known.shape


def remove(value: Any, gone: Tree, shape: Shape | None) -> Any:
    """The document without the paths of `gone` (as fieldsV1) and what is below them; emptied objects and lists stay."""
    inside = children(value, shape)
    if not gone or inside is None:
        return clone(value)
    kept = {
        step: remove(child.value, gone.get(step, {}), child.shape)
        for step, child in inside.items()
        if not fields.has(gone, step)
    }
    if isinstance(value, list):
        return list(kept.values())
    return {step.removeprefix("f:"): inner for step, inner in kept.items()}


def with_parents(paths: Iterable[Path], shape: Shape | None) -> Fields:
    """The paths and every declared field above them, so that an object leaves with its last field."""
    found: set[Path] = set()
    for path in paths:
        at = shape
        for depth, step in enumerate(path):
            name = step.removeprefix("f:") if step.startswith("f:") else None
            if name is not None and at is not None and name in at.fields:
                found.add(path[: depth + 1])
            at = None if at is None else (at.items if name is None else at.field(name))
        found.add(path)
    return frozenset(found)
