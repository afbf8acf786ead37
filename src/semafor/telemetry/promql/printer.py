"""The tree -> text again, in one way. Long expressions are laid out as Prometheus's `format_query` does."""

import math

from semafor.telemetry.labels import NAME, escaped
from semafor.telemetry.promql import numbers, tree
from semafor.telemetry.promql.tree import Expr, When

_WIDE = 100  # characters of a line; what is longer is laid out over several
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


def duration(milliseconds: int) -> str:
    """As Prometheus writes durations: `1h30m`."""
    if milliseconds == 0:
        return "0s"
    sign, rest, text = "-" if milliseconds < 0 else "", abs(milliseconds), ""
    for unit, length in (("y", 31_536_000_000), ("w", 604_800_000)):
        if rest % length == 0:  # these are only used when nothing is left over
            return f"{sign}{rest // length}{unit}"
    for unit, length in _UNITS:
        count, rest = divmod(rest, length)
        text += f"{count}{unit}" if count else ""
    return sign + text


def written(expr: Expr) -> str:
    """On one line."""
    match expr:
        case tree.Number(value):
            return "NaN" if math.isnan(value) else numbers.written(value)
        case tree.String(value):
            return f'"{escaped(value)}"'
        case tree.Selector():
            return _selector(expr) + _when(expr.when)
        case tree.Matrix(selector, range_ms):
            return f"{_selector(selector)}[{duration(range_ms)}]{_when(selector.when)}"
        case tree.Subquery(inner, range_ms, step_ms, when):
            step = duration(step_ms) if step_ms else ""
            return f"{written(inner)}[{duration(range_ms)}:{step}]{_when(when)}"
        case tree.Paren(inner):
            return f"({written(inner)})"
        case tree.Unary(op, inner):
            return op + written(inner)
        case tree.Binary():
            return f"{written(expr.left)} {_operator(expr)} {written(expr.right)}"
        case tree.Aggregate():
            inside = ", ".join(written(each) for each in (expr.parameter, expr.expr) if each is not None)
            return f"{_aggregation(expr)}({inside})"
        case tree.Call(function, arguments):
            return f"{function}({', '.join(map(written, arguments))})"


def laid_out(expr: Expr, depth: int = 0) -> str:
    """Over as many lines as it takes."""
    indent = "  " * depth
    line = indent + written(expr)
    if len(line) <= _WIDE:
        return line
    match expr:
        case tree.Paren(inner):
            return f"{indent}(\n{laid_out(inner, depth + 1)}\n{indent})"
        case tree.Binary():
            between = f"{indent}{_operator(expr)}"
            return f"{laid_out(expr.left, depth + 1)}\n{between}\n{laid_out(expr.right, depth + 1)}"
        case tree.Aggregate():
            parts = [laid_out(each, depth + 1) for each in (expr.parameter, expr.expr) if each is not None]
            return f"{indent}{_aggregation(expr)}(\n" + ",\n".join(parts) + f"\n{indent})"
        case tree.Call(function, arguments) if arguments:
            return (
                f"{indent}{function}(\n" + ",\n".join(laid_out(each, depth + 1) for each in arguments) + f"\n{indent})"
            )
        case tree.Unary(op, inner):
            return indent + op + laid_out(inner, depth).lstrip()
    return line


def _selector(expr: tree.Selector) -> str:
    inside = ",".join(str(each) for each in expr.matchers if not (expr.name and each.name == NAME))
    return f"{expr.name}{{{inside}}}" if inside or not expr.name else expr.name


def _when(when: When) -> str:
    text = ""
    if isinstance(when.at, int):
        text += f" @ {when.at / 1000:.3f}"
    elif when.at is not None:
        text += f" @ {when.at}()"
    return text + (f" offset {duration(when.offset_ms)}" if when.has_offset else "")


def _operator(expr: tree.Binary) -> str:
    text = f"{expr.op} bool" if expr.bool_ else expr.op
    matching = expr.matching
    if not matching.given or not (matching.labels or matching.on):
        return text
    text += f" {'on' if matching.on else 'ignoring'} ({', '.join(matching.labels)})"
    word = {"many-to-one": "group_left", "one-to-many": "group_right"}.get(matching.card)
    return f"{text} {word} ({', '.join(matching.include)})" if word else text


def _aggregation(expr: tree.Aggregate) -> str:
    if not expr.grouped or not (expr.labels or expr.without):
        return expr.op
    return f"{expr.op} {'without' if expr.without else 'by'} ({', '.join(expr.labels)}) "


__all__ = ["duration", "laid_out", "written"]
