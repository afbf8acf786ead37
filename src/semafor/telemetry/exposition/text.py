"""Reads the text formats. Source: Prometheus, "Exposition formats"; the OpenMetrics specification."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from semafor.telemetry.labels import NAME, Labels, of

MAX_LABELS: Final = 128
MAX_LABEL_BYTES: Final = 16_384  # a name or a value
_SHOWN: Final = 80  # characters of a bad line that its error shows

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
# Every alternative begins with another character, so that no line takes more than linear time.
_LINE = re.compile(
    rf'[ \t]*(?P<head>{_NAME}[ \t]*(?:\{{(?:[^"}}]|"(?:[^"\\]|\\.)*")*\}})?)'
    r"[ \t]*(?P<value>[^ \t{}#]+)(?:[ \t]+[-+0-9.eE]+)?[ \t]*(?:#.*)?"
)
_HEAD = re.compile(rf"(?P<name>{_NAME})[ \t]*(?:\{{(?P<labels>.*)\}})?[ \t]*", re.DOTALL)
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,|$)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "\\": "\\", '"': '"'}


class BadExposition(ValueError):  # noqa: N818 - named for what it is
    """What a target answers is not in the format: which line, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is said of a metric: its type ("counter", "gauge", ..., "unknown"), its help, its unit."""

    type: str = "unknown"
    help: str = ""
    unit: str = ""


def lines(text: str, metadata: dict[str, Metadata], known: dict[str, int]) -> Iterator[tuple[str, float]]:
    """What names each series (see `labels`), and its value. Fills `metadata`. Raises BadExposition.

    `known` are beginnings of lines that are known to name a series, so that they need not be looked at again.
    """
    for number, line in enumerate(text.split("\n"), 1):
        head, _, value = line.rpartition(" ")
        if head in known:
            yield head, _number(value, number)
        elif line.startswith("#"):
            _take_comment(line, metadata)
        elif line.strip():
            found = _LINE.fullmatch(line.rstrip("\r"))
            if found is None:
                raise BadExposition(f"line {number} is neither a sample nor a comment: {line[:_SHOWN]!r}")
            yield found["head"], _number(found["value"], number)


def labels(head: str) -> Labels:
    """The labels in the beginning of a line, the metric's name among them. Raises BadExposition."""
    found = _HEAD.fullmatch(head)
    if found is None:
        raise BadExposition(f"no name of a series: {head[:_SHOWN]!r}")
    pairs = {NAME: found["name"]}
    inside, place = found["labels"] or "", 0
    while place < len(inside) and inside[place:].strip(" \t"):
        label = _LABEL.match(inside, place)
        if label is None:
            raise BadExposition(f"bad labels in {head[:_SHOWN]!r}")
        name, value = label.group(1), label.group(2)
        if name in pairs:
            raise BadExposition(f"label {name!r} is there twice in {head[:_SHOWN]!r}")
        pairs[name] = _unescaped(value) if "\\" in value else value
        if len(pairs) > MAX_LABELS or len(name) + len(value) > MAX_LABEL_BYTES:
            raise BadExposition(
                f"more than {MAX_LABELS} labels, or one of more than {MAX_LABEL_BYTES} characters: {head[:_SHOWN]!r}"
            )
        place = label.end()
    return of(pairs)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), text)


def _number(text: str, line: int) -> float:
    try:
        if "_" in text:  # Python's float takes it
            raise ValueError
        return float(text)
    except ValueError:
        raise BadExposition(f"line {line}: {text[:_SHOWN]!r} is no number") from None


def _take_comment(line: str, metadata: dict[str, Metadata]) -> None:
    words = line.rstrip("\r").split(" ", 3)
    if len(words) < 4 or words[1] not in ("HELP", "TYPE", "UNIT") or (words[2] in metadata and _said(words, metadata)):
        return
    if len(metadata) >= 10_000:  # as many as a store may reasonably have; samples have their own bound
        return
    said = metadata.get(words[2], Metadata())
    kind, text = words[1], words[3]
    metadata[words[2]] = Metadata(
        type=text.strip() if kind == "TYPE" else said.type,
        help=_unescaped(text) if kind == "HELP" else said.help,
        unit=text.strip() if kind == "UNIT" else said.unit,
    )


def _said(words: list[str], metadata: dict[str, Metadata]) -> bool:
    """Whether this was known, so that nothing has to be made anew at each scrape."""
    said, text = metadata[words[2]], words[3]
    return {"TYPE": said.type, "HELP": said.help, "UNIT": said.unit}[words[1]] == text
