"""sum, avg, topk and the like: many series -> one for each group. Source: Prometheus 2, promql/engine.go."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from semafor.telemetry.labels import NAME, Labels, merged, only, without
from semafor.telemetry.promql import numbers, over_time
from semafor.telemetry.promql.errors import ExecutionError
from semafor.telemetry.promql.tree import Aggregate
from semafor.telemetry.promql.values import Scalar, Text, Vector, nothing
from semafor.telemetry.series.bits import Flags, Floats

_Reduce = Callable[[Floats, Flags], Floats]  # (rows, groups, steps) -> (groups, steps)
_PORTION: Final = 1 << 20  # samples looked at side by side: 8 MB for each array

_REDUCTIONS: Final[dict[str, _Reduce]] = {
    "sum": lambda values, there: over_time.exact_sum(np.where(there, values, 0.0), 0),
    "avg": lambda values, there: over_time.mean(values, there, 0),
    "count": lambda _, there: there.sum(axis=0).astype(np.float64),
    "group": lambda _, there: np.ones(there.shape[1:]),
    "min": lambda values, there: np.fmin.reduce(np.where(there, values, np.nan), axis=0),
    "max": lambda values, there: np.fmax.reduce(np.where(there, values, np.nan), axis=0),
    "stdvar": lambda values, there: over_time.variance(values, there, 0),
    "stddev": lambda values, there: np.sqrt(over_time.variance(values, there, 0)),
}


def aggregate(node: Aggregate, vector: Vector, parameter: Scalar | Text | None) -> Vector:
    """The value of an aggregation over a vector."""
    steps = vector.values.shape[1]
    if not len(vector):
        _check(node, parameter)
        return nothing(steps)
    groups = _groups(node, vector)
    if node.op in ("topk", "bottomk"):
        assert isinstance(parameter, Scalar)
        return _extremes(vector, groups, parameter.values, top=node.op == "topk")
    if node.op == "count_values":
        assert isinstance(parameter, Text)
        return _count_values(vector, groups, parameter.value)
    if node.op == "quantile":
        assert isinstance(parameter, Scalar)
        q = parameter.values
        reduce: _Reduce = lambda values, there: over_time.quantile(values, there, q, 0)  # noqa: E731 - one of the table's kind
    else:
        reduce = _REDUCTIONS[node.op]
    return _reduced(vector, groups, reduce)


def _reduced(vector: Vector, groups: dict[Labels, list[int]], reduce: _Reduce) -> Vector:
    """One row for each group. Groups of as many rows are reduced side by side, for there may be thousands."""
    members, steps = list(groups.values()), vector.values.shape[1]
    values, present = np.empty((len(members), steps)), np.empty((len(members), steps), dtype=np.bool_)
    by_size: dict[int, list[int]] = {}
    for place, rows in enumerate(members):
        by_size.setdefault(len(rows), []).append(place)
    for size, places in by_size.items():
        width = max(1, _PORTION // (size * max(steps, 1)))
        for start in range(0, len(places), width):
            part = places[start : start + width]
            chosen = np.array([members[place] for place in part], dtype=np.int64).T
            there = vector.present[chosen]
            values[part] = reduce(vector.values[chosen], there)
            present[part] = there.any(axis=0)
    return Vector(tuple(groups), values, present)


def _groups(node: Aggregate, vector: Vector) -> dict[Labels, list[int]]:
    groups: dict[Labels, list[int]] = {}
    names = frozenset(node.labels)
    for row, labels in enumerate(vector.labels):
        key = without(labels, names | {NAME}) if node.without else only(labels, names)
        groups.setdefault(key, []).append(row)
    return groups


def _check(node: Aggregate, parameter: Scalar | Text | None) -> None:
    if node.op == "count_values" and isinstance(parameter, Text) and not numbers.is_label(parameter.value):
        raise ExecutionError(f'invalid label name "{parameter.value}"')
    if node.op in ("topk", "bottomk") and isinstance(parameter, Scalar):
        _limits(parameter.values)


def _limits(k: Floats) -> Floats:
    if np.isnan(k).any():
        raise ExecutionError("Parameter value is NaN")
    if (np.abs(k) >= 2**63).any():
        raise ExecutionError(f"Scalar value {numbers.written(float(k[np.abs(k) >= 2**63][0]))} overflows int64")
    return np.trunc(k)


def _extremes(vector: Vector, groups: dict[Labels, list[int]], k: Floats, *, top: bool) -> Vector:
    """The k largest or smallest of each group, step by step, best first."""
    wanted = _limits(k)
    kept = np.zeros(vector.present.shape, dtype=np.bool_)
    order: list[int] = []
    for rows in groups.values():
        values, there = vector.values[rows], vector.present[rows]
        keys = (-values if top else values, np.isnan(values), ~there)  # the last one decides first
        ranks = np.lexsort(keys, axis=0)
        places = np.empty_like(ranks)
        np.put_along_axis(places, ranks, np.arange(len(rows))[:, None], axis=0)
        kept[rows] = there & (places < wanted)
        order += [rows[place] for place in ranks[:, -1].tolist()]
    return Vector(vector.labels, vector.values, kept).rows(order).where(kept[order])


def _count_values(vector: Vector, groups: dict[Labels, list[int]], label: str) -> Vector:
    if not numbers.is_label(label):
        raise ExecutionError(f'invalid label name "{label}"')
    steps = vector.values.shape[1]
    found: dict[Labels, Floats] = {}
    for key, rows in groups.items():
        for row in rows:
            for step in np.flatnonzero(vector.present[row]).tolist():
                labels = merged(key, {label: numbers.plain(float(vector.values[row, step]))})
                if labels not in found:
                    found[labels] = np.zeros(steps)
                found[labels][step] += 1
    if not found:
        return nothing(steps)
    values: Any = np.array(list(found.values()))
    return Vector(tuple(found), values, values > 0)
