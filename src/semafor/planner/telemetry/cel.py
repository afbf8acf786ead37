"""Whether an expression is one that Envoy takes: CEL's grammar, Envoy's attributes, the functions it has by itself.

Envoy has no comprehensions (all, exists, map, filter).

A wrong one would cost the proxy the whole listener, so it is found here.
Source: the CEL language definition; Envoy's reference of attributes.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

ATTRIBUTES: Final = frozenset(
    (
        "request",
        "response",
        "source",
        "destination",
        "connection",
        "upstream",
        "metadata",
        "filter_state",
        "upstream_filter_state",
        "xds",
    )
)
_FUNCTIONS: Final = frozenset(
    (
        "size", "contains", "startsWith", "endsWith", "matches", "has", "int", "uint", "double", "duration",
        "timestamp", "type", "getFullYear", "getMonth", "getDate",
        "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds",
    )
)  # fmt: skip
_LITERALS: Final = frozenset(("true", "false", "null"))
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>[rR]?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
      |(?P<number>(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)u?)
      |(?P<name>[A-Za-z_]\w*)
      |(?P<sign>\|\||&&|<=|>=|==|!=|[-+*/%<>!?:.,()\[\]{}]))""",
    re.VERBOSE,
)
_INFIX: Final = (("||",), ("&&",), ("<", "<=", ">", ">=", "==", "!=", "in"), ("+", "-"), ("*", "/", "%"))
_MAX_DEPTH: Final = 32


class _Token(NamedTuple):
    kind: str
    text: str


class Wrong(ValueError):  # noqa: N818 - named for what the text is
    """The expression is not understood; the message says why."""


def check(expression: str, *, in_format: bool = False) -> None:
    """Raise Wrong when Envoy would not take it. `in_format`: it stands between `%CEL(` and `)%`, which end there."""
    if in_format and ")%" in expression.replace(" ", ""):
        raise Wrong("`)%` cannot be part of a value: put a space before the per cent sign's operand")
    parser = _Parser(list(_tokens(expression)))
    parser.conditional(0)
    if parser.peek():
        raise Wrong(f"{parser.peek()!r} is not expected there")


def _tokens(expression: str) -> Iterator[_Token]:
    place = 0
    while expression[place:].strip():
        found = _TOKEN.match(expression, place)
        if not found or found.lastgroup is None:
            raise Wrong(f"{expression[place:].strip()[:20]!r} is no part of an expression")
        yield _Token(found.lastgroup, found[found.lastgroup])
        place = found.end()


class _Parser:
    """Recursive descent; nothing is built, for Envoy parses it again."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._is_field = False  # whether what was read last is `a.b`, which has() wants

    def peek(self) -> str:
        return self._tokens[self._place].text if self._place < len(self._tokens) else ""

    def _take(self, *wanted: str) -> bool:
        if self.peek() in wanted and self.peek():
            self._place += 1
            return True
        return False

    def _need(self, wanted: str) -> None:
        if not self._take(wanted):
            raise Wrong(f"{wanted!r} is missing before {self.peek()!r}" if self.peek() else f"{wanted!r} is missing")

    def conditional(self, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise Wrong("it is nested too deeply")
        self._infix(0, depth)
        if self._take("?"):
            self._infix(0, depth + 1)
            self._need(":")
            self.conditional(depth + 1)

    def _infix(self, level: int, depth: int) -> None:
        if level == len(_INFIX):
            return self._prefix(depth)
        self._infix(level + 1, depth)
        while self._take(*_INFIX[level]):
            self._infix(level + 1, depth)
        return None

    def _prefix(self, depth: int) -> None:
        while self._take("!", "-"):
            pass
        self._primary(depth)
        is_field = False
        while True:
            if self._take("."):
                is_field = self._member(depth)
            elif self._take("["):
                self.conditional(depth + 1)
                self._need("]")
                is_field = False
            else:
                self._is_field = is_field
                return

    def _member(self, depth: int) -> bool:
        """Whether it is a field, and not a function."""
        name = self._name()
        if self.peek() == "(":
            self._call(name, depth)
            return False
        return True

    def _name(self) -> str:
        token = self._tokens[self._place] if self._place < len(self._tokens) else _Token("end", "the end")
        if token.kind != "name":
            raise Wrong(f"a name is expected, not {token.text!r}")
        self._place += 1
        return token.text

    def _primary(self, depth: int) -> None:
        if self._place >= len(self._tokens):
            raise Wrong("it ends too early")
        token = self._tokens[self._place]
        if token.kind in ("text", "number") or token.text in _LITERALS:
            self._place += 1
        elif token.kind == "name":
            self._place += 1
            self._named(token.text, depth)
        elif self._take("("):
            self.conditional(depth + 1)
            self._need(")")
        elif self._take("["):
            self._arguments("]", depth)
        else:
            raise Wrong(f"{token.text!r} is not expected there")

    def _named(self, name: str, depth: int) -> None:
        if self.peek() == "(":
            self._call(name, depth)
        elif name not in ATTRIBUTES:
            raise Wrong(f"{name} is no attribute that Envoy knows; these are: {', '.join(sorted(ATTRIBUTES))}")

    def _call(self, name: str, depth: int) -> None:
        if name not in _FUNCTIONS:
            raise Wrong(f"{name}() is no function that Envoy has")
        self._need("(")
        if name == "has":
            self.conditional(depth + 1)
            if not self._is_field:
                raise Wrong("has() wants a field, has(a.b); of a map write 'b' in a")
            self._need(")")
        else:
            self._arguments(")", depth)

    def _arguments(self, end: str, depth: int) -> None:
        if self._take(end):
            return
        self.conditional(depth + 1)
        while self._take(","):
            self.conditional(depth + 1)
        self._need(end)
