"""Drop what a document should not hold: nulls, and fields that its kind does not have."""

from typing import Any

from semafor.resources.shape import Shape


def known(shape: Shape | None, value: Any) -> Any:
    """A copy without nulls and without unknown fields; free content is kept as it is."""
    if shape is None or shape.type == "any":
        return value
    if isinstance(value, dict):
        return _known_object(shape, value)
    if isinstance(value, list):
        return [known(shape.items, item) for item in value]
    return value


def _known_object(shape: Shape, value: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for key, item in value.items():
        if item is not None and (inner := shape.field(key)) is not None:
            kept[key] = known(inner, item)
    return kept
