"""Which function does what: from the call in the tree to the functions that compute."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from semafor.telemetry.matching import Matcher
from semafor.telemetry.promql import functions, histogram, over_time, tree
from semafor.telemetry.promql.over_time import Found
from semafor.telemetry.promql.tree import Expr
from semafor.telemetry.promql.values import Scalar, Text, Value, Vector, Windows, distinct, nothing
from semafor.telemetry.series.bits import Floats

if TYPE_CHECKING:
    from semafor.telemetry.promql.evaluate import Evaluation

_Ranged = Callable[[Windows], Found]
_Called = Callable[["Evaluation", tree.Call], Value]

_OVER_TIME: Final[dict[str, _Ranged]] = {
    "avg_over_time": over_time.average,
    "changes": over_time.changes,
    "count_over_time": over_time.count,
    "deriv": over_time.slope,
    "idelta": lambda windows: over_time.instant_change(windows, per_second=False),
    "irate": lambda windows: over_time.instant_change(windows, per_second=True),
    "max_over_time": over_time.largest,
    "min_over_time": over_time.smallest,
    "present_over_time": over_time.present,
    "resets": over_time.resets,
    "stddev_over_time": over_time.deviation,
    "stdvar_over_time": over_time.spread,
    "sum_over_time": over_time.total,
}
# Counters are carried on to the window's edges; `increase` says how much, `rate` how much in a second.
_EXTRAPOLATED: Final = {"rate": (True, True), "increase": (True, False), "delta": (False, False)}
_DATES: Final = frozenset(
    ("day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year")
)
_NATIVE: Final = frozenset(
    ("histogram_avg", "histogram_count", "histogram_fraction", "histogram_stddev", "histogram_stdvar", "histogram_sum")
)


def call(evaluation: "Evaluation", node: tree.Call) -> Value:
    """The value of a call."""
    name, arguments = node.function, node.arguments
    if name in _OVER_TIME:
        windows = _windows(evaluation, arguments[0])
        return evaluation.named(windows, _OVER_TIME[name](windows))
    if name in _EXTRAPOLATED:
        windows = _windows(evaluation, arguments[0])
        counter, per_second = _EXTRAPOLATED[name]
        found = over_time.extrapolated(
            windows, counter=counter, per_second=per_second, modern=evaluation.options.modern
        )
        return evaluation.named(windows, found)
    if name in functions.MATH:
        vector = evaluation.vector(arguments[0])
        return vector.valued(functions.MATH[name](vector.values))
    if name in _DATES:
        moments = evaluation.vector(arguments[0]) if arguments else _now(evaluation)
        return moments.valued(functions.dates(name, moments.values))
    if name in _NATIVE:  # there are no native histograms here, and of other samples these give nothing
        return nothing(len(evaluation.steps))
    return _CALLS[name](evaluation, node)


def _windows(evaluation: "Evaluation", expr: Expr) -> Windows:
    found = evaluation.value(expr)
    assert isinstance(found, Windows)
    return found


def _scalar(evaluation: "Evaluation", expr: Expr) -> Floats:
    found = evaluation.value(expr)
    assert isinstance(found, Scalar)
    return found.values


def _text(evaluation: "Evaluation", expr: Expr) -> str:
    found = evaluation.value(expr)
    assert isinstance(found, Text)
    return found.value


def _now(evaluation: "Evaluation") -> Vector:
    seconds = evaluation.steps[None, :] / 1000
    return Vector(((),), seconds, np.ones(seconds.shape, dtype=np.bool_))


def _last_over_time(evaluation: "Evaluation", node: tree.Call) -> Value:
    windows = _windows(evaluation, node.arguments[0])
    return distinct(windows.labels, *over_time.last(windows))  # it keeps the metric's name


def _quantile_over_time(evaluation: "Evaluation", node: tree.Call) -> Value:
    windows = _windows(evaluation, node.arguments[1])
    return evaluation.named(windows, over_time.quantile_over_time(windows, _scalar(evaluation, node.arguments[0])))


def _predict_linear(evaluation: "Evaluation", node: tree.Call) -> Value:
    windows = _windows(evaluation, node.arguments[0])
    return evaluation.named(windows, over_time.predicted(windows, _scalar(evaluation, node.arguments[1])))


def _holt_winters(evaluation: "Evaluation", node: tree.Call) -> Value:
    windows = _windows(evaluation, node.arguments[0])
    factors = [_scalar(evaluation, each) for each in node.arguments[1:]]
    return evaluation.named(windows, over_time.smoothed(windows, factors[0], factors[1]))


def _asked(expr: Expr) -> tuple[Matcher, ...]:
    """The matchers of a selector; none of what is computed."""
    match expr:
        case tree.Selector(_, matchers) | tree.Matrix(tree.Selector(_, matchers), _):
            return matchers
        case tree.Paren(inner):
            return _asked(inner)
    return ()


def _absent(evaluation: "Evaluation", node: tree.Call) -> Value:
    argument = node.arguments[0]
    return functions.absent(evaluation.vector(argument), _asked(argument), len(evaluation.steps))


def _absent_over_time(evaluation: "Evaluation", node: tree.Call) -> Value:
    argument = node.arguments[0]
    windows = _windows(evaluation, argument)
    there = Vector(windows.labels, np.ones(windows.low.shape), windows.counts > 0)
    return functions.absent(there, _asked(argument), len(evaluation.steps))


def _clamp(evaluation: "Evaluation", node: tree.Call) -> Value:
    vector = evaluation.vector(node.arguments[0])
    limits = [_scalar(evaluation, each) for each in node.arguments[1:]]
    match node.function:
        case "clamp_min":
            return functions.clamped(vector, limits[0], None)
        case "clamp_max":
            return functions.clamped(vector, None, limits[0])
    return functions.clamped(vector, limits[0], limits[1])


def _round(evaluation: "Evaluation", node: tree.Call) -> Value:
    nearest = _scalar(evaluation, node.arguments[1]) if len(node.arguments) > 1 else np.ones(len(evaluation.steps))
    return functions.rounded(evaluation.vector(node.arguments[0]), nearest)


def _sort(evaluation: "Evaluation", node: tree.Call) -> Value:
    vector = evaluation.vector(node.arguments[0])
    return functions.ordered(vector, descending=node.function == "sort_desc")


def _timestamp(evaluation: "Evaluation", node: tree.Call) -> Value:
    argument = node.arguments[0]
    while isinstance(argument, tree.Paren):
        argument = argument.expr
    if isinstance(argument, tree.Selector):
        times = evaluation.instant(argument)[1]
        return times.valued(times.values)
    vector = evaluation.vector(argument)
    return vector.valued(np.broadcast_to(evaluation.steps / 1000, vector.values.shape).copy())


def _histogram_quantile(evaluation: "Evaluation", node: tree.Call) -> Value:
    q = _scalar(evaluation, node.arguments[0])
    return histogram.quantiles(q, evaluation.vector(node.arguments[1]))


def _label_join(evaluation: "Evaluation", node: tree.Call) -> Value:
    target, separator, *sources = (_text(evaluation, each) for each in node.arguments[1:])
    return functions.joined(evaluation.vector(node.arguments[0]), target, separator, tuple(sources))


def _label_replace(evaluation: "Evaluation", node: tree.Call) -> Value:
    target, replacement, source, pattern = (_text(evaluation, each) for each in node.arguments[1:])
    return functions.replaced(evaluation.vector(node.arguments[0]), target, replacement, source, pattern)


def _vector(evaluation: "Evaluation", node: tree.Call) -> Value:
    values = _scalar(evaluation, node.arguments[0])[None, :]
    return Vector(((),), values, np.ones(values.shape, dtype=np.bool_))


_CALLS: Final[dict[str, _Called]] = {
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "clamp": _clamp,
    "clamp_max": _clamp,
    "clamp_min": _clamp,
    "histogram_quantile": _histogram_quantile,
    "holt_winters": _holt_winters,
    "label_join": _label_join,
    "label_replace": _label_replace,
    "last_over_time": _last_over_time,
    "pi": lambda evaluation, _: Scalar(np.full(len(evaluation.steps), np.pi)),
    "predict_linear": _predict_linear,
    "quantile_over_time": _quantile_over_time,
    "round": _round,
    "scalar": lambda evaluation, node: Scalar(functions.single(evaluation.vector(node.arguments[0]))),
    "sort": _sort,
    "sort_desc": _sort,
    "time": lambda evaluation, _: Scalar(evaluation.steps / 1000),
    "timestamp": _timestamp,
    "vector": _vector,
}
