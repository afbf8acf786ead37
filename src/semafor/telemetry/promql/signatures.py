"""Which functions there are, what they take, and what they give. Source: Prometheus 2, promql/parser/functions.go."""

from dataclasses import dataclass
from typing import Final

from semafor.telemetry.promql.tree import Type


@dataclass(frozen=True, slots=True)
class Signature:
    """`least` arguments must be there; -1 for `most` allows any number of the last type."""

    takes: tuple[Type, ...]
    gives: Type
    least: int
    most: int


def _exact(gives: Type, *takes: Type) -> Signature:
    return Signature(takes, gives, len(takes), len(takes))


_V: Final = "instant vector"
_R: Final = "range vector"
_S: Final = "scalar"
_T: Final = "string"

# fmt: off
_OF_VECTOR = (
    "abs", "absent", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "deg", "exp", "floor",
    "histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum", "ln", "log10", "log2",
    "rad", "sgn", "sin", "sinh", "sort", "sort_desc", "sqrt", "tan", "tanh", "timestamp",
)
_OF_RANGE = (
    "absent_over_time", "avg_over_time", "changes", "count_over_time", "delta", "deriv", "idelta", "increase", "irate",
    "last_over_time", "max_over_time", "min_over_time", "present_over_time", "rate", "resets", "stddev_over_time",
    "stdvar_over_time", "sum_over_time",
)
# fmt: on
_OF_TIME = ("day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year")

SIGNATURES: Final[dict[str, Signature]] = {
    **{name: _exact(_V, _V) for name in _OF_VECTOR},
    **{name: _exact(_V, _R) for name in _OF_RANGE},
    **{name: Signature((_V,), _V, 0, 1) for name in _OF_TIME},
    "clamp": _exact(_V, _V, _S, _S),
    "clamp_max": _exact(_V, _V, _S),
    "clamp_min": _exact(_V, _V, _S),
    "histogram_fraction": _exact(_V, _S, _S, _V),
    "histogram_quantile": _exact(_V, _S, _V),
    "holt_winters": _exact(_V, _R, _S, _S),
    "label_join": Signature((_V, _T, _T, _T), _V, 3, -1),
    "label_replace": _exact(_V, _V, _T, _T, _T, _T),
    "pi": _exact(_S),
    "predict_linear": _exact(_V, _R, _S),
    "quantile_over_time": _exact(_V, _S, _R),
    "round": Signature((_V, _S), _V, 1, 2),
    "scalar": _exact(_S, _V),
    "time": _exact(_S),
    "vector": _exact(_V, _S),
}
