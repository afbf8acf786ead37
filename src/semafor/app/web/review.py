"""A text that somebody types, reviewed: YAML, kinds, fields, and what the mesh would say. Nothing is changed. Pure.

text ─read─▶ documents with their places ─judge─▶ findings, each with the line it is about
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import ryaml
import yaml

from semafor.app.web.sources import Control
from semafor.base.struct import Value
from semafor.kube.api.errors import StatusError
from semafor.resources import DecodeError
from semafor.resources.check import check
from semafor.resources.kind import Kind

Doc = dict[str, Any]
Severity = Literal["error", "warning", "info"]
_PART = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")
MAX_DOCUMENTS = 50


class Finding(Value):
    """What is to be said about a place of the text. Lines count from 1."""

    line: int
    severity: Severity
    message: str
    path: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Reviewed:
    """One document of the text, of a kind that is known."""

    kind: Kind
    doc: Doc
    node: yaml.Node

    def line(self, path: str) -> int:
        """The line of the field, or of the nearest one around it that is there."""
        return _place(self.node, path)


@dataclass(frozen=True)
class Text:
    """What a text was read as."""

    documents: tuple[Reviewed, ...]
    findings: tuple[Finding, ...]


def read(text: str, kinds: Sequence[Kind]) -> Text:
    """The documents of the text that can be applied, and what is wrong with the others."""
    try:
        nodes = [node for node in yaml.compose_all(text, yaml.SafeLoader) if node is not None]
        values = [value for value in ryaml.loads_all(text) if value is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return _wrong(mark.line + 1 if mark else 1, error.problem or "this is not YAML")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return _wrong(_line_in(str(error)), str(error).splitlines()[0])
    if len(nodes) != len(values) or len(values) > MAX_DOCUMENTS:
        return _wrong(1, f"between 1 and {MAX_DOCUMENTS} objects were expected")
    found = [_document(value, node, kinds) for value, node in zip(values, nodes, strict=True)]
    documents = tuple(each for each in found if isinstance(each, Reviewed))
    return Text(documents, tuple(each for each in found if isinstance(each, Finding)))


def _wrong(line: int, message: str) -> Text:
    return Text((), (Finding(line=line, severity="error", message=message),))


def _line_in(message: str) -> int:
    found = re.search(r"line:? (\d+)", message)
    return int(found[1]) if found else 1


def _document(value: Any, node: yaml.Node, kinds: Sequence[Kind]) -> Reviewed | Finding:
    line = node.start_mark.line + 1
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
        return Finding(line=line, severity="error", message="an object with apiVersion and kind was expected")
    group, _, version = str(value.get("apiVersion", "")).rpartition("/")
    kind = next((each for each in kinds if (each.group, each.kind) == (group, value["kind"])), None)
    if kind is None or version not in kind.versions:
        message = f"{value.get('apiVersion', '')} {value['kind']} is not a kind of the mesh's configuration"
        return Finding(line=_place(node, "kind"), severity="error", message=message, path="kind")
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        return Finding(line=line, severity="error", message="metadata.name is missing", path="metadata.name")
    if kind.namespaced:
        value = {**value, "metadata": {"namespace": "default", **metadata}}
    return Reviewed(kind, value, node)


def judge(document: Reviewed, control: Control) -> list[Finding]:
    """What is wrong with one document: with its fields, or else with what it means to the mesh."""
    report = check(document.kind, document.doc)
    found = [_finding(document, error.path, "error", error.message) for error in report.errors]
    found += [_finding(document, path, "error", f"{document.kind.kind} has no such field") for path in report.unknown]
    for warning in report.warnings:
        path, _, message = warning.partition(": ")
        found.append(_finding(document, path, "warning", message))
    if any(each.severity == "error" for each in found):
        return found
    try:
        problems = control.judge(document.kind, document.doc)
    except DecodeError as error:
        return [*found, _finding(document, error.path, "error", error.message)]
    for each in problems:
        # A problem never keeps an object from being stored: what is wrong is shown, and the rest works.
        severity: Severity = "warning" if each.severity == "error" else each.severity
        found.append(_finding(document, each.path, severity, each.message, each.fix))
    return found


def _finding(document: Reviewed, path: str, severity: Severity, message: str, fix: str = "") -> Finding:
    return Finding(line=document.line(path), severity=severity, message=message, path=path, fix=fix)


def refusal(document: Reviewed, error: StatusError) -> list[Finding]:
    """What the API says when it refuses the object."""
    causes: Iterable[Doc] = error.details.get("causes") or ()
    found = [_finding(document, each.get("field", ""), "error", each.get("message", "")) for each in causes]
    return found or [_finding(document, "", "error", error.message)]


def _place(node: yaml.Node, path: str) -> int:
    """The line of a path such as `spec.http[0].route[1].destination` within the document."""
    line = node.start_mark.line + 1
    for name, index in _PART.findall(path):
        step = _step(node, name or index)
        if step is None:
            return line
        line, node = step
    return line


def _step(node: yaml.Node, name: str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        found = next((each for each in node.value if each[0].value == name), None)
        return (found[0].start_mark.line + 1, found[1]) if found else None
    if isinstance(node, yaml.SequenceNode) and name.isdigit() and int(name) < len(node.value):
        inner = node.value[int(name)]
        return inner.start_mark.line + 1, inner
    return None
