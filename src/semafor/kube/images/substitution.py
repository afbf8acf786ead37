"""Variables and quotes in the arguments of a Dockerfile's instructions. Pure.

Source: https://docs.docker.com/reference/dockerfile/#environment-replacement.
"""

import re
from collections.abc import Callable, Mapping

Variables = Mapping[str, str]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])(.*))?", re.DOTALL)


class SubstitutionError(ValueError):
    """A variable that is written wrongly or is required and missing."""


def expand(text: str, variables: Variables) -> str:
    """The text with variables replaced and quotes removed; a missing variable is empty."""
    return "".join(_Reader(text, variables).words(split=False))


def words(text: str, variables: Variables) -> tuple[str, ...]:
    """The text's words, as a shell would split them: quotes keep spaces together."""
    return tuple(_Reader(text, variables).words(split=True))


def variables_only(text: str, variables: Variables) -> str:
    """The text with variables replaced and everything else, quotes too, as it is (documents, exec forms)."""
    return _Reader(text, variables).plain()


class _Reader:
    """Reads a text once from left to right."""

    def __init__(self, text: str, variables: Variables) -> None:
        self._text = text
        self._variables = variables
        self._at = 0

    def words(self, *, split: bool) -> list[str]:
        found: list[str] = []
        word: str | None = None
        while self._at < len(self._text):
            char = self._text[self._at]
            if split and char.isspace():
                self._at += 1
                found, word = found if word is None else [*found, word], None
                continue
            word = (word or "") + self._piece(char)
        return found if word is None else [*found, word]

    def plain(self) -> str:
        parts = []
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "\\" and self._text[self._at + 1 : self._at + 2] == "$":
                self._at += 2
                parts.append("$")
            elif char == "$":
                parts.append(self._variable())
            else:
                self._at += 1
                parts.append(char)
        return "".join(parts)

    def _piece(self, char: str) -> str:
        reader: Callable[[], str] = {
            "'": self._single,
            '"': self._double,
            "\\": self._escaped,
            "$": self._variable,
        }.get(char, self._char)
        return reader()

    def _char(self) -> str:
        self._at += 1
        return self._text[self._at - 1]

    def _escaped(self) -> str:
        self._at += 2
        return self._text[self._at - 1 : self._at]

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise SubstitutionError(f"a quote ' is not closed in {self._text}")
        inside = self._text[self._at + 1 : end]
        self._at = end + 1
        return inside

    def _double(self) -> str:
        self._at += 1
        parts: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == '"':
                self._at += 1
                return "".join(parts)
            if char == "$":
                parts.append(self._variable())
            elif char == "\\" and self._text[self._at + 1 : self._at + 2] in ('"', "\\", "$"):
                parts.append(self._escaped())
            else:
                parts.append(self._char())
        raise SubstitutionError(f'a quote " is not closed in {self._text}')

    def _variable(self) -> str:
        if self._text.startswith("${", self._at):
            return self._braced()
        name = _NAME.match(self._text, self._at + 1)
        if not name:
            return self._char()
        self._at = name.end()
        return self._variables.get(name[0], "")

    def _braced(self) -> str:
        end = _closing(self._text, self._at + 2)
        if end < 0:
            raise SubstitutionError(f"${{ is not closed in {self._text}")
        inside = self._text[self._at + 2 : end]
        found = _BRACED.fullmatch(inside)
        if not found:
            raise SubstitutionError(
                f"${{{inside}}} is not supported; use ${{name}}, ${{name:-default}} or ${{name:+word}}"
            )
        self._at = end + 1
        return self._choose(found[1], found[2] or "", found[3] or "")

    def _choose(self, name: str, operator: str, word: str) -> str:
        value = self._variables.get(name)
        given = bool(value) if operator.startswith(":") else value is not None
        if operator.endswith("+"):
            return expand(word, self._variables) if given else ""
        if operator.endswith("?") and not given:
            raise SubstitutionError(f"{name} is not set: {word or 'it is required'}")
        if operator.endswith("-") and not given:
            return expand(word, self._variables)
        return value or ""


def _closing(text: str, start: int) -> int:
    """Where the brace opened before `start` closes; -1 when it does not."""
    depth = 1
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return -1
