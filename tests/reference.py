"""The reference of fields: `python -m tests.reference --write` makes docs/reference anew; without it, it is compared.

Which fields are implemented is not written down anywhere else: each is put into an object, the planner reads that, and
what it says of the field is what the page says.

implemented   the planner's list for the field's struct (`checks.refused`) has it, or, where no list is asked, the
              planner reads an attribute of its name
refused       the list does not have it, or what selects the field is refused: the object gets a Problem with the path
without effect the kind as a whole is stored only, or the field is read by nobody (a test forbids the latter)
"""

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from tests import reference_commands, reference_installation

from semafor import planner, resources
from semafor.planner import Mesh
from semafor.planner import mesh as planned
from semafor.planner.checks import refused
from semafor.resources import registry, shape
from semafor.resources.istio import authorization_policy
from semafor.resources.kind import Kind
from semafor.resources.shape import Shape

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
GROUPS = {
    "networking.istio.io": "istio",
    "security.istio.io": "istio",
    "telemetry.istio.io": "istio",
    "gateway.networking.k8s.io": "gateway-api",
}
IMPLEMENTED, REFUSED, IDLE = "implemented", "refused", "without effect"
_HOW = "python -m tests.reference --write"
# Fields that are read without being named, each with how.
_UNNAMED = {
    ("ConsistentHashLB", "useSourceIp"): "what is left when none of the others is set",
    ("GatewayClassSpec", "description"): "a text for people",
}
_UNNAMED |= {
    (struct.__name__, field.encode_name): "by the name of its opposite"
    for struct in (authorization_policy.Source, authorization_policy.Operation)
    for field in msgspec.structs.fields(struct)
    if field.name.startswith("not_")
}
# Kinds that no plan depends on, and the module that reads them.
_NOT_PLANNED = {"ProxyConfig": "app/proxy_config.py"}
# Kinds of which nothing counts but that an object is there, which it is told.
_REFUSED_AS_A_WHOLE = frozenset({"WorkloadGroup"})
# Texts that planners look into, so that a value is one that they understand.
_TEXTS = {"address": "1.2.3.4", "host": "a.example.com", "path": "/a", "proxyVersion": "1", "value": "a"}
# Values of fields that are no enumerations, each of which is tried.
_TRIED = {"protocol": ("HTTP", "HTTPS", "HTTP2", "GRPC", "GRPC-WEB", "TCP", "TLS", "UDP", "MONGO", "REDIS", "MYSQL")}
_INTRO = """\
# {kind}

{summary} Written by `{how}` from the code; do not edit.

{state}

`{version}`, plural `{plural}`{short}. Fields below `spec`; a type that occurs more than once is described once.
"""
_ACTED = """\
A field that is *refused* has no effect: `kubectl apply` warns of it, and the object's status names it in
`status.validationMessages` with the reason `NotSupported`. Nothing is ignored in silence."""
_STORED = "This kind is stored and served, and *nothing acts on it yet*: `kubectl apply` warns of it."


@dataclass
class Field:
    """One field of a struct: its shape, what becomes of it by the places where the struct is, and refused values."""

    name: str
    shape: Shape
    becomes: dict[str, str] = field(default_factory=dict)
    refused_values: list[str] = field(default_factory=list)


def kinds() -> list[Kind]:
    return [kind for kind in registry.KINDS if kind.group in GROUPS]


def page(kind: Kind) -> Path:
    return PAGES / GROUPS[kind.group] / f"{kind.kind.lower()}.md"


def acted_on(kind: Kind) -> bool:
    return kind.kind in _NOT_PLANNED or any(table.kind is kind for table in planned.TABLES)


def structs(kind: Kind) -> dict[type[msgspec.Struct], dict[str, Field]]:
    """Every struct below the kind's spec, with its fields and what becomes of each."""
    found: dict[type[msgspec.Struct], dict[str, Field]] = {}
    spec = shape.shape_of(kind).field("spec")
    if spec is not None:
        _visit(kind, spec, ("spec",), found)
    return found


def _visit(kind: Kind, at: Shape, path: tuple[str, ...], found: dict[type[msgspec.Struct], dict[str, Field]]) -> None:
    struct = at.struct
    if struct is None or path.count(path[-1]) > 2:
        return
    fields = found.setdefault(struct, {name: Field(name, one) for name, one in at.fields.items()})
    for name, one in fields.items():
        place = (*path, name)
        outcome, values = _outcome(kind, place)
        one.becomes[".".join(path)] = outcome
        one.refused_values += [value for value in values if value not in one.refused_values]
        inner = _inside(one.shape)
        if inner.struct is not None and outcome != REFUSED:
            _visit(kind, inner, place, found)


def _inside(at: Shape) -> Shape:
    while at.items is not None:
        at = at.items
    return at


# --- what the planner says of a field ---------------------------------------------------------------------------------


def _outcome(kind: Kind, path: tuple[str, ...]) -> tuple[str, list[str]]:
    """What becomes of the field, and which of its values are refused."""
    if not acted_on(kind):
        return IDLE, []
    if kind.kind in _REFUSED_AS_A_WHOLE:
        return REFUSED, []
    if kind.kind in _NOT_PLANNED:
        return (IMPLEMENTED if _attribute(*_holder(kind, path)) in _read_by(_NOT_PLANNED[kind.kind]) else IDLE), []
    holder, name = _holder(kind, path)
    with _listening() as heard:
        said = _said(kind, path, None)
        for mode in _modes(kind, path):
            _said(kind, path, None, mode)
    attribute = _attribute(holder, name)
    lists = heard.get(holder)
    if _plain((*path[:-1], "type")) in said and name != "type":
        return REFUSED, []  # what selects it is refused
    if lists is None:
        read = attribute in _read_by("planner") or (holder.__name__, name) in _UNNAMED
        return (IMPLEMENTED if read else IDLE), _refused_values(kind, path)
    return (IMPLEMENTED if attribute in lists else REFUSED), _refused_values(kind, path) if attribute in lists else []


def _refused_values(kind: Kind, path: tuple[str, ...]) -> list[str]:
    one = _inside(_at(kind, path))
    tried = one.enum or (_TRIED.get(path[-1], ()) if one.type == "string" else ())
    return [value for value in tried if _plain(path) in _said(kind, path, value)]


@contextmanager
def _listening() -> Iterator[dict[type[Any], set[str]]]:
    """Hear which fields of which structs are said to be implemented."""
    heard: dict[type[Any], set[str]] = {}
    real = refused.fields

    def fields(document: Any, origin: Any, *implemented: str) -> Any:
        heard.setdefault(type(document), set()).update(implemented)
        return real(document, origin, *implemented)

    refused.fields = fields
    try:
        yield heard
    finally:
        refused.fields = real


def _modes(kind: Kind, path: tuple[str, ...]) -> tuple[str, ...]:
    """The modes of the field's struct, where what is implemented depends on one."""
    fields = _inside(_at(kind, path[:-1])).fields
    return fields["mode"].enum if "mode" in fields and path[-1] != "mode" else ()


def _said(kind: Kind, path: tuple[str, ...], value: str | None, mode: str = "") -> set[str]:
    """The paths that the planner refuses in an object that has the field."""
    mesh = Mesh.of([resources.decode(kind, _object(kind, path, value, mode))])
    problems = (*planner.check(mesh), *_own(mesh, kind))
    return {re.sub(r"\[[^]]*\]", "", problem.path) for problem in problems if problem.reason == "NotSupported"}


def _own(mesh: Mesh, kind: Kind) -> tuple[Any, ...]:
    """Problems that the value read of the object carries, where they are told in its status only."""
    table = next(table for table in planned.TABLES if table.kind is kind)
    values = getattr(mesh, table.name).values()
    return tuple(problem for value in values for problem in getattr(value, "problems", ()))


def _plain(path: tuple[str, ...]) -> str:
    return ".".join(path)


def _object(kind: Kind, path: tuple[str, ...], value: str | None, mode: str) -> dict[str, Any]:
    """A small object in which the field is set."""
    document = _filled(shape.shape_of(kind), path, value, mode)
    return {
        **document,
        "apiVersion": kind.api_version(),
        "kind": kind.kind,
        "metadata": {"name": "a", "namespace": "b"},
    }


def _filled(at: Shape, path: tuple[str, ...], value: str | None, mode: str = "") -> Any:
    """A value of the shape with everything that it needs, and with the field at `path`."""
    if at.type == "array":
        return [_filled(at.items, path, value, mode)]
    if at.type == "map":
        return {"a": _filled(at.items, path, value, mode)}
    if at.struct is None:
        return _scalar(at, path, value)
    needed = {name: _filled(one, (), None) for name, one in at.fields.items() if one.required}
    if path and (selector := _selector(at, path[0])):
        needed["type"] = selector
    if mode and len(path) == 1:
        needed["mode"] = mode
    if path:
        inner = at.fields[path[0]]
        needed[path[0]] = _filled(inner, path[1:], value, mode) if path[1:] else _end(inner, path, value)
    return needed


def _selector(at: Shape, name: str) -> str:
    """The `type` that goes with a field, where one of several is chosen by its name; else an empty text."""
    kinds = at.fields["type"].enum if "type" in at.fields else ()
    return next((word for word in kinds if word.lower() == name.lower()), "")


def _end(at: Shape, path: tuple[str, ...], value: str | None) -> Any:
    if at.type == "array":
        return [_end(at.items, path, value)]
    if at.type == "map":
        return {"a": _end(at.items, path, value)}
    return _filled(at, (), value) if at.struct else _scalar(at, path, value)


def _scalar(at: Shape, path: tuple[str, ...], value: str | None) -> Any:
    if value is not None:
        return value
    if at.enum:
        return next((word for word in at.enum if word != at.default), at.enum[0])
    rules = {rule.name for rule in at.rules}
    match at.type:
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case "any":
            return {"a": "b"}
        case "int-or-string" | "quantity":
            return 1
    if rules & {"duration", "gateway-duration"}:
        return "5s"
    return _TEXTS.get(path[-1] if path else "", "a")


def _at(kind: Kind, path: tuple[str, ...]) -> Shape:
    here = shape.shape_of(kind)
    for name in path:
        here = _inside(here).fields[name]
    return here


def _holder(kind: Kind, path: tuple[str, ...]) -> tuple[type[msgspec.Struct], str]:
    struct = _inside(_at(kind, path[:-1])).struct
    assert struct is not None
    return struct, path[-1]


def _attribute(struct: type[msgspec.Struct], name: str) -> str:
    return next(one.name for one in msgspec.structs.fields(struct) if one.encode_name == name)


@cache
def _read_by(part: str) -> frozenset[str]:
    """Every attribute that a package or module reads somewhere, be it by a text that holds its name."""
    place = ROOT / "src" / "semafor" / part
    sources = place.rglob("*.py") if place.is_dir() else [place]
    nodes = (node for source in sources for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))))
    return frozenset(
        node.attr if isinstance(node, ast.Attribute) else node.value
        for node in nodes
        if isinstance(node, ast.Attribute) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    )


# --- the pages --------------------------------------------------------------------------------------------------------


def written(kind: Kind) -> str:
    """The page of a kind."""
    short = f", short {', '.join(f'`{name}`' for name in kind.short)}" if kind.short else ""
    versions = ", ".join(kind.versions)
    lines = [
        _INTRO.format(
            kind=kind.kind,
            summary=shape.summary(kind.document),
            how=_HOW,
            state=_ACTED if acted_on(kind) else _STORED,
            version=f"{kind.group}: {versions}",
            plural=kind.plural,
            short=short,
        )
    ]
    found = structs(kind)
    described = {struct.__name__ for struct in found}
    for struct, fields in found.items():
        lines += [f"## {struct.__name__}", "", shape.summary(struct), ""]
        lines += ["| field | type | meaning | |", "| --- | --- | --- | --- |"]
        lines += [_row(one, described) for one in fields.values()]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _row(one: Field, described: set[str]) -> str:
    name = f"`{one.name}`" + (" (required)" if one.shape.required else "")
    cells = (name, _type(one.shape, described), one.shape.description, _state(one))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(at: Shape, described: set[str]) -> str:
    if at.type == "array":
        return f"list of {_type(at.items, described)}"
    if at.type == "map":
        return f"map of {_type(at.items, described)}"
    if at.struct is not None and at.struct.__name__ not in described:
        return "object"  # it is refused as a whole
    if at.struct is not None:
        return f"[{at.struct.__name__}](#{at.struct.__name__.lower()})"
    if at.enum:
        return ", ".join(f"`{word}`" for word in at.enum)
    rules = ", ".join(rule.name.replace("None", "") for rule in at.rules)
    return f"{at.type}, {rules}" if rules else at.type


def _state(one: Field) -> str:
    outcomes = dict.fromkeys(one.becomes.values())
    if len(outcomes) == 1:
        state = _word(next(iter(outcomes)))
    else:
        by_outcome = {outcome: [place for place, got in one.becomes.items() if got == outcome] for outcome in outcomes}
        parts = (f"{_word(outcome)} in {', '.join(f'`{p}`' for p in places)}" for outcome, places in by_outcome.items())
        state = "; ".join(parts)
    values = ", ".join(f"`{value}`" for value in one.refused_values)
    return f"{state}; refused: {values}" if values else state


def _word(outcome: str) -> str:
    return outcome if outcome == IMPLEMENTED else f"**{outcome}**"


def index() -> str:
    """The page that leads to the others, with how much of each kind there is."""
    lines = ["# Reference", "", f"Written by `{_HOW}` from the code; do not edit.", ""]
    for group, folder in GROUPS.items():
        lines += [f"## {group}", "", "| kind | fields | implemented | refused by name |", "| --- | --- | --- | --- |"]
        for kind in kinds():
            if kind.group == group:
                lines.append(_counted(kind, folder))
        lines.append("")
    lines += ["## install.istio.io", "", "[IstioOperator](installation.md): what each key of an installation does."]
    lines += ["", "## Besides", "", "- [Commands](commands.md)", "- [Problems](problems.md), by reason"]
    lines += ["- [Metrics](../metrics.md), and [what the mesh counts](../observability.md)"]
    return "\n".join(lines).rstrip() + "\n"


def _counted(kind: Kind, folder: str) -> str:
    fields = [one for each in structs(kind).values() for one in each.values()]
    counts = [sum(outcome in one.becomes.values() for one in fields) for outcome in (IMPLEMENTED, REFUSED)]
    link = f"[{kind.kind}]({folder}/{kind.kind.lower()}.md)"
    told = f"{counts[0]} | {counts[1]}" if acted_on(kind) else "stored only | "
    return f"| {link} | {len(fields)} | {told} |"


def ignored(kind: Kind) -> list[str]:
    """Fields of a kind that is acted on which nobody reads or refuses."""
    if not acted_on(kind):
        return []
    found = structs(kind).items()
    return [
        f"{place}.{one.name}"
        for _, each in found
        for one in each.values()
        for place, got in one.becomes.items()
        if got == IDLE
    ]


def pages() -> dict[Path, str]:
    """All pages as they should be."""
    fixed = {
        PAGES / "README.md": index(),
        PAGES / "installation.md": reference_installation.page(),
        PAGES / "commands.md": reference_commands.commands(),
        PAGES / "problems.md": reference_commands.problems(),
    }
    return {**fixed, **{page(kind): written(kind) for kind in kinds()}}


def stale() -> list[Path]:
    """Pages that are not as they should be, those that are no more included."""
    made = pages()
    orphans = [path for path in PAGES.rglob("*.md") if path not in made]
    return [path for path, text in made.items() if not path.exists() or path.read_text() != text] + orphans


def main() -> int:
    """Write the pages, or tell which are stale."""
    wrong = stale()
    if "--write" in sys.argv:
        for path, text in pages().items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for path in wrong:
        print(path.relative_to(ROOT))
    return 0 if "--write" in sys.argv or not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
