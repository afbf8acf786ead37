"""Patterns of paths: those of .dockerignore, and those of COPY. Standard library only, pure.

Source: https://docs.docker.com/build/concepts/context/#dockerignore-files, and Go's filepath.Match for COPY.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple


class Rule(NamedTuple):
    pattern: re.Pattern[str]
    keep: bool  # a line that starts with "!" takes back what earlier lines left out


def rules(text: str) -> tuple[Rule, ...]:
    """The rules of a .dockerignore file, in order."""
    found = []
    for line in text.removeprefix("\ufeff").splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        keep = stripped.startswith("!")
        pattern = stripped.removeprefix("!").strip().strip("/")
        if pattern not in ("", "."):
            found.append(Rule(expression(pattern), keep))
    return tuple(found)


def ignored(path: str, table: Sequence[Rule]) -> bool:
    """Whether a path, relative to the folder, is left out: the last rule that matches it or one above it decides."""
    parts = path.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    left_out = False
    for rule in table:
        if rule.keep == left_out and any(rule.pattern.fullmatch(prefix) for prefix in above):
            left_out = not rule.keep
    return left_out


def has_exceptions(table: Sequence[Rule]) -> bool:
    """Whether folders that are left out must be looked into all the same."""
    return any(rule.keep for rule in table)


def is_pattern(path: str) -> bool:
    return any(char in path for char in "*?[")


def expression(pattern: str) -> re.Pattern[str]:
    """`*` and `?` stay within a folder's name, `**` passes through folders, [a-z] and a backslash work as in Go."""
    parts = []
    at = 0
    while at < len(pattern):
        part, at = _piece(pattern, at)
        parts.append(part)
    return re.compile("".join(parts), re.DOTALL)


def _piece(pattern: str, at: int) -> tuple[str, int]:
    """The expression of what stands at a place of the pattern, and the place behind it."""
    if pattern.startswith("**/", at):
        return "(?:.*/)?", at + 3
    if pattern.startswith("**", at):
        return ".*", at + 2
    char = pattern[at]
    if char == "*":
        return "[^/]*", at + 1
    if char == "?":
        return "[^/]", at + 1
    end = pattern.find("]", at + 2)
    if char == "[" and end > 0:
        inside = pattern[at + 1 : end].replace("\\", "\\\\")
        return f"[{inside}]", end + 1
    if char == "\\" and at + 1 < len(pattern):
        return re.escape(pattern[at + 1]), at + 2
    return re.escape(char), at + 1
