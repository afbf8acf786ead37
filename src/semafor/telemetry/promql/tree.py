"""What a query is made of. Times and durations are whole milliseconds."""

from dataclasses import dataclass
from typing import Final, Literal, Union

from semafor.telemetry.matching import Matcher

Type = Literal["scalar", "instant vector", "range vector", "string"]

AGGREGATIONS: Final = frozenset(
    ("sum", "avg", "count", "min", "max", "group", "stddev", "stdvar", "topk", "bottomk", "count_values", "quantile")
)
WITH_PARAMETER: Final = frozenset(("topk", "bottomk", "count_values", "quantile"))
SET_OPERATORS: Final = frozenset(("and", "or", "unless"))
COMPARISONS: Final = frozenset(("==", "!=", ">", "<", ">=", "<="))


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class String:
    value: str


@dataclass(frozen=True, slots=True)
class When:
    """`offset` and `@`. `at` is a time, or "start" or "end" of the query; None without."""

    offset_ms: int = 0
    at: int | Literal["start", "end"] | None = None
    has_offset: bool = False


@dataclass(frozen=True, slots=True)
class Selector:
    """Series, by matchers; the metric's name is one of them."""

    name: str
    matchers: tuple[Matcher, ...]
    when: When = When()


@dataclass(frozen=True, slots=True)
class Matrix:
    """The samples of series over a time: `selector[range]`."""

    selector: Selector
    range_ms: int


@dataclass(frozen=True, slots=True)
class Subquery:
    """`expr[range:step]`; without a step the one of the rules' interval."""

    expr: "Expr"
    range_ms: int
    step_ms: int | None
    when: When = When()


@dataclass(frozen=True, slots=True)
class Paren:
    expr: "Expr"


@dataclass(frozen=True, slots=True)
class Unary:
    op: Literal["+", "-"]
    expr: "Expr"


@dataclass(frozen=True, slots=True)
class Matching:
    """How series of two sides find each other: `on(labels)` or `ignoring(labels)`, and `group_left|right(include)`."""

    on: bool = False
    labels: tuple[str, ...] = ()
    card: Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"] = "one-to-one"
    include: tuple[str, ...] = ()
    given: bool = False  # whether the query says anything of it


@dataclass(frozen=True, slots=True)
class Binary:
    op: str
    left: "Expr"
    right: "Expr"
    matching: Matching = Matching()
    bool_: bool = False


@dataclass(frozen=True, slots=True)
class Aggregate:
    op: str
    expr: "Expr"
    parameter: "Expr | None"
    labels: tuple[str, ...]
    without: bool = False
    grouped: bool = False  # whether the query says by or without


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple["Expr", ...]


Expr = Union[Number, String, Selector, Matrix, Subquery, Paren, Unary, Binary, Aggregate, Call]  # noqa: UP007 - it names itself
