"""Matchers of labels: `name="value"`, `!=`, `=~`, `!~`.

Expressions are RE2's, as in Go: they match the whole value, and none takes more time than its length allows. With
Python's own `re` a single query could hold up the daemon for ever.
"""

import functools
from dataclasses import dataclass
from typing import Any, Literal

import re2

Op = Literal["=", "!=", "=~", "!~"]


class BadExpression(ValueError):  # noqa: N818 - named for what it is
    """A regular expression that RE2 does not take: its message is RE2's."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label. Raises BadExpression when an expression is none."""

    name: str
    op: Op
    value: str

    def __post_init__(self) -> None:
        if self.op in ("=~", "!~"):
            expression(self.value)

    def matches(self, value: str) -> bool:
        """Whether a label with this value passes; without the label the value is ""."""
        if self.op == "=":
            return value == self.value
        if self.op == "!=":
            return value != self.value
        return (expression(self.value).fullmatch(value) is not None) == (self.op == "=~")

    def __str__(self) -> str:
        text = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.op}"{text}"'


@functools.lru_cache(maxsize=1024)
def expression(text: str) -> Any:
    """The compiled expression."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 4 << 20
    try:
        return re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        said = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise BadExpression(f"error parsing regexp: {said}") from None
