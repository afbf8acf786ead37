"""CustomResourceDefinitions for a real API server: structural schemas, so that it refuses by itself what is wrong.

Source: Kubernetes' page "Extend the Kubernetes API with CustomResourceDefinitions", Specifying a structural schema.
"""

import re
from typing import Any, Final

import msgspec

from semafor.resources.kind import Column, Kind
from semafor.resources.shape import Shape, of_struct, summary

Doc = dict[str, Any]

# Kubernetes' regular expressions are RE2, which looks neither ahead nor back; the validation webhook knows these rules.
_NOT_RE2: Final = re.compile(r"\(\?(=|!|<=|<!)|\\[1-9]")
_PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"


def definition(kind: Kind) -> Doc:
    """The CustomResourceDefinition of the kind, all its versions with the same schema; the first is stored."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.resource, "labels": {"app": "semafor", "release": "istio"}},
        "spec": {
            "group": kind.group,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "names": _names(kind),
            "versions": [_version(kind, version, is_stored=version == kind.versions[0]) for version in kind.versions],
        },
    }


def _names(kind: Kind) -> Doc:
    names: Doc = {"kind": kind.kind, "listKind": kind.list_kind, "plural": kind.plural, "singular": kind.singular}
    if kind.short:
        names["shortNames"] = list(kind.short)
    if kind.categories:
        names["categories"] = list(kind.categories)
    return names


def _version(kind: Kind, version: str, *, is_stored: bool) -> Doc:
    made: Doc = {
        "name": version,
        "served": True,
        "storage": is_stored,
        "schema": {"openAPIV3Schema": _root(kind)},
        "additionalPrinterColumns": [_column(each) for each in kind.columns],
    }
    if kind.subresources:
        made["subresources"] = {name: {} for name in kind.subresources if name == "status"}
    return made


def _column(column: Column) -> Doc:
    made: Doc = {"name": column.name, "type": column.type, "jsonPath": column.path}
    if column.description:
        made["description"] = column.description
    return made | ({"priority": column.priority} if column.priority else {})


def _root(kind: Kind) -> Doc:
    schema = _object(kind.document, ())
    schema["properties"] |= {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},  # the API server has its own rules for it, and allows no others
    }
    schema.pop("required", None)
    if any(name == "spec" and shape.required for name, shape in of_struct(kind.document).fields.items()):
        schema["required"] = ["spec"]
    return schema


def _object(struct: type[msgspec.Struct], above: tuple[type[msgspec.Struct], ...]) -> Doc:
    if struct in above:  # a schema is a tree, and this one would have no end
        return {"type": "object", _PRESERVE: True}
    fields = of_struct(struct).fields
    schema: Doc = {"type": "object"}
    if text := summary(struct):
        schema["description"] = text
    schema["properties"] = {name: _value(shape, (*above, struct)) for name, shape in fields.items()}
    if needed := sorted(name for name, shape in fields.items() if shape.required):
        schema["required"] = needed
    return schema | _choices(struct)


def _choices(struct: type[msgspec.Struct]) -> Doc:
    """That of some fields there may be one at most, and of others there has to be one."""
    groups = [_exactly_one(each) for each in getattr(struct, "EXACTLY_ONE_OF", ())]
    groups += [_one_at_most(each) for each in getattr(struct, "ONE_OF", ())]
    if len(groups) == 1:
        return groups[0]
    return {"allOf": groups} if groups else {}


def _exactly_one(names: tuple[str, ...]) -> Doc:
    return {"oneOf": [{"required": [name]} for name in names]}


def _one_at_most(names: tuple[str, ...]) -> Doc:
    present = [{"required": [name]} for name in names]
    return {"oneOf": [{"not": {"anyOf": present}}, *present]}


def _value(shape: Shape, above: tuple[type[msgspec.Struct], ...]) -> Doc:
    schema = _plain(shape, above)
    if shape.description:
        schema["description"] = shape.description
    if shape.enum:
        schema["enum"] = [*shape.enum, *(alias.wrong for alias in shape.aliases)]
    for rule in shape.rules:
        schema.update(_rule(dict(rule.openapi)))
    return schema | _merging(shape)


def _rule(said: Doc) -> Doc:
    """A constraint; an empty text is an absent field, as everywhere in Istio's API."""
    said = {name: value for name, value in said.items() if name in ("minimum", "maximum", "maxLength", "pattern")}
    pattern = str(said.pop("pattern", ""))
    if pattern and not _NOT_RE2.search(pattern):
        said["pattern"] = f"^$|{pattern}"
    return said


def _plain(shape: Shape, above: tuple[type[msgspec.Struct], ...]) -> Doc:
    match shape.type:
        case "object" if shape.struct is not None:
            return _object(shape.struct, above)
        case "array" if shape.items is not None:
            return {"type": "array", "items": _value(shape.items, above)}
        case "map" if shape.items is not None:
            return {"type": "object", "additionalProperties": _value(shape.items, above)}
        case "int-or-string" | "quantity":
            return {"x-kubernetes-int-or-string": True}
        case "any":
            return {_PRESERVE: True} | ({"type": "object"} if shape.free_object else {})
        case "object" | "map":
            return {"type": "object", _PRESERVE: True}
        case plain:
            return {"type": plain}


def _merging(shape: Shape) -> Doc:
    if shape.type == "array" and shape.list_type == "map" and shape.items is not None:
        fields = shape.items.fields
        if all(key in fields and fields[key].required for key in shape.list_keys):
            return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(shape.list_keys)}
    if shape.type == "array" and shape.list_type == "set" and shape.items is not None and shape.items.type == "string":
        return {"x-kubernetes-list-type": "set"}
    if shape.type in {"object", "map"} and shape.map_type == "atomic":
        return {"x-kubernetes-map-type": "atomic"}
    return {}
