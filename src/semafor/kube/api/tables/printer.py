"""The printer of one kind: its columns, and the cells of a row. Cells are strings or numbers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from semafor.resources.kind import Column

Doc = dict[str, Any]
Cell = str | int | float | bool | None

NONE = "<none>"
UNKNOWN = "<unknown>"
UNSET = "<unset>"
MAX_SHOWN = 3  # addresses, ports, hosts in one cell; the rest is counted


@dataclass(frozen=True, slots=True)
class Printer:
    """Columns, in order, and what makes a row's cells of an object at a time."""

    columns: tuple[Column, ...]
    row: Callable[[Doc, datetime], Sequence[Cell]]


_DESCRIPTIONS = {
    "Name": "Name must be unique within a namespace.",
    "Age": "How long ago the object was created.",
    "Containers": "Names of each container in the template.",
    "Images": "Images referenced by each container in the template.",
}


def column(name: str, type_: Literal["string", "integer"] = "string", *, wide: bool = False) -> Column:
    """A column; `wide` ones are shown with `-o wide` only."""
    description = _DESCRIPTIONS.get(name, "")
    return Column(name=name, type=type_, path="", priority=1 if wide else 0, description=description)


def header(*names: str, wide: Sequence[str] = ()) -> tuple[Column, ...]:
    """Columns of text, the wide ones last."""
    return (*(column(name) for name in names), *(column(name, wide=True) for name in wide))


def meta(obj: Doc) -> Doc:
    """The object's metadata."""
    metadata: Doc = obj["metadata"]
    return metadata


def limited(items: Sequence[str], *, empty: str = NONE) -> str:
    """`a,b,c + 2 more...`"""
    if not items:
        return empty
    more = len(items) - MAX_SHOWN
    return ",".join(items[:MAX_SHOWN]) + (f" + {more} more..." if more > 0 else "")


def pairs(labels: Doc | None) -> str:
    """A map of labels as `kubectl` prints it."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def selector(value: Doc | None) -> str:
    """A LabelSelector as text. Source: metav1.FormatLabelSelector."""
    if value is None:
        return NONE
    parts = [f"{key}={item}" for key, item in sorted((value.get("matchLabels") or {}).items())]
    for item in value.get("matchExpressions") or []:
        key, operator, values = item.get("key", ""), item.get("operator", ""), ",".join(item.get("values") or [])
        parts.append({"Exists": key, "DoesNotExist": f"!{key}"}.get(operator, f"{key} {operator.lower()} ({values})"))
    return ",".join(sorted(parts)) or NONE


def containers(pod_spec: Doc | None) -> tuple[str, str]:
    """The names and the images of a template's containers."""
    listed: Iterable[Doc] = list((pod_spec or {}).get("containers") or [])
    return ",".join(item.get("name", "") for item in listed), ",".join(item.get("image", "") for item in listed)
