"""Texts of alerts: the part of Go's templates that alerts use, with Prometheus's functions.

    {{ $labels.pod }} is at {{ $value | humanizePercentage }}{{ if gt $value 0.5 }}, which is a lot{{ end }}

Values, fields, pipelines, calls, variables, if, range and with; no nested templates, no HTML. Sources: Go,
text/template; Prometheus 2, template/template.go and "Template reference".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from semafor.telemetry.rules import texts

_MAX_OUTPUT: Final = 64_000  # characters of one text
_MAX_STEPS: Final = 20_000  # actions of one text: ranges over queries could be long
_MAX_DEPTH: Final = 50


class BadTemplate(ValueError):  # noqa: N818 - named for what it is
    """A text that is no template, or that cannot be written: what is wrong."""


class Found(NamedTuple):
    """A row of a query, as `range query "..."` gives it."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class About:
    """What a text is written about: an alert's labels, its value, and who answers further queries."""

    labels: Mapping[str, str]
    value: float
    query: Callable[[str], list[Found]] | None = None


# The tree


@dataclass(frozen=True, slots=True)
class _Literal:
    value: Any


@dataclass(frozen=True, slots=True)
class _Name:
    """`.A.B`, `$x.A`, or a function's name with what it is given."""

    head: str  # "." or "$x" or a function
    fields: tuple[str, ...] = ()
    arguments: tuple["_Expr", ...] = ()


@dataclass(frozen=True, slots=True)
class _Pipe:
    """Commands, of which each gives its value to the next as its last argument; `variable` takes the value."""

    commands: tuple["_Expr", ...]
    variable: str = ""


_Expr = _Literal | _Name | _Pipe


@dataclass(frozen=True, slots=True)
class _Block:
    """`if`, `range` and `with`; "" is a plain action."""

    kind: str
    pipe: _Pipe
    body: tuple["_Node", ...] = ()
    otherwise: tuple["_Node", ...] = ()
    variables: tuple[str, ...] = ()


_Node = str | _Block

_ACTION = re.compile(
    r"\{\{(-\s)?\s*(/\*.*?\*/|(?:\"(?:[^\"\\]|\\.)*\"|`[^`]*`|[^\"`}]|\}(?!\}))*?)\s*(\s-)?\}\}", re.DOTALL
)
_TOKEN = re.compile(
    r"""\s+|(?P<string>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<number>[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+))
    |(?P<name>\$\w*|\w+)|(?P<field>\.\w+)|(?P<dot>\.)|(?P<op>:=|=|[|(),])""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Template:
    """A text, and what it is made of."""

    source: str
    nodes: tuple[_Node, ...] = field(repr=False)

    def written(self, about: About) -> str:
        """The text for an alert. Raises BadTemplate."""
        writer = _Writer(about)
        scope: dict[str, Any] = {
            "$labels": about.labels,
            "$value": about.value,
            "$externalLabels": {},
            "$externalURL": "",
        }
        dot = {"Labels": about.labels, "Value": about.value, "ExternalLabels": {}, "ExternalURL": ""}
        writer.write(self.nodes, {**scope, "$": dot}, dot)
        return "".join(writer.parts)


def parse(source: str) -> Template:
    """The template of a text. Raises BadTemplate."""
    parser = _Parser(_pieces(source))
    nodes, ended = parser.nodes(0)
    if ended:
        raise BadTemplate(f"unexpected {{{{{ended}}}}}")
    return Template(source, nodes)


def _pieces(source: str) -> list[tuple[bool, str]]:
    """Plain text, and the insides of actions (marked by True)."""
    found: list[tuple[bool, str]] = []
    place, trim = 0, False
    for action in _ACTION.finditer(source):
        text = source[place : action.start()]
        text = text.lstrip() if trim else text
        found.append((False, text.rstrip() if action[1] else text))
        if not action[2].startswith("/*"):
            found.append((True, action[2]))
        place, trim = action.end(), bool(action[3])
    rest = source[place:]
    if "{{" in rest:
        raise BadTemplate(f"unclosed action: {rest[rest.index('{{') :][:40]!r}")
    found.append((False, rest.lstrip() if trim else rest))
    return found


class _Parser:
    def __init__(self, pieces: list[tuple[bool, str]]) -> None:
        self._pieces = pieces
        self._place = 0

    def nodes(self, depth: int) -> tuple[tuple[_Node, ...], str]:
        """Nodes up to the `end` or `else` that ends them; which of them it was."""
        if depth > _MAX_DEPTH:
            raise BadTemplate("blocks are nested too deeply")
        found: list[_Node] = []
        while self._place < len(self._pieces):
            is_action, text = self._pieces[self._place]
            self._place += 1
            word = text.split(None, 1)[0] if is_action and text else ""
            if word in ("end", "else"):
                return tuple(found), text
            if not is_action:
                found.append(text)
            elif word in ("if", "range", "with"):
                found.append(self._block(word, text[len(word) :], depth))
            elif word in ("define", "template", "block", "break", "continue"):
                raise BadTemplate(f"{{{{{word}}}}} is not supported in alerts")
            else:
                found.append(_Block("", _Action(text).pipe()))
        return tuple(found), ""

    def _block(self, kind: str, text: str, depth: int) -> _Block:
        action = _Action(text)
        variables = action.variables() if kind == "range" else ()
        pipe = action.pipe()
        body, ended = self.nodes(depth + 1)
        otherwise: tuple[_Node, ...] = ()
        if ended.startswith("else"):
            rest = ended[4:].strip()
            if rest:
                word, _, inner = rest.partition(" ")
                if word not in ("if", "with"):
                    raise BadTemplate(f"unexpected {{{{{ended}}}}}")
                otherwise = (self._block(word, inner, depth + 1),)
                return _Block(kind, pipe, body, otherwise, variables)  # its end was that of the inner one
            otherwise, ended = self.nodes(depth + 1)
        if ended != "end":
            raise BadTemplate(f"{{{{{kind}}}}} has no {{{{end}}}}")
        return _Block(kind, pipe, body, otherwise, variables)


class _Action:
    """The inside of one action."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str, bool]] = []  # kind, text, whether a space goes before
        place, spaced = 0, True
        while place < len(text):
            token = _TOKEN.match(text, place)
            if token is None:
                raise BadTemplate(f"unexpected {text[place:][:20]!r} in {{{{{text.strip()}}}}}")
            if token.lastgroup:
                self._tokens.append((str(token.lastgroup), token.group(), spaced))
            spaced = token.lastgroup is None
            place = token.end()
        self._place = 0

    def _peek(self) -> tuple[str, str, bool]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("end", "", False)

    def _take(self, text: str) -> bool:
        if self._peek()[1] == text and self._peek()[0] == "op":
            self._place += 1
            return True
        return False

    def variables(self) -> tuple[str, ...]:
        """`$i, $x :=` of a range."""
        names = [token[1] for token in self._tokens[:3:2]]
        signs = [token[1] for token in self._tokens[1:4:2]]
        if len(signs) == 2 and signs == [",", ":="] and all(name.startswith("$") for name in names):
            self._place = 4
            return tuple(names)
        if signs[:1] == [":="] and names[0].startswith("$"):
            self._place = 2
            return (names[0],)
        return ()

    def pipe(self, *, inner: bool = False, depth: int = 0) -> _Pipe:
        if depth > _MAX_DEPTH:
            raise BadTemplate("brackets are nested too deeply")
        variable = ""
        ahead = self._tokens[self._place + 1 : self._place + 2]
        if self._peek()[1].startswith("$") and ahead and ahead[0][1] in (":=", "="):
            variable = self._peek()[1]
            self._place += 2
        commands = [self._command(depth)]
        while self._take("|"):
            commands.append(self._command(depth))
        if inner and not self._take(")"):
            raise self._unexpected()
        if not inner and self._peek()[0] != "end":
            raise self._unexpected()
        return _Pipe(tuple(commands), variable)

    def _unexpected(self) -> BadTemplate:
        what = self._peek()[1] or "end of action"
        return BadTemplate(f"unexpected {what!r} in {{{{{self._text.strip()}}}}}")

    def _command(self, depth: int) -> _Expr:
        head = self._operand(depth)
        arguments: list[_Expr] = []
        while self._peek()[0] not in ("end",) and not (self._peek()[0] == "op" and self._peek()[1] in "|)"):
            arguments.append(self._operand(depth))
        if not arguments:
            return head
        if not isinstance(head, _Name) or head.head not in texts.FUNCTIONS:
            raise BadTemplate(f"{self._text.strip()!r} gives arguments to what is no function")
        return _Name(head.head, head.fields, tuple(arguments))

    def _operand(self, depth: int) -> _Expr:
        kind, text, _ = self._peek()
        self._place += 1
        match kind:
            case "string":
                return _Literal(texts.unquoted(text))
            case "number":
                return _Literal(float(text) if any(sign in text for sign in ".eE") else int(text))
            case "dot":
                return _Name(".")
            case "field":
                return _Name(".", (text[1:], *self._fields()))
            case "name":
                return self._named(text)
        if text == "(":
            inner = self.pipe(inner=True, depth=depth + 1)
            fields = self._fields()
            return _Pipe((*inner.commands, _Name("", fields)), inner.variable) if fields else inner
        self._place -= 1
        raise self._unexpected()

    def _named(self, text: str) -> _Expr:
        if text in ("true", "false", "nil"):
            return _Literal({"true": True, "false": False}.get(text))
        if text.startswith("$"):
            return _Name(text, self._fields())
        if text not in texts.FUNCTIONS:
            raise BadTemplate(f"function {text!r} not defined")
        return _Name(text)

    def _fields(self) -> tuple[str, ...]:
        found: list[str] = []
        while self._peek()[0] == "field" and not self._peek()[2]:
            found.append(self._peek()[1][1:])
            self._place += 1
        return tuple(found)


class _Writer:
    """Writes nodes. Everything is counted."""

    def __init__(self, about: About) -> None:
        self.parts: list[str] = []
        self._about = about
        self._size = 0
        self._steps = 0

    def write(self, nodes: tuple[_Node, ...], scope: dict[str, Any], dot: Any) -> None:
        for node in nodes:
            if isinstance(node, str):
                self._say(node)
            elif not node.kind:
                value = self._value(node.pipe, scope, dot)
                if not node.pipe.variable:
                    self._say(texts.shown(value))
            else:
                self._block(node, dict(scope), dot)

    def _say(self, text: str) -> None:
        self._size += len(text)
        if self._size > _MAX_OUTPUT:
            raise BadTemplate(f"the text is longer than {_MAX_OUTPUT} characters")
        self.parts.append(text)

    def _block(self, node: _Block, scope: dict[str, Any], dot: Any) -> None:
        value = self._value(node.pipe, scope, dot)
        if not texts.true(value):
            self.write(node.otherwise, scope, dot)
        elif node.kind == "range":
            for key, each in texts.items(value):
                names = {node.variables[-1]: each} if node.variables else {}
                if len(node.variables) == 2:
                    names[node.variables[0]] = key
                self.write(node.body, {**scope, **names}, each)
        else:
            self.write(node.body, scope, value if node.kind == "with" else dot)

    def _value(self, expr: _Expr, scope: dict[str, Any], dot: Any) -> Any:
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise BadTemplate("the text takes too many steps to write")
        match expr:
            case _Literal(value):
                return value
            case _Name(".", names):
                return self._field(dot, names)
            case _Name(head, names, arguments):
                if head.startswith("$"):
                    if head not in scope:
                        raise BadTemplate(f"undefined variable {head!r}")
                    return self._field(scope[head], names)
                return self._call(head, [self._value(each, scope, dot) for each in arguments])
            case _Pipe(commands, variable):
                value = self._value(commands[0], scope, dot)
                for command in commands[1:]:
                    value = self._piped(command, value, scope, dot)
                if variable:
                    scope[variable] = value
                return value

    def _piped(self, command: _Expr, value: Any, scope: dict[str, Any], dot: Any) -> Any:
        if isinstance(command, _Name) and not command.head:
            return self._field(value, command.fields)
        if not isinstance(command, _Name) or command.head not in texts.FUNCTIONS:
            raise BadTemplate("a pipeline leads to what is no function")
        return self._call(command.head, [*(self._value(each, scope, dot) for each in command.arguments), value])

    def _call(self, name: str, arguments: list[Any]) -> Any:
        if name == "query":
            return self._query(arguments)
        try:
            return texts.FUNCTIONS[name](*arguments)
        except BadTemplate:
            raise
        except (TypeError, ValueError, LookupError, OverflowError) as error:
            raise BadTemplate(f"error calling {name}: {error}") from None

    def _query(self, arguments: list[Any]) -> list[Found]:
        if self._about.query is None or len(arguments) != 1 or not isinstance(arguments[0], str):
            raise BadTemplate("query takes one text")
        return self._about.query(arguments[0])

    @staticmethod
    def _field(value: Any, names: tuple[str, ...]) -> Any:
        for name in names:
            if isinstance(value, Found):
                value = {"Labels": value.labels, "Value": value.value}.get(name)
            elif isinstance(value, Mapping):
                value = value.get(name, "")  # as Prometheus: what is not there is empty
            else:
                raise BadTemplate(f"can't evaluate field {name} in {texts.shown(value)!r}")
        return value
