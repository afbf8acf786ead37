"""Tests of single texts, by Envoy's rules, and in words."""

from semafor.base import regex
from semafor.ir import StringMatch

_WORDS = {
    "exact": "is",
    "prefix": "begins with",
    "suffix": "ends with",
    "contains": "contains",
    "regex": "matches",
}


def holds(test: StringMatch, value: str) -> bool:
    """Whether the text passes. A regular expression has to match all of it."""
    wanted = test.value
    if test.kind == "regex":
        return full_match(wanted, value, ignore_case=test.ignore_case)
    if test.ignore_case:
        wanted, value = wanted.lower(), value.lower()
    match test.kind:
        case "exact":
            return value == wanted
        case "prefix":
            return value.startswith(wanted)
        case "suffix":
            return value.endswith(wanted)
        case _:
            return wanted in value


def full_match(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """The planner lets only expressions through that RE2 and Python understand in the same way."""
    return regex.matches(pattern, value, ignore_case=ignore_case)


def words(test: StringMatch) -> str:
    """`begins with "/v1"`."""
    return f'{_WORDS[test.kind]} "{test.value}"'
