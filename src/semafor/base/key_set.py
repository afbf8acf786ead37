"""JSON Web Key Sets (RFC 7517, section 5) as strangers write them."""

import json
from typing import Any

Key = dict[str, str]


def document(text: str) -> Any:
    """What the JSON says. Raises ValueError for everything that is none, and for what is nested beyond reading."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def keys(text: str) -> list[Key]:
    """The keys of the set, of each the members that are text: no algorithm has others. Raises ValueError."""
    found = document(text)
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise ValueError("it is no object with a list of keys")
    return [{name: member for name, member in key.items() if _is_text(member)} for key in listed if _is_key(key)]


def _is_key(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("kty"), str)


def _is_text(value: object) -> bool:
    """Whether it is a string that UTF-8 can carry: JSON can write halves of surrogate pairs."""
    return isinstance(value, str) and not any("\ud800" <= each <= "\udfff" for each in value)
