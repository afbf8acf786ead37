"""Operators between two values. Source: Prometheus 2, promql/engine.go, VectorBinop and its neighbours."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from semafor.telemetry.labels import NAME, Labels, nameless, only, value, without
from semafor.telemetry.promql import tree
from semafor.telemetry.promql.errors import ExecutionError
from semafor.telemetry.promql.values import Scalar, Vector, distinct, nothing, shown
from semafor.telemetry.series.bits import Flags, Floats

_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.float_power,
    "atan2": np.arctan2,
}
_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
_MANY_TO_MANY = "many-to-many matching not allowed: matching labels must be unique on one side"


def combine(node: tree.Binary, left: Scalar | Vector, right: Scalar | Vector) -> Scalar | Vector:
    """The value of an operator."""
    if isinstance(left, Vector) and isinstance(right, Vector):
        if node.op in tree.SET_OPERATORS:
            return _sets(node, left, right)
        return _vectors(node, left, right)
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        return Scalar(_computed(node.op, left.values, right.values))
    if isinstance(left, Vector):
        assert isinstance(right, Scalar)
        return _with_scalar(node, left, left.values, np.broadcast_to(right.values, left.values.shape))
    assert isinstance(right, Vector)
    assert isinstance(left, Scalar)
    return _with_scalar(node, right, np.broadcast_to(left.values, right.values.shape), right.values)


def _computed(op: str, left: Floats, right: Floats) -> Floats:
    """Arithmetic, or 1 and 0 for what a comparison says."""
    if op in _ARITHMETIC:
        found: Floats = _ARITHMETIC[op](left, right)
        return found
    return np.asarray(_COMPARE[op](left, right), dtype=np.float64)


def _with_scalar(node: tree.Binary, vector: Vector, left: Floats, right: Floats) -> Vector:
    """One of `left` and `right` is the vector's values, the other a number for each step."""
    if node.op in tree.COMPARISONS and not node.bool_:
        return vector.where(_COMPARE[node.op](left, right))
    return vector.valued(_computed(node.op, left, right))


def _signature(matching: tree.Matching) -> Callable[[Labels], Labels]:
    names = frozenset(matching.labels)
    if matching.on:
        return lambda labels: only(labels, names)
    ignored = names | {NAME}
    return lambda labels: without(labels, ignored)


def _by_signature(vector: Vector, signature: Callable[[Labels], Labels]) -> dict[Labels, list[int]]:
    found: dict[Labels, list[int]] = {}
    for row, labels in enumerate(vector.labels):
        found.setdefault(signature(labels), []).append(row)
    return found


def _sets(node: tree.Binary, left: Vector, right: Vector) -> Vector:
    signature = _signature(node.matching)
    ours, theirs = _by_signature(left, signature), _by_signature(right, signature)
    if node.op == "or":
        kept = _where_other_has(right, theirs, left, ours, wanted=False)
        added = right.where(kept)
        return distinct(
            (*left.labels, *added.labels),
            np.concatenate([left.values, added.values]),
            np.concatenate([left.present, added.present]),
        )
    return left.where(_where_other_has(left, ours, right, theirs, wanted=node.op == "and"))


def _where_other_has(
    vector: Vector, rows: dict[Labels, list[int]], other: Vector, other_rows: dict[Labels, list[int]], *, wanted: bool
) -> Flags:
    """For each place of a vector, whether the other one has something of the same signature at that step."""
    found = np.full(vector.present.shape, not wanted)
    for signature, ours in rows.items():
        theirs = other_rows.get(signature)
        if theirs is not None:
            found[ours] = other.present[theirs].any(axis=0) == wanted
    return found


@dataclass(frozen=True, slots=True)
class _Sides:
    """The sides by how many of their series may match: `many` is the left one, unless it is group_right."""

    many: Vector
    one: Vector
    swapped: bool

    @property
    def word(self) -> str:
        return "left" if self.swapped else "right"


def _vectors(node: tree.Binary, left: Vector, right: Vector) -> Vector:
    matching = node.matching
    swapped = matching.card == "one-to-many"
    sides = _Sides(right, left, swapped=True) if swapped else _Sides(left, right, swapped=False)
    signature = _signature(matching)
    many, one = _by_signature(sides.many, signature), _by_signature(sides.one, signature)
    for key, rows in one.items():
        _check_unique(sides, key, rows)
    pairs = [(ours, theirs) for key, rows in many.items() for ours in rows for theirs in one.get(key, ())]
    if not pairs:
        return nothing(left.values.shape[1])
    first, second = [ours for ours, _ in pairs], [theirs for _, theirs in pairs]
    present = sides.many.present[first] & sides.one.present[second]
    a, b = sides.many.values[first], sides.one.values[second]
    if swapped:
        a, b = b, a
    values, kept = a, present
    if node.op in tree.COMPARISONS and not node.bool_:
        kept = present & _COMPARE[node.op](a, b)
    else:
        values = _computed(node.op, a, b)
    if matching.card == "one-to-one":
        _check_one_to_one([signature(sides.many.labels[row]) for row in first], kept)
    labels = tuple(_result(node, sides.many.labels[ours], sides.one.labels[theirs]) for ours, theirs in pairs)
    found = _distinct(labels, values, kept, grouped=matching.card != "one-to-one")
    return found.where(found.present)


def _check_unique(sides: _Sides, key: Labels, rows: list[int]) -> None:
    if len(rows) < 2:
        return
    twice = sides.one.present[rows].sum(axis=0) > 1
    if twice.any():
        step = int(np.flatnonzero(twice)[0])
        two = [shown(sides.one.labels[row]) for row in rows if sides.one.present[row, step]][:2]
        raise ExecutionError(
            f"found duplicate series for the match group {shown(key)} on the {sides.word} hand-side of the operation: "
            f"[{two[1]}, {two[0]}];{_MANY_TO_MANY}"
        )


def _check_one_to_one(keys: list[Labels], kept: Flags) -> None:
    if len(set(keys)) == len(keys):
        return
    rows: dict[Labels, list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    if any((kept[found].sum(axis=0) > 1).any() for found in rows.values()):
        words = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
        raise ExecutionError(words)


def _distinct(labels: tuple[Labels, ...], values: Floats, kept: Flags, *, grouped: bool) -> Vector:
    try:
        return distinct(labels, values, kept)
    except ExecutionError:
        if grouped:
            words = "multiple matches for labels: grouping labels must ensure unique matches"
            raise ExecutionError(words) from None
        raise


def _result(node: tree.Binary, many: Labels, one: Labels) -> Labels:
    matching = node.matching
    found = nameless(many) if node.op in _ARITHMETIC or node.bool_ else many
    if matching.card == "one-to-one":
        found = only(found, matching.labels) if matching.on else without(found, matching.labels)
    if not matching.include:
        return found
    pairs = dict(found) | {name: value(one, name) for name in matching.include}
    return tuple(sorted((name, text) for name, text in pairs.items() if text))
