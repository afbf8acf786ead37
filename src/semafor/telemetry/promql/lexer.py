"""Text -> tokens. Source: Prometheus, promql/parser/lex.go."""

import itertools
import re
from dataclasses import dataclass
from typing import Final

from semafor.telemetry.promql.errors import ParseError

_DURATION = r"\d+(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*(?![0-9a-zA-Z_.])"
_NUMBER = r"(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![0-9a-zA-Z_.])"
_TOKEN = re.compile(
    rf"""(?P<space>\s+|\#[^\n]*)
    |(?P<duration>{_DURATION})
    |(?P<number>{_NUMBER})
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<op>==|!=|>=|<=|=~|!~|[-+*/%^<>=(){{}}\[\],@])""",
    re.VERBOSE | re.DOTALL,
)
# Between brackets a colon parts range and step; elsewhere it is a character of names.
_BRACKETED = re.compile(
    rf"(?P<space>\s+|\#[^\n]*)|(?P<duration>{_DURATION})|(?P<number>{_NUMBER})|(?P<op>[:\]])", re.DOTALL
)
_UNITS_MS: Final = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "y": 31_536_000_000,
}
_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_ESCAPES: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
MAX_CHARACTERS: Final = 100_000  # of a query: more is no question


@dataclass(frozen=True, slots=True)
class Token:
    kind: str  # duration, number, string, word, op, end
    text: str
    position: int


def tokens(text: str) -> list[Token]:
    """All tokens, and one that ends them. Raises ParseError."""
    if len(text) > MAX_CHARACTERS:
        raise ParseError(f"a query of more than {MAX_CHARACTERS} characters")
    found: list[Token] = []
    place, bracketed = 0, False
    while place < len(text):
        match = (_BRACKETED if bracketed else _TOKEN).match(text, place)
        if match is None:
            raise ParseError(_unexpected(text, place, bracketed=bracketed), text, place)
        kind = str(match.lastgroup)
        if kind != "space":
            found.append(Token(kind, match.group(), place))
        bracketed = match.group() == "[" or (bracketed and match.group() != "]")
        place = match.end()
    found.append(Token("end", "", len(text)))
    return found


def _unexpected(text: str, place: int, *, bracketed: bool) -> str:
    if text[place] in "\"'`":
        return "unterminated quoted string"
    if bracketed:
        return f"bad number or duration syntax: {text[place : place + 20]!r}"
    if text[place].isdigit():
        return f'bad number or duration syntax: "{text[place : place + 20]}"'
    return f"unexpected character: {text[place]!r}"


def duration_ms(text: str) -> int:
    """A duration such as 1h30m. Raises ValueError for one without an end, or with its units in disorder."""
    parts = _PART.findall(text)
    units = [_UNITS_MS[unit] for _, unit in parts]
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f'not a valid duration string: "{text}"')
    if any(after >= before for before, after in itertools.pairwise(units)):
        raise ValueError(f'not a valid duration string: "{text}"')
    total = sum(int(number[:20]) * _UNITS_MS[unit] for number, unit in parts)
    if total > (1 << 63) // 1_000_000:
        raise ValueError("duration out of range")
    return total


def number(text: str) -> float:
    """A number as Go writes one: decimal, hexadecimal, octal, Inf, NaN."""
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", text):
        return float(int(text, 16))
    if re.fullmatch(r"0[0-7]+", text):
        return float(int(text, 8))
    return float(text)


def string(text: str) -> str:
    """What a quoted text means. Raises ValueError for an escape that is none."""
    inside = text[1:-1]
    if text[0] == "`" or "\\" not in inside:
        return inside
    quote = text[0]

    def meaning(found: re.Match[str]) -> str:
        escape = found[1]
        if escape[0] in "xuU" and len(escape) > 1:
            return chr(int(escape[1:], 16))
        if len(escape) == 3:
            return chr(int(escape, 8))
        if escape in _ESCAPES:
            return _ESCAPES[escape]
        if escape in ("\\", quote):
            return escape
        raise ValueError(f"unknown escape sequence '\\{escape}'")

    return _ESCAPE.sub(meaning, inside)
