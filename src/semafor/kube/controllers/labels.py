"""Label selectors of objects (`matchLabels`, `matchExpressions`), as opposed to those of queries. Pure."""

from collections.abc import Mapping
from typing import Any

Labels = Mapping[str, str]


def match(selector: Mapping[str, Any] | None, labels: Labels) -> bool:
    """Whether the selector takes the labels. None takes nothing, an empty one everything."""
    if selector is None:
        return False
    exact = (selector.get("matchLabels") or {}).items()
    return all(labels.get(key) == value for key, value in exact) and all(
        _holds(expression, labels) for expression in selector.get("matchExpressions") or ()
    )


def subset(wanted: Labels | None, labels: Labels) -> bool:
    """Whether all wanted labels are there; an empty or missing selector of a Service takes nothing."""
    return bool(wanted) and all(labels.get(key) == value for key, value in (wanted or {}).items())


def _holds(expression: Mapping[str, Any], labels: Labels) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case other:
            raise ValueError(f"unknown operator {other!r} in a label selector")
