"""What a user wrote in a PrometheusRule, read; every mistake with the path of its field."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from semafor.telemetry.promql import ParseError, lexer, parse, tree
from semafor.telemetry.promql.tree import Expr
from semafor.telemetry.rules import templates
from semafor.telemetry.rules.templates import BadTemplate, Template

Json = dict[str, Any]

DEFAULT_INTERVAL_MS: Final = 15_000
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `alert` or `record` is its name, the other is empty."""

    alert: str
    record: str
    text: str
    expr: Expr
    for_ms: int
    keep_ms: int
    labels: Mapping[str, Template]
    annotations: Mapping[str, Template]

    @property
    def name(self) -> str:
        return self.alert or self.record


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after another. `file` tells where they come from; `limit` of 0 is none."""

    name: str
    file: str
    interval_ms: int
    offset_ms: int
    limit: int
    rules: tuple[Rule, ...]

    @property
    def key(self) -> str:
        return f"rules/{self.file}/{self.name}"


def read(spec: Json, file: str) -> tuple[tuple[Group, ...], tuple[Fault, ...]]:
    """The groups of a spec, and what is wrong with it. A rule with a fault is left out."""
    faults: list[Fault] = []
    groups = tuple(
        _group(group, file, f"spec.groups[{place}]", faults) for place, group in enumerate(_list(spec, "groups"))
    )
    return groups, tuple(faults)


def _list(document: Json, name: str) -> list[Json]:
    found = document.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _group(group: Json, file: str, path: str, faults: list[Fault]) -> Group:
    shared = _strings(group.get("labels"))
    rules = [_rule(rule, shared, f"{path}.rules[{place}]", faults) for place, rule in enumerate(_list(group, "rules"))]
    return Group(
        name=str(group.get("name", "")),
        file=file,
        interval_ms=_duration(group, "interval", path, faults) or DEFAULT_INTERVAL_MS,
        offset_ms=_duration(group, "query_offset", path, faults),
        limit=int(group.get("limit") or 0),
        rules=tuple(rule for rule in rules if rule is not None),
    )


def _strings(found: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _duration(document: Json, name: str, path: str, faults: list[Fault]) -> int:
    text = document.get(name)
    if text in (None, "", "0"):
        return 0
    try:
        return lexer.duration_ms(str(text))
    except ValueError as error:
        faults.append(Fault(f"{path}.{name}", str(error)))
        return 0


def _rule(rule: Json, shared: dict[str, str], path: str, faults: list[Fault]) -> Rule | None:
    before = len(faults)
    text = str(rule.get("expr", ""))
    expr: Expr = tree.Number(0.0)
    try:
        expr = parse(text)
    except ParseError as error:
        faults.append(Fault(f"{path}.expr", f"could not parse expression: {error}"))
    record = str(rule.get("record") or "")
    if record and not _METRIC.fullmatch(record):
        faults.append(Fault(f"{path}.record", f"invalid recording rule name: {record}"))
    labels = {**shared, **_strings(rule.get("labels"))}
    wrong = [name for name in labels if not _LABEL.fullmatch(name) or name == "__name__"]
    faults += [Fault(f"{path}.labels", f"invalid label name: {name}") for name in wrong]
    made = Rule(
        alert=str(rule.get("alert") or ""),
        record=record,
        text=text,
        expr=expr,
        for_ms=_duration(rule, "for", path, faults),
        keep_ms=_duration(rule, "keep_firing_for", path, faults),
        labels=dict(_templates(labels, f"{path}.labels", faults)),
        annotations=dict(_templates(_strings(rule.get("annotations")), f"{path}.annotations", faults)),
    )
    return made if len(faults) == before else None


def _templates(texts: dict[str, str], path: str, faults: list[Fault]) -> Iterator[tuple[str, Template]]:
    for name, text in texts.items():
        try:
            yield name, templates.parse(text)
        except BadTemplate as error:
            faults.append(Fault(f"{path}.{name}", str(error)))
