"""Small operations on JSON documents that all kinds of patch share."""

import json
from collections.abc import Iterable
from typing import Any

from semafor.kube.api.patch.errors import MalformedError

# Patches recurse once per level and Python stops at about a thousand frames; no Kubernetes kind nests deeper than 60.
MAX_DEPTH = 200


def clone(value: Any) -> Any:
    """A deep copy."""
    if isinstance(value, dict):
        return {key: clone(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [clone(inner) for inner in value]
    return value


def same(left: Any, right: Any) -> bool:
    """Equality as JSON has it: true is not 1, though 1 is 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(one, other) for one, other in zip(left, right, strict=True))
    return bool(left == right)


def require_shallow(value: Any) -> None:
    """Refuse a document that nests deeper than MAX_DEPTH; looks at it without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _children(outer) if isinstance(inner, dict | list)]
        if not level:
            return
    raise MalformedError(f"the patch nests deeper than {MAX_DEPTH} levels")


def require_object(value: Any, what: str) -> dict[str, Any]:
    """The value as an object, or a refusal that says what should have been one."""
    if not isinstance(value, dict):
        raise MalformedError(f"{what} must be an object, not {brief(value)}")
    return value


def brief(value: Any) -> str:
    """The value as JSON, cut short, for an error message."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
