"""PromQL: a query and a store -> values, as Prometheus 2 answers.

    text ─▶ lexer ─▶ parser ─▶ checks ─▶ tree ─▶ evaluate, over all steps at once ─▶ Instant / Range results

`Engine(store).instant(query, time)` and `.range(query, start, end, step)` are all of it. An expression's value is a
matrix: a row for each series, a column for each step. Errors are one tree: `QueryError` / `ParseError`,
`ExecutionError`.
"""

from semafor.telemetry.promql.engine import Engine
from semafor.telemetry.promql.errors import ExecutionError, ParseError, QueryError, Timeout
from semafor.telemetry.promql.evaluate import Options
from semafor.telemetry.promql.parser import parse
from semafor.telemetry.promql.results import Point, Result, Row

__all__ = [
    "Engine",
    "ExecutionError",
    "Options",
    "ParseError",
    "Point",
    "QueryError",
    "Result",
    "Row",
    "Timeout",
    "parse",
]
