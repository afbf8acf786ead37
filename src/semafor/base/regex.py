"""Regular expressions of strangers, in a time that does not explode with the text.

Python's `re` tries one way after the other, and `(a+)+` has 2**n of them for n letters: who may write such an
expression could stop the whole control plane. Here a part of the expression takes the set of all places where it may
begin to the set of those where it may end, so each place is looked at once. Groups are not told.

Python's parser reads the expressions; those that are not regular (back references, looking around) raise `re.error`.
"""

import re
from collections.abc import Callable, Iterable
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, Final

Places = frozenset[int]

_MOST_STEPS: Final = 1_000_000  # about a second
_CATEGORIES: Final[dict[Any, Callable[[str], bool]]] = {
    op.CATEGORY_DIGIT: lambda char: char in "0123456789",
    op.CATEGORY_SPACE: lambda char: char in "\t\n\f\r\v ",
    op.CATEGORY_WORD: lambda char: char == "_" or (char.isascii() and char.isalnum()),
}
_OPPOSITES: Final = {
    op.CATEGORY_NOT_DIGIT: op.CATEGORY_DIGIT,
    op.CATEGORY_NOT_SPACE: op.CATEGORY_SPACE,
    op.CATEGORY_NOT_WORD: op.CATEGORY_WORD,
}


def matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Whether the expression takes the whole text. Raises re.error, and so for one that takes too long."""
    return len(text) in _Matching(text, ignore_case=ignore_case).ends(_parser.parse(pattern), frozenset({0}))


def is_found(pattern: str, text: str) -> bool:
    """Whether the expression takes some part of the text. Raises re.error, and so for one that takes too long."""
    return bool(_Matching(text).ends(_parser.parse(pattern), frozenset(range(len(text) + 1))))


class _Matching:
    """One text. `_flags` are those of the part of the expression that is at work."""

    def __init__(self, text: str, *, ignore_case: bool = False) -> None:
        self._text = text
        self._flags = re.IGNORECASE if ignore_case else re.NOFLAG
        self._steps = 0

    def ends(self, parsed: Any, starts: Places) -> Places:
        """Where the parts of the expression, one after the other, may end."""
        outer, self._flags = self._flags, self._flags | parsed.state.flags
        for kind, value in parsed:
            starts = self._of(kind, value, starts)
        self._flags = outer
        return starts

    def _of(self, kind: Any, value: Any, starts: Places) -> Places:
        self._steps += 1 + len(starts)
        if self._steps > _MOST_STEPS:
            raise re.error("it takes too long")
        match kind:
            case op.MAX_REPEAT | op.MIN_REPEAT:
                least, most, parsed = value
                return self._repeated(least, most, parsed, starts)
            case op.BRANCH:
                return frozenset().union(*(self.ends(each, starts) for each in value[1]))
            case op.SUBPATTERN:
                _, added, removed, parsed = value
                return self._group(added, removed, parsed, starts)
            case op.AT:
                return frozenset(place for place in starts if self._is_at(value, place))
        return frozenset(place + 1 for place in starts if place < len(self._text) and self._takes(kind, value, place))

    def _repeated(self, least: int, most: Any, parsed: Any, starts: Places) -> Places:
        for _ in range(least):
            starts = self.ends(parsed, starts)
        found, new, done = starts, starts, least
        while new and (most is op.MAXREPEAT or done < most):
            new = self.ends(parsed, new) - found
            found, done = found | new, done + 1
        return found

    def _group(self, added: int, removed: int, parsed: Any, starts: Places) -> Places:
        outer, self._flags = self._flags, (self._flags | added) & ~removed
        found = self.ends(parsed, starts)
        self._flags = outer
        return found

    def _is_at(self, where: Any, place: int) -> bool:
        match where:
            case op.AT_BEGINNING | op.AT_BEGINNING_STRING:
                return place == 0
            case op.AT_END | op.AT_END_STRING:
                return place == len(self._text)
        around = (self._text[max(place - 1, 0) : place], self._text[place : place + 1])
        is_edge = len({bool(char) and _CATEGORIES[op.CATEGORY_WORD](char) for char in around}) == 2
        return is_edge == (where is op.AT_BOUNDARY)

    def _takes(self, kind: Any, value: Any, place: int) -> bool:
        char = self._text[place]
        match kind:
            case op.ANY:
                return char != "\n" or bool(self._flags & re.DOTALL)
            case op.IN:
                return self._is_among(value, char)
            case op.LITERAL:
                return self._is_among([(kind, value)], char)
            case op.NOT_LITERAL:
                return not self._is_among([(op.LITERAL, value)], char)
        raise re.error(f"{kind} is not regular")

    def _is_among(self, listed: Iterable[tuple[Any, Any]], char: str) -> bool:
        chars = {char, char.lower(), char.upper()} if self._flags & re.IGNORECASE else {char}
        wanted = [each for each in listed if each[0] is not op.NEGATE]
        found = any(_is_in(*each, one) for each in wanted for one in chars)
        return found != (len(wanted) < len(list(listed)))


def _is_in(kind: Any, value: Any, char: str) -> bool:
    match kind:
        case op.LITERAL:
            return ord(char) == value if len(char) == 1 else False
        case op.RANGE:
            return len(char) == 1 and value[0] <= ord(char) <= value[1]
        case op.CATEGORY if value in _OPPOSITES:
            return not _CATEGORIES[_OPPOSITES[value]](char)
    return _CATEGORIES[value](char)
