"""Documents out of files, each with the place of its fields."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ryaml
import yaml

from semafor.base.struct import Value

Doc = dict[str, Any]

STDIN = "-"
_SUFFIXES = (".yaml", ".yml", ".json")
_LISTS = "List"


class Unreadable(Exception):  # noqa: N818 - named for what the file is
    """A file that is no YAML; the message says where."""


class Source(Value):
    """A document of a file. `lines` are those of its fields, by their paths."""

    document: Doc
    file: str
    line: int = 0
    lines: Mapping[str, int] = {}

    def place(self, path: str = "") -> str:
        """`file:line` of the field, or of the closest one around it that is written."""
        while path and path not in self.lines:
            path = re.sub(r"(\[[^\]]*\]|\.?[^.\[\]]+)$", "", path)
        line = self.lines.get(path, self.line)
        return f"{self.file}:{line}" if line else self.file


def files(paths: Iterable[str], *, recursive: bool = False) -> Iterator[Path]:
    """The files that the paths name: themselves, and what lies in folders. Raises FileNotFoundError."""
    for path in map(Path, paths):
        if path.is_dir():
            every = path.rglob("*") if recursive else path.iterdir()
            yield from sorted(each for each in every if each.suffix in _SUFFIXES and each.is_file())
        elif path.exists():
            yield path
        else:
            raise FileNotFoundError(2, "there is no such file", str(path))


def documents(text: str, file: str) -> Iterator[Source]:
    """The objects in the text; what is none (values of Helm, a kustomization) is passed over. Raises Unreadable."""
    try:
        found = list(ryaml.loads_all(text))
    except (ryaml.InvalidYamlError, ValueError) as error:
        raise Unreadable(f"{file}: {error}") from error
    places = _places(text)
    for index, document in enumerate(found):
        line, lines = places[index] if index < len(places) else (0, {})
        yield from _objects(Source(document=_json(document), file=file, line=line, lines=lines))


def _json(node: Any) -> Any:
    """The document as JSON has it: `{8080: x}` has a number as its key in YAML, and kubectl makes a text of it."""
    match node:
        case dict():
            return {key if isinstance(key, str) else str(key): _json(value) for key, value in node.items()}
        case list():
            return [_json(each) for each in node]
        case _:
            return node


def _objects(source: Source) -> Iterator[Source]:
    """The document itself, or what a list holds."""
    document = source.document
    if not isinstance(document, dict) or "kind" not in document or "apiVersion" not in document:
        return
    if document["kind"] != _LISTS:
        yield source
        return
    for each in document.get("items") or ():
        yield from _objects(Source(document=each, file=source.file, line=source.line))


def _places(text: str) -> list[tuple[int, Mapping[str, int]]]:
    """The first line of each document, and the lines of its fields; nothing where only the other reader copes."""
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        return []
    return [(node.start_mark.line + 1, dict(_lines(node, ""))) if node else (0, {}) for node in nodes]


def _lines(node: yaml.Node, path: str) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{path}.{key.value}" if path else str(key.value)
            yield inner, key.start_mark.line + 1
            yield from _lines(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield f"{path}[{index}]", value.start_mark.line + 1
            yield from _lines(value, f"{path}[{index}]")
