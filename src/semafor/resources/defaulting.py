"""Three small functions to fill in defaults without changing what was given."""

from collections.abc import Callable, Mapping
from typing import Any

Change = Callable[[dict[str, Any]], dict[str, Any]]


def fill(doc: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the default of each field that it does not have."""
    missing = {key: value for key, value in defaults.items() if key not in doc}
    return {**doc, **missing} if missing else doc


def inside(doc: dict[str, Any], key: str, change: Change) -> dict[str, Any]:
    """The document with `change` applied to the object under `key`, if there is one."""
    return {**doc, key: change(doc[key])} if isinstance(doc.get(key), dict) else doc


def each(doc: dict[str, Any], key: str, change: Change) -> dict[str, Any]:
    """The document with `change` applied to each object of the list under `key`, if there is one."""
    if not isinstance(doc.get(key), list):
        return doc
    return {**doc, key: [change(item) if isinstance(item, dict) else item for item in doc[key]]}
