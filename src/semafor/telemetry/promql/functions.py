"""Functions of instant vectors. Source: Prometheus 2, promql/functions.go."""

import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from semafor.telemetry import matching
from semafor.telemetry.labels import NAME, Labels, merged, value
from semafor.telemetry.promql import numbers
from semafor.telemetry.promql.errors import ExecutionError
from semafor.telemetry.promql.values import Vector, distinct, nothing
from semafor.telemetry.series.bits import Flags, Floats

_DAY_S: Final = 86_400


def _round(values: Floats, nearest: Any = 1.0) -> Floats:
    inverse = 1.0 / nearest
    found: Floats = np.floor(values * inverse + 0.5) / inverse
    return found


def _sign(values: Floats) -> Floats:
    return np.where(values > 0, 1.0, np.where(values < 0, -1.0, values))


MATH: Final[dict[str, Callable[[Floats], Floats]]] = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "deg": lambda values: values * 180 / np.pi,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "rad": lambda values: values * np.pi / 180,
    "sgn": _sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}


def rounded(vector: Vector, nearest: Floats) -> Vector:
    return vector.valued(_round(vector.values, nearest))


def clamped(vector: Vector, least: Floats | None, most: Floats | None) -> Vector:
    """Values between two numbers; none where these are in disorder."""
    values = vector.values
    if most is not None:
        values = np.minimum(values, most)
    if least is not None:
        values = np.maximum(values, least)
    found = vector.valued(values)
    if least is not None and most is not None and len(found):
        return found.where(np.broadcast_to(~(most < least), found.present.shape))
    return found


def ordered(vector: Vector, *, descending: bool) -> Vector:
    """Rows by their values at the last step, NaN last; it is only asked of instants."""
    keys = vector.values[:, -1]
    order = np.lexsort((-keys if descending else keys, np.isnan(keys)))
    return vector.rows(order.tolist())


def dates(name: str, values: Floats) -> Floats:
    """`hour` and the like, of seconds since 1970 in UTC."""
    usable = np.isfinite(values) & (np.abs(values) < 2.5e11)  # some eight thousand years
    seconds = np.where(usable, np.trunc(values), 0).astype(np.int64)
    found = _DATES[name](seconds.astype("datetime64[s]")).astype(np.float64)
    return np.where(usable, found, np.nan)


def _since(moments: Any, unit: str, part: str) -> Any:
    """How many of a part have passed since the beginning of a unit."""
    return (moments.astype(f"datetime64[{part}]") - moments.astype(f"datetime64[{unit}]")).astype(np.int64)


def _days_in_month(moments: Any) -> Any:
    months = moments.astype("datetime64[M]")
    return ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)


_DATES: Final[dict[str, Callable[[Any], Any]]] = {
    "day_of_month": lambda moments: _since(moments, "M", "D") + 1,
    "day_of_week": lambda moments: (
        (moments.astype("datetime64[D]").astype(np.int64) + 4) % 7
    ),  # 1970 began on a Thursday
    "day_of_year": lambda moments: _since(moments, "Y", "D") + 1,
    "days_in_month": _days_in_month,
    "hour": lambda moments: _since(moments, "D", "h"),
    "minute": lambda moments: _since(moments, "h", "m"),
    "month": lambda moments: _since(moments, "Y", "M") + 1,
    "year": lambda moments: moments.astype("datetime64[Y]").astype(np.int64) + 1970,
}


def joined(vector: Vector, target: str, separator: str, sources: tuple[str, ...]) -> Vector:
    """`label_join`."""
    for name in sources:
        if not numbers.is_label(name):
            raise ExecutionError(f"invalid source label name in label_join(): {name}")
    _check_target("label_join", target)
    labels = tuple(
        merged(found, {target: separator.join(value(found, name) for name in sources)}) for found in vector.labels
    )
    return _renamed(vector, labels)


def replaced(vector: Vector, target: str, replacement: str, source: str, pattern: str) -> Vector:
    """`label_replace`."""
    try:
        expression = matching.expression(pattern)
    except matching.BadExpression:
        raise ExecutionError(f"invalid regular expression in label_replace(): {pattern}") from None
    _check_target("label_replace", target)

    def changed(labels: Labels) -> Labels:
        found = expression.fullmatch(value(labels, source))
        return labels if found is None else merged(labels, {target: _expanded(replacement, found)})

    return _renamed(vector, tuple(changed(labels) for labels in vector.labels))


def _check_target(function: str, name: str) -> None:
    if not numbers.is_label(name):
        raise ExecutionError(f"invalid destination label name in {function}(): {name}")


def _renamed(vector: Vector, labels: tuple[Labels, ...]) -> Vector:
    return distinct(labels, vector.values, vector.present)


# Source: Go's regexp, Regexp.Expand: $name is as long as can be; without a closing brace the text stays.
_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))", re.ASCII)


def _expanded(template: str, found: Any) -> str:
    groups, named = found.groups(), found.groupdict()

    def text(reference: re.Match[str]) -> str:
        if reference[1]:
            return "$"
        name = reference[2] or reference[3]
        if name.isdigit():
            number = int(name[:9])
            if number > len(groups):
                return ""
            return (found.group(number) or "") if number else found.group(0)
        return named.get(name) or ""

    return _REFERENCE.sub(text, template)


def absent(vector: Vector, matchers: tuple[matching.Matcher, ...], steps: int) -> Vector:
    """1 where there is nothing, with the labels for which the query asks."""
    missing: Flags = ~np.any(vector.present, axis=0, keepdims=True) if len(vector) else np.ones((1, steps), np.bool_)
    labels: dict[str, str] = {}
    for matcher in matchers:
        if matcher.name == NAME:
            continue
        once = sum(other.name == matcher.name for other in matchers) == 1
        if matcher.op == "=" and once and matcher.value:
            labels[matcher.name] = matcher.value
    if not missing.any():
        return nothing(steps)
    return Vector((tuple(sorted(labels.items())),), np.ones((1, steps)), missing)


def single(vector: Vector) -> Floats:
    """`scalar`: the value where there is exactly one."""
    if not len(vector):
        return np.full(vector.values.shape[1], np.nan)
    alone = vector.present.sum(axis=0) == 1
    found: Floats = np.where(alone, np.where(vector.present, vector.values, 0.0).sum(axis=0), np.nan)
    return found
