"""The defaults that the Gateway API's schemas name, filled into documents as the API stores them."""

from typing import Any

from semafor.base.struct import Document
from semafor.resources.defaulting import each, inside
from semafor.resources.kind import Defaults
from semafor.resources.shape import Shape, of_struct

Doc = dict[str, Any]


def of(document: type[Document], before: Defaults | None = None) -> Defaults:
    """A function that fills in what the fields' own defaults say; `before` adds whole objects first."""

    def defaults(doc: Doc) -> Doc:
        filled: Doc = _fill(of_struct(document), before(doc) if before else doc)
        return filled

    return defaults


def _fill(shape: Shape | None, value: Any) -> Any:
    if shape is None or shape.type == "any":
        return value
    if isinstance(value, list):
        return [_fill(shape.items, item) for item in value]
    if not isinstance(value, dict):
        return value
    filled = {key: _fill(shape.field(key), item) for key, item in value.items()}
    if shape.struct is not None and "apiVersion" not in shape.fields:
        for name, field in shape.fields.items():
            wanted = isinstance(field.default, str | int) and (field.default or field.blank)
            if name not in filled and wanted and not field.required:
                filled[name] = field.default
    return filled


def http_route(doc: Doc) -> Doc:
    """A rule without conditions matches every path."""
    return inside(doc, "spec", lambda spec: each(spec, "rules", _rule))


def _rule(rule: Doc) -> Doc:
    everything: Doc = {"path": {"type": "PathPrefix", "value": "/"}}
    rule = rule if rule.get("matches") else {**rule, "matches": [everything]}
    return each(rule, "matches", lambda match: {**everything, **match})


def gateway(doc: Doc) -> Doc:
    """A listener takes the routes of its own namespace."""
    return inside(doc, "spec", lambda spec: each(spec, "listeners", _listener))


def _listener(listener: Doc) -> Doc:
    allowed = {"namespaces": {"from": "Same"}, **listener.get("allowedRoutes", {})}
    return {**listener, "allowedRoutes": allowed}
