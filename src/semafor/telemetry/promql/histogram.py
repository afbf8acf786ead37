"""Quantiles of classic histograms: series with a label `le`. Source: Prometheus 2, promql/quantile.go."""

import numpy as np

from semafor.telemetry.labels import Labels, nameless, value, without
from semafor.telemetry.promql.values import Vector, distinct, nothing
from semafor.telemetry.series.bits import Flags, Floats

_LE = "le"


def _bounds(vector: Vector) -> dict[Labels, list[tuple[float, int]]]:
    """For each histogram, which its name tells apart too, its buckets: upper bounds and rows, in order."""
    found: dict[Labels, list[tuple[float, int]]] = {}
    for row, labels in enumerate(vector.labels):
        try:
            bound = float(value(labels, _LE))
        except ValueError:
            continue
        found.setdefault(without(labels, (_LE,)), []).append((bound, row))
    for buckets in found.values():
        buckets.sort()
    return found


def quantiles(q: Floats, vector: Vector) -> Vector:
    """`histogram_quantile`."""
    histograms = _bounds(vector)
    steps = vector.values.shape[1]
    if not histograms:
        return nothing(steps)
    values = np.full((len(histograms), steps), np.nan)
    present = np.zeros((len(histograms), steps), dtype=np.bool_)
    for place, buckets in enumerate(histograms.values()):
        rows = [row for _, row in buckets]
        bounds = np.array([bound for bound, _ in buckets])
        there = vector.present[rows]
        present[place] = there.any(axis=0)
        for pattern, columns in _patterns(there):
            counts = vector.values[np.array(rows)[pattern]][:, columns]
            values[place, columns] = _quantile(q[columns], bounds[pattern], counts)
    return distinct(tuple(nameless(labels) for labels in histograms), values, present)


def _patterns(there: Flags) -> list[tuple[Flags, Flags]]:
    """Which buckets are there, and at which steps they are these: mostly all at all."""
    if there.all():
        return [(there[:, 0], np.ones(there.shape[1], dtype=np.bool_))]
    kinds, which = np.unique(there, axis=1, return_inverse=True)
    which = which.ravel()
    return [(kinds[:, kind], which == kind) for kind in range(kinds.shape[1]) if kinds[:, kind].any()]


def _quantile(q: Floats, bounds: Floats, counts: Floats) -> Floats:
    """Quantiles at several steps, of cumulated counts (buckets, steps)."""
    found = np.full(len(q), np.nan)
    if len(bounds) and np.isposinf(bounds[-1]):
        upper, where = np.unique(bounds, return_inverse=True)
        if len(upper) >= 2:
            together = np.zeros((len(upper), counts.shape[1]))
            np.add.at(together, where.ravel(), counts)
            found = _interpolated(q, upper, np.fmax.accumulate(together, axis=0))
    found = np.where(q < 0, -np.inf, np.where(q > 1, np.inf, found))
    return np.where(np.isnan(q), np.nan, found)


def _interpolated(q: Floats, upper: Floats, counts: Floats) -> Floats:
    observations = counts[-1]
    rank = q * observations
    at = np.minimum((counts[:-1] < rank).sum(axis=0), len(upper) - 1)
    columns = np.arange(len(q))
    start = np.where(at > 0, upper[np.maximum(at - 1, 0)], 0.0)
    before = np.where(at > 0, counts[np.maximum(at - 1, 0), columns], 0.0)
    end = upper[at]
    share = (rank - before) / (counts[at, columns] - before)
    found = start + (end - start) * share
    found = np.where((at == 0) & (upper[0] <= 0), upper[0], found)
    found = np.where(at == len(upper) - 1, upper[-2], found)
    result: Floats = np.where((observations == 0) | np.isnan(observations), np.nan, found)
    return result
