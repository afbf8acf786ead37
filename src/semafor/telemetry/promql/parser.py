"""Tokens -> tree. Source: Prometheus 2, promql/parser/generated_parser.y, and its documentation.

Precedence, weakest first: or; and unless; comparisons; + -; * / % atan2; ^ (from the right). A sign is weaker than ^.
"""

import functools
from typing import Any, Final, Literal, cast

from semafor.telemetry.labels import NAME
from semafor.telemetry.matching import BadExpression, Matcher
from semafor.telemetry.promql import checks, lexer, tree
from semafor.telemetry.promql.errors import ParseError
from semafor.telemetry.promql.lexer import Token
from semafor.telemetry.promql.tree import Expr, Matching, When

_PRECEDENCE: Final = {
    "or": 1, "and": 2, "unless": 2, "==": 3, "!=": 3, "<": 3, ">": 3, "<=": 3, ">=": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "atan2": 5, "^": 6,
}  # fmt: skip
_NO_METRIC: Final = frozenset(("on", "ignoring", "group_left", "group_right", "bool"))
_MAX_DEPTH: Final = 100  # of nested expressions; evaluation needs several calls for each


@functools.lru_cache(maxsize=512)
def parse(text: str) -> Expr:
    """The tree of a query, checked. Raises ParseError."""
    return _Parser(text).query()


def selectors(text: str) -> tuple[Matcher, ...]:
    """The matchers of a single selector, as `match[]` has one. Raises ParseError."""
    found = parse(text)
    if not isinstance(found, tree.Selector):
        raise ParseError("expected a selector of series")
    return found.matchers


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = lexer.tokens(text)
        self._place = 0
        self._depth = 0

    def query(self) -> Expr:
        if self._peek().kind == "end":
            raise ParseError("no expression found in input", self._text, 0)
        found = self._expression(0)
        if self._peek().kind != "end":
            raise self._unexpected()
        return found

    # Tokens

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._place + ahead, len(self._tokens) - 1)]

    def _next(self) -> Token:
        token = self._peek()
        self._place += 1
        return token

    def _is(self, text: str, ahead: int = 0) -> bool:
        token = self._peek(ahead)
        return token.kind in ("op", "word") and token.text.lower() == text

    def _take(self, text: str) -> bool:
        if not self._is(text):
            return False
        self._place += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._unexpected(f', expected "{text}"')

    def _unexpected(self, expected: str = "") -> ParseError:
        token = self._peek()
        what = "end of input" if token.kind == "end" else f'"{token.text}"'
        return ParseError(f"unexpected {what}{expected}", self._text, token.position)

    def _error(self, message: str, position: int) -> ParseError:
        return ParseError(message, self._text, position)

    def _checked(self, made: Expr, position: int) -> Expr:
        if problem := checks.problem(made):
            raise self._error(problem, position)
        return made

    # Expressions

    def _expression(self, least: int) -> Expr:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._error(f"more than {_MAX_DEPTH} nested expressions", self._peek().position)
        position = self._peek().position
        found = self._unary()
        while (op := self._operator()) is not None and _PRECEDENCE[op] > least:
            self._next()
            bool_, matching = self._modifiers(op)
            right = self._expression(_PRECEDENCE[op] - (op == "^"))
            found = self._checked(tree.Binary(op, found, right, matching, bool_), position)
            if self._place > 20_000:  # a chain of operators is a tree as deep as it is long
                raise self._error("too many operators", position)
        self._depth -= 1
        return found

    def _operator(self) -> str | None:
        token = self._peek()
        text = token.text.lower()
        return text if token.kind in ("op", "word") and text in _PRECEDENCE else None

    def _unary(self) -> Expr:
        token = self._peek()
        if token.kind != "op" or token.text not in ("+", "-"):
            return self._postfix(self._primary())
        self._next()
        inner = self._expression(_PRECEDENCE["*"])
        return self._checked(_signed(token.text, inner), token.position)

    def _modifiers(self, op: str) -> tuple[bool, Matching]:
        bool_ = self._take("bool")
        card: Any = "many-to-many" if op in tree.SET_OPERATORS else "one-to-one"
        if not (self._is("on") or self._is("ignoring")):
            return bool_, Matching(card=card)
        on = self._next().text.lower() == "on"
        labels = self._names()
        include: tuple[str, ...] = ()
        for word, kind in (("group_left", "many-to-one"), ("group_right", "one-to-many")):
            if self._take(word):
                card = kind
                include = self._names() if self._is("(") else ()
        return bool_, Matching(on=on, labels=labels, card=card, include=include, given=True)

    def _names(self) -> tuple[str, ...]:
        self._expect("(")
        names: list[str] = []
        while not self._take(")"):
            token = self._next()
            if token.kind != "word" or ":" in token.text:
                self._place -= 1
                raise self._unexpected(" in grouping opts, expected label")
            names.append(token.text)
            if not self._is(")"):
                self._expect(",")
        return tuple(names)

    def _primary(self) -> Expr:
        token = self._peek()
        match token.kind:
            case "number" | "duration":
                self._next()
                return tree.Number(_value(token))
            case "string":
                self._next()
                return tree.String(self._string(token))
            case "word":
                return self._word(token)
        if self._take("("):
            inner = self._expression(0)
            self._expect(")")
            return tree.Paren(inner)
        if self._is("{"):
            return self._selector("", token.position)
        raise self._unexpected()

    def _word(self, token: Token) -> Expr:
        lower = token.text.lower()
        if lower in ("inf", "nan") and not self._is("{", 1):
            self._next()
            return tree.Number(float(lower))
        if lower in tree.AGGREGATIONS and any(self._is(text, 1) for text in ("(", "by", "without")):
            return self._aggregate()
        if self._is("(", 1) and lower not in _NO_METRIC:
            return self._call()
        if lower in _NO_METRIC:
            raise self._unexpected()
        self._next()
        return self._selector(token.text, token.position)

    def _aggregate(self) -> Expr:
        token = self._next()
        grouping = self._grouping()
        arguments = self._arguments()
        grouping = grouping or self._grouping()
        without, labels = grouping or (False, ())
        op = token.text.lower()
        wanted = 2 if op in tree.WITH_PARAMETER else 1
        if not arguments:
            raise self._error("no arguments for aggregate expression provided", token.position)
        if len(arguments) != wanted:
            words = (
                f"wrong number of arguments for aggregate expression provided, expected {wanted}, got {len(arguments)}"
            )
            raise self._error(words, token.position)
        parameter = arguments[0] if wanted == 2 else None
        made = tree.Aggregate(op, arguments[-1], parameter, labels, without, grouping is not None)
        return self._checked(made, token.position)

    def _grouping(self) -> tuple[bool, tuple[str, ...]] | None:
        if not (self._is("by") or self._is("without")):
            return None
        return self._next().text.lower() == "without", self._names()

    def _call(self) -> Expr:
        token = self._next()
        arguments = self._arguments()
        name = "holt_winters" if token.text == "double_exponential_smoothing" else token.text
        return self._checked(tree.Call(name, arguments), token.position)

    def _arguments(self) -> tuple[Expr, ...]:
        self._expect("(")
        found: list[Expr] = []
        while not self._take(")"):
            found.append(self._expression(0))
            if not self._is(")"):
                self._expect(",")
                if self._is(")"):
                    raise self._error("trailing commas not allowed in function call args", self._peek().position)
        return tuple(found)

    # Selectors, and what follows them

    def _selector(self, name: str, position: int) -> Expr:
        matchers = self._matchers(name) if self._is("{") else ()
        if name:
            for matcher in matchers:
                if matcher.name == NAME:
                    words = f'metric name must not be set twice: "{name}" or "{matcher.value}"'
                    raise self._error(words, position)
            matchers = (Matcher(NAME, "=", name), *matchers)
        if all(matcher.matches("") for matcher in matchers):
            raise self._error("vector selector must contain at least one non-empty matcher", position)
        return tree.Selector(name, matchers)

    def _matchers(self, name: str) -> tuple[Matcher, ...]:
        self._expect("{")
        found: list[Matcher] = []
        while not self._take("}"):
            found.append(self._matcher(name))
            if not self._is("}"):
                self._expect(",")
        return tuple(found)

    def _matcher(self, name: str) -> Matcher:
        label = self._next()
        if label.kind == "string" and not name and not self._operator_of_matcher():
            return Matcher(NAME, "=", self._string(label))  # {"the.name"}
        if label.kind not in ("word", "string") or (label.kind == "word" and ":" in label.text):
            self._place -= 1
            raise self._unexpected(" in label matching, expected label")
        op = self._next()
        if op.text not in ("=", "!=", "=~", "!~"):
            self._place -= 1
            raise self._unexpected(" in label matching, expected label matching operator")
        value = self._next()
        if value.kind != "string":
            self._place -= 1
            raise self._unexpected(" in label matching, expected string")
        try:
            named = label.text if label.kind == "word" else self._string(label)
            return Matcher(named, cast("Any", op.text), self._string(value))
        except BadExpression as error:
            raise self._error(str(error), value.position) from None

    def _operator_of_matcher(self) -> bool:
        return self._peek().text in ("=", "!=", "=~", "!~")

    def _string(self, token: Token) -> str:
        try:
            return lexer.string(token.text)
        except (ValueError, OverflowError) as error:
            raise self._error(str(error), token.position) from None

    def _postfix(self, found: Expr) -> Expr:
        while True:
            position = self._peek().position
            if self._take("["):
                found = self._checked(self._ranged(found, position), position)
            elif self._take("offset"):
                found = self._moved(found, position, offset_ms=self._duration(signed=True))
            elif self._take("@"):
                found = self._moved(found, position, at=self._at())
            else:
                return found

    def _ranged(self, found: Expr, position: int) -> Expr:
        range_ms = self._duration()
        if self._take(":"):
            step = None if self._is("]") else self._duration()
            self._expect("]")
            return tree.Subquery(found, range_ms, step)
        self._expect("]")
        if not isinstance(found, tree.Selector):
            raise self._error("ranges only allowed for vector selectors", position)
        if found.when.has_offset:
            raise self._error("no offset modifiers allowed before range", position)
        if found.when.at is not None:
            raise self._error("no @ modifiers allowed before range", position)
        return tree.Matrix(found, range_ms)

    def _duration(self, *, signed: bool = False) -> int:
        sign = -1 if signed and self._take("-") else 1
        if signed and sign == 1:
            self._take("+")
        token = self._next()
        if token.kind == "number":  # Prometheus 3 takes seconds here
            length = int(_value(token) * 1000)
        elif token.kind == "duration":
            length = self._milliseconds(token)
        else:
            self._place -= 1
            raise self._unexpected(", expected duration")
        if length == 0 and not signed:
            raise self._error("duration must be greater than 0", token.position)
        return sign * length

    def _milliseconds(self, token: Token) -> int:
        try:
            return lexer.duration_ms(token.text)
        except ValueError as error:
            raise self._error(str(error), token.position) from None

    def _at(self) -> int | Literal["start", "end"]:
        for word in ("start", "end"):
            if self._is(word) and self._is("(", 1):
                self._next()
                self._expect("(")
                self._expect(")")
                return "start" if word == "start" else "end"
        sign = -1 if self._take("-") else 1
        self._take("+")
        token = self._next()
        value = float(token.text) if token.text.lower() in ("inf", "nan") else None
        if token.kind in ("number", "duration"):
            value = _value(token)
        if value is None:
            self._place -= 1
            raise self._unexpected(" in @, expected timestamp")
        if not abs(value) < 9.2e15:
            raise self._error(f"timestamp out of bounds for @ modifier: {value:f}", token.position)
        return sign * round(value * 1000)

    def _moved(self, found: Expr, position: int, offset_ms: int | None = None, at: Any = None) -> Expr:
        match found:
            case tree.Selector(name, matchers, when):
                return tree.Selector(name, matchers, self._when(when, position, offset_ms, at))
            case tree.Matrix(inner, range_ms):
                moved = self._moved(inner, position, offset_ms, at)
                return tree.Matrix(cast("tree.Selector", moved), range_ms)
            case tree.Subquery(expr, range_ms, step_ms, when):
                return tree.Subquery(expr, range_ms, step_ms, self._when(when, position, offset_ms, at))
        what = "offset" if offset_ms is not None else "@"
        words = f"{what} modifier must be preceded by an instant vector selector or range vector selector or a subquery"
        raise self._error(words, position)

    def _when(self, when: When, position: int, offset_ms: int | None, at: Any) -> When:
        if offset_ms is not None:
            if when.has_offset:
                raise self._error("offset may not be set multiple times", position)
            return When(offset_ms, when.at, has_offset=True)
        if when.at is not None:
            raise self._error("@ <timestamp> may not be set multiple times", position)
        return When(when.offset_ms, at, when.has_offset)


def _value(token: Token) -> float:
    return lexer.duration_ms(token.text) / 1000 if token.kind == "duration" else lexer.number(token.text)


def _signed(sign: str, inner: Expr) -> Expr:
    if isinstance(inner, tree.Number):
        return tree.Number(-inner.value if sign == "-" else inner.value)
    return tree.Unary("-" if sign == "-" else "+", inner)
