"""Functions of range vectors. Each takes windows and gives a value and a flag for each of them.

Source: Prometheus 2, promql/functions.go. What can be said of all windows by running sums is said so; the rest looks at
windows side by side, padded to the longest, in portions.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from semafor.telemetry.promql.errors import ExecutionError
from semafor.telemetry.promql.values import Windows
from semafor.telemetry.series.bits import Flags, Floats, Times

Found = tuple[Floats, Flags]
_EXACTLY: Final = 20_000  # windows whose resets are added one by one, without the error of a difference of sums
_PORTION: Final = 1 << 20  # samples looked at side by side: 8 MB for each array


def _nonzero(values: Floats) -> Floats:
    found: Floats = np.where(values == 0, 1.0, values)
    return found


def _at(array: Any, places: Any) -> Any:
    """`array[places]`; places beyond its ends give anything."""
    return array[np.clip(places, 0, max(len(array) - 1, 0))] if len(array) else np.zeros(np.shape(places))


def extrapolated(windows: Windows, *, counter: bool, per_second: bool, modern: bool) -> Found:
    """`rate`, `increase` and `delta`: what the samples say, carried on to the window's edges."""
    first, last, count = windows.low, windows.high - 1, windows.counts
    present = count >= 2
    start_value = _at(windows.values, first)
    change = _at(windows.values, last) - start_value
    if counter:
        change = change + _resets_lost(windows)
    began, ended = _at(windows.times, first) / 1000, _at(windows.times, last) / 1000
    ends = windows.ends[None, :] / 1000
    to_start, to_end = began - (ends - windows.range_ms / 1000), ends - ended
    sampled = _nonzero(ended - began)
    between = sampled / np.maximum(count - 1, 1)
    threshold = between * 1.1
    if modern:
        to_start = np.where(to_start >= threshold, between / 2, to_start)
    if counter:
        to_zero = np.where(change > 0, sampled * (start_value / _nonzero(change)), np.inf)
        limited = (change > 0) & (start_value >= 0) & (to_zero < to_start)
        to_start = np.where(limited, to_zero, to_start)
    reach = (
        sampled
        + np.where(to_start < threshold, to_start, between / 2)
        + np.where(to_end < threshold, to_end, between / 2)
    )
    factor = reach / sampled / (windows.range_ms / 1000 if per_second else 1)
    return change * factor, present


def _resets_lost(windows: Windows) -> Floats:
    """What a counter had when it began again, added up within each window."""
    values = windows.values
    lost = np.zeros(len(values))
    if len(values) > 1:
        lost[1:] = np.where(values[1:] < values[:-1], values[:-1], 0.0)
    if not lost.any():
        return np.zeros(windows.low.shape)
    number = np.cumsum(lost != 0)
    newest = np.maximum.accumulate(np.where(lost != 0, np.arange(len(lost)), 0))
    several = np.where(windows.counts < 2, 0, _at(number, windows.high - 1) - _at(number, windows.low))
    found: Floats = np.where(several == 1, _at(lost, _at(newest, windows.high - 1)), 0.0)
    if np.isfinite(lost).all() and (several > 1).sum() > _EXACTLY:
        total = np.cumsum(lost)
        return np.where(several > 1, _at(total, windows.high - 1) - _at(total, windows.low), found)
    for place in zip(*np.nonzero(several > 1), strict=True):
        found[place] = lost[windows.low[place] + 1 : windows.high[place]].sum()
    return found


def instant_change(windows: Windows, *, per_second: bool) -> Found:
    """`irate` and `idelta`: of the last two samples."""
    last, before = windows.high - 1, windows.high - 2
    value, earlier = _at(windows.values, last), _at(windows.values, before)
    seconds = (_at(windows.times, last) - _at(windows.times, before)) / 1000
    present = (windows.counts >= 2) & (seconds != 0)
    if not per_second:
        return value - earlier, present
    return np.where(value < earlier, value, value - earlier) / _nonzero(seconds), present


def _transitions(windows: Windows, changed: Callable[[Floats, Floats], Flags]) -> Found:
    values = windows.values
    marks = np.zeros(len(values), dtype=np.int64)
    if len(values) > 1:
        marks[1:] = changed(values[:-1], values[1:])
    total = np.cumsum(marks)
    found = _at(total, windows.high - 1) - _at(total, windows.low)
    return found.astype(np.float64), windows.counts > 0


def changes(windows: Windows) -> Found:
    return _transitions(windows, lambda a, b: (a != b) & ~(np.isnan(a) & np.isnan(b)))


def resets(windows: Windows) -> Found:
    return _transitions(windows, lambda a, b: b < a)


def count(windows: Windows) -> Found:
    return windows.counts.astype(np.float64), windows.counts > 0


def present(windows: Windows) -> Found:
    return np.ones(windows.low.shape), windows.counts > 0


def last(windows: Windows) -> Found:
    return _at(windows.values, windows.high - 1), windows.counts > 0


def _portions(windows: Windows) -> Iterator[tuple[slice, Floats, Flags, Times]]:
    """Windows side by side: which they are, their values, which places count, and the samples' times."""
    low, high = windows.low.ravel(), windows.high.ravel()
    longest = int((high - low).max(initial=0))
    if not longest:
        return
    rows = max(1, _PORTION // longest)
    for start in range(0, len(low), rows):
        part = slice(start, start + rows)
        width = max(1, int((high[part] - low[part]).max(initial=0)))
        places = low[part][:, None] + np.arange(width)
        counted = places < high[part][:, None]
        yield part, _at(windows.values, places), counted, _at(windows.times, places)


def _each(windows: Windows, compute: Callable[[Floats, Flags], Floats]) -> Found:
    found = np.full(windows.low.size, np.nan)
    for part, values, counted, _ in _portions(windows):
        found[part] = compute(values, counted)
    return found.reshape(windows.low.shape), windows.counts > 0


def exact_sum(values: Floats, axis: int) -> Floats:
    """The sum without the errors of adding small to large. Source: Neumaier's variant of Kahan's sum."""
    columns = np.moveaxis(values, axis, 0)
    total = np.zeros(columns.shape[1:])
    lost = np.zeros(columns.shape[1:])
    for column in columns:
        added = total + column
        lost += np.where(np.abs(total) >= np.abs(column), (total - added) + column, (column - added) + total)
        total = added
    found: Floats = np.where(np.isfinite(total), total + lost, total)
    return found


def mean(values: Floats, counted: Flags, axis: int) -> Floats:
    """The mean of what counts; where the sum is too large for a float, the sum of the parts."""
    number = np.maximum(counted.sum(axis=axis), 1)
    masked = np.where(counted, values, 0.0)
    found: Floats = exact_sum(masked, axis) / number
    overflown = ~np.isfinite(found) & np.isfinite(masked).all(axis=axis)
    if overflown.any():
        found[overflown] = exact_sum(masked / np.expand_dims(number, axis), axis)[overflown]
    return found


def variance(values: Floats, counted: Flags, axis: int) -> Floats:
    """The population's variance."""
    first = np.take_along_axis(values, np.expand_dims(np.argmax(counted, axis=axis), axis), axis)
    moved = values - first  # values that are all the same have no variance at all, not one of rounding
    middle = np.expand_dims(mean(moved, counted, axis), axis)
    return mean((moved - middle) ** 2, counted, axis)


def quantile(values: Floats, counted: Flags, q: Any, axis: int) -> Floats:
    """The quantile q of what counts, between neighbours in proportion. NaN is less than all numbers."""
    keys = (values, ~np.isnan(values), ~counted)  # the last one decides first
    ordered = np.take_along_axis(values, np.lexsort(keys, axis=axis), axis=axis)
    number = counted.sum(axis=axis)
    rank = np.asarray(q) * (number - 1)
    rank = np.where(np.isfinite(rank), rank, 0.0)
    low = np.clip(np.floor(rank), 0, None)
    high = np.minimum(np.maximum(number - 1, 0), low + 1)
    weight = rank - np.floor(rank)

    def taken(places: Any) -> Floats:
        inside = np.expand_dims(np.clip(places, 0, max(values.shape[axis] - 1, 0)).astype(np.int64), axis)
        picked: Floats = np.take_along_axis(ordered, inside, axis=axis).squeeze(axis)
        return picked

    found = np.where(weight == 0, taken(low), taken(low) * (1 - weight) + taken(high) * weight)
    found = np.where(np.asarray(q) < 0, -np.inf, np.where(np.asarray(q) > 1, np.inf, found))
    result: Floats = np.where(np.isnan(q) | (number == 0), np.nan, found)
    return result


def total(windows: Windows) -> Found:
    return _each(windows, lambda values, counted: exact_sum(np.where(counted, values, 0.0), 1))


def average(windows: Windows) -> Found:
    return _each(windows, lambda values, counted: mean(values, counted, 1))


def deviation(windows: Windows) -> Found:
    return _each(windows, lambda values, counted: np.sqrt(variance(values, counted, 1)))


def spread(windows: Windows) -> Found:
    return _each(windows, lambda values, counted: variance(values, counted, 1))


def largest(windows: Windows) -> Found:
    return _each(windows, lambda values, counted: np.fmax.reduce(np.where(counted, values, np.nan), axis=1))


def smallest(windows: Windows) -> Found:
    return _each(windows, lambda values, counted: np.fmin.reduce(np.where(counted, values, np.nan), axis=1))


def quantile_over_time(windows: Windows, q: Floats) -> Found:
    wanted = np.broadcast_to(q, windows.low.shape).ravel()
    found = np.full(windows.low.size, np.nan)
    for part, values, counted, _ in _portions(windows):
        found[part] = quantile(values, counted, wanted[part], 1)
    return found.reshape(windows.low.shape), windows.counts > 0


def _regression(windows: Windows, origin: Times | None) -> tuple[Floats, Floats]:
    """Slope per second, and value at `origin` (for each step; the first sample of each window by default)."""
    slopes, values_there = np.full(windows.low.size, np.nan), np.full(windows.low.size, np.nan)
    steps = windows.low.shape[1]
    for part, values, counted, times in _portions(windows):
        if origin is None:
            zero = times[:, :1]
        else:
            zero = origin[np.arange(part.start, part.start + len(values)) % steps][:, None]
        number = np.maximum(counted.sum(axis=1), 1)
        x = np.where(counted, (times - zero) / 1000, 0.0)
        y = np.where(counted, values, 0.0)
        sum_x, sum_y = exact_sum(x, 1), exact_sum(y, 1)
        covariance = exact_sum(x * y, 1) - sum_x * sum_y / number
        slope = covariance / (exact_sum(x * x, 1) - sum_x * sum_x / number)
        crossing = sum_y / number - slope * sum_x / number
        level = (np.where(counted, values, values[:, :1]) == values[:, :1]).all(axis=1)
        endless = np.isinf(values[:, 0])
        slopes[part] = np.where(level, np.where(endless, np.nan, 0.0), slope)
        values_there[part] = np.where(level, np.where(endless, np.nan, values[:, 0]), crossing)
    return slopes.reshape(windows.low.shape), values_there.reshape(windows.low.shape)


def slope(windows: Windows) -> Found:
    return _regression(windows, None)[0], windows.counts >= 2


def predicted(windows: Windows, seconds: Floats) -> Found:
    found, there = _regression(windows, windows.steps)
    return found * seconds[None, :] + there, windows.counts >= 2


def smoothed(windows: Windows, smoothing: Floats, trend: Floats) -> Found:
    """Holt and Winters' double exponential smoothing."""
    if not windows.labels:
        return np.empty(windows.low.shape), windows.counts >= 2
    for word, factors in (("smoothing", smoothing), ("trend", trend)):
        bad = factors[~((factors > 0) & (factors < 1))]
        if len(bad):
            name = "sf" if word == "smoothing" else "tf"
            raise ExecutionError(f"invalid {word} factor. Expected: 0 < {name} < 1, got: {bad[0]:f}")
    found = np.full(windows.low.size, np.nan)
    steps = windows.low.shape[1]
    for part, values, counted, _ in _portions(windows):
        step = np.arange(part.start, part.start + len(values)) % steps
        found[part] = _smooth(values, counted, smoothing[step], trend[step])
    return found.reshape(windows.low.shape), windows.counts >= 2


def _smooth(values: Floats, counted: Flags, factor: Floats, trend: Floats) -> Floats:
    if values.shape[1] < 2:
        return np.full(len(values), np.nan)
    before, now, slope_ = np.zeros(len(values)), values[:, 0].copy(), values[:, 1] - values[:, 0]
    for place in range(1, values.shape[1]):
        there = counted[:, place]
        if place > 1:  # the first trend is that of the first two samples
            slope_ = np.where(there, trend * (now - before) + (1 - trend) * slope_, slope_)
        new = factor * values[:, place] + (1 - factor) * (now + slope_)
        before, now = np.where(there, now, before), np.where(there, new, now)
    return now
