"""Label selectors over JSON documents. Source: Kubernetes' reference of labels and selectors."""

from collections.abc import Iterator, Mapping
from typing import Any

from semafor.resources import errors, metadata
from semafor.resources.errors import FieldError


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector chooses these labels. None chooses nothing, an empty selector everything."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(requirement, labels) for requirement in selector.get("matchExpressions") or ()
    )


def chooses(selector: Mapping[str, str] | None, labels: Mapping[str, str]) -> bool:
    """Whether a Service's selector, which is plain labels, chooses these. An absent or empty one chooses nothing."""
    return bool(selector) and all(labels.get(key) == value for key, value in (selector or {}).items())


def _holds(requirement: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(requirement.get("key", "")), requirement.get("values") or ()
    match requirement.get("operator"):
        case "In":
            return value is not None and value in values
        case "NotIn":
            return value is None or value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False


def is_empty(selector: Mapping[str, Any]) -> bool:
    """Whether the selector has no condition, so that it chooses everything."""
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def validate(selector: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """What is wrong with a LabelSelector."""
    yield from metadata.labels(selector.get("matchLabels", {}), f"{path}.matchLabels")
    for index, requirement in enumerate(selector.get("matchExpressions", ())):
        yield from _requirement(requirement, f"{path}.matchExpressions[{index}]")


def _requirement(requirement: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    operator, values = requirement.get("operator"), requirement.get("values", ())
    if operator in {"In", "NotIn"} and not values:
        yield errors.required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    if operator in {"Exists", "DoesNotExist"} and values:
        yield errors.forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    if requirement.get("key"):
        yield from metadata.qualified(requirement["key"], f"{path}.key")
