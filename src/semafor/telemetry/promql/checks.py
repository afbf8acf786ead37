"""What is wrong with an expression although its syntax is right, in Prometheus's words."""

from semafor.telemetry.promql import tree
from semafor.telemetry.promql.signatures import SIGNATURES
from semafor.telemetry.promql.tree import Expr, Type


def type_of(expr: Expr) -> Type:
    """The type of what an expression gives."""
    match expr:
        case tree.Number():
            return "scalar"
        case tree.String():
            return "string"
        case tree.Selector() | tree.Aggregate():
            return "instant vector"
        case tree.Matrix() | tree.Subquery():
            return "range vector"
        case tree.Paren(inner) | tree.Unary(_, inner):
            return type_of(inner)
        case tree.Binary(_, left, right):
            both = type_of(left) == type_of(right) == "scalar"
            return "scalar" if both else "instant vector"
        case tree.Call(function, _):
            return SIGNATURES[function].gives


def problem(expr: Expr) -> str:
    """What is wrong with this node; "" when nothing is. Its parts have been checked before."""
    match expr:
        case tree.Binary():
            return _binary(expr)
        case tree.Call():
            return _call(expr)
        case tree.Aggregate():
            return _aggregate(expr)
        case tree.Unary(_, inner) if type_of(inner) not in ("scalar", "instant vector"):
            found = type_of(inner)
            return f'unary expression only allowed on expressions of type scalar or instant vector, got "{found}"'
        case tree.Subquery(inner) if type_of(inner) != "instant vector":
            return f"subquery is only allowed on instant vector, got {type_of(inner)} instead"
    return ""


def _binary(expr: tree.Binary) -> str:
    left, right, op, matching = type_of(expr.left), type_of(expr.right), expr.op, expr.matching
    plain = ("scalar", "instant vector")
    if left not in plain or right not in plain:
        return "binary expression must contain only scalar and instant vector types"
    if expr.bool_ and op not in tree.COMPARISONS:
        return "bool modifier can only be used on comparison operators"
    if op in tree.COMPARISONS and not expr.bool_ and left == right == "scalar":
        return "comparisons between scalars must use BOOL modifier"
    if op in tree.SET_OPERATORS and "scalar" in (left, right):
        return f'set operator "{op}" not allowed in binary scalar expression'
    if matching.given and "scalar" in (left, right):
        return "vector matching only allowed between instant vectors"
    if op in tree.SET_OPERATORS and matching.card != "many-to-many":
        return f'no grouping allowed for "{op}" operation'
    for name in matching.include:
        if matching.on and name in matching.labels:
            return f'label "{name}" must not occur in ON and GROUP clause at once'
    return ""


def _call(expr: tree.Call) -> str:
    signature = SIGNATURES.get(expr.function)
    if signature is None:
        return f'unknown function with name "{expr.function}"'
    count, name = len(expr.arguments), expr.function
    if signature.least == signature.most != count:
        return f'expected {signature.least} argument(s) in call to "{name}", got {count}'
    if count < signature.least:
        return f'expected at least {signature.least} argument(s) in call to "{name}", got {count}'
    if signature.most >= 0 and count > signature.most:
        return f'expected at most {signature.most} argument(s) in call to "{name}", got {count}'
    for place, argument in enumerate(expr.arguments):
        wanted = signature.takes[min(place, len(signature.takes) - 1)]
        if type_of(argument) != wanted:
            return f'expected type {wanted} in call to function "{name}", got {type_of(argument)}'
    return ""


def _aggregate(expr: tree.Aggregate) -> str:
    if type_of(expr.expr) != "instant vector":
        return f"expected type instant vector in aggregation expression, got {type_of(expr.expr)}"
    if expr.parameter is not None:
        wanted = "string" if expr.op == "count_values" else "scalar"
        if type_of(expr.parameter) != wanted:
            return f"expected type {wanted} in aggregation parameter, got {type_of(expr.parameter)}"
    return ""
