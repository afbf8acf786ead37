"""Kinds that are printed by the columns of their table entry, as Kubernetes prints custom resources.

Source: apiextensions-apiserver's tableconvertor.
"""

import functools
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from semafor.kube.api.tables import ages, jsonpath
from semafor.kube.api.tables.printer import Cell, Printer, column
from semafor.resources.kind import AGE, Column, Kind

Doc = dict[str, Any]


@functools.cache
def printer(kind: Kind) -> Printer:
    """Name, then the kind's columns; Name and Age when it has none."""
    listed = kind.columns or (AGE,)
    paths = [(item, jsonpath.parse(item.path)) for item in listed]

    def row(obj: Doc, now: datetime) -> Sequence[Cell]:
        return (obj["metadata"]["name"], *(_cell(item, jsonpath.first(path, obj), now) for item, path in paths))

    return Printer(columns=(column("Name"), *listed), row=row)


def _cell(described: Column, value: Any, now: datetime) -> Cell:
    if value is None:
        return None
    match described.type:
        case "date":
            return ages.since(value if isinstance(value, str) else None, now)
        case "integer" | "number":
            return value if isinstance(value, int | float) else None
        case "boolean":
            return value if isinstance(value, bool) else None
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return str(value)
