"""What a CustomResourceDefinition adds: a Kind, its schemas for OpenAPI, and the definition's own status."""

import functools
from typing import Any, Literal

from semafor.base.struct import Value
from semafor.kube.api.custom import structs
from semafor.resources.kind import Column, Kind
from semafor.resources.meta.meta import ObjectMeta

Doc = dict[str, Any]

_ColumnType = Literal["string", "integer", "number", "boolean", "date"]
_COLUMN_TYPES: dict[str, _ColumnType] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
}


class Defined(Value):
    """A kind, and the schema of each of its versions."""

    kind: Kind
    schemas: dict[str, Doc]


def defined(crd: Doc) -> Defined | None:
    """The kind that a definition asks for; None when it serves no version."""
    spec = crd["spec"]
    versions = sorted(
        (item for item in spec["versions"] if item.get("served")), key=lambda item: not item.get("storage")
    )
    if not versions:
        return None
    names, first = spec["names"], versions[0]
    schemas = {item["name"]: (item.get("schema") or {}).get("openAPIV3Schema") or {} for item in versions}
    schema = schemas[first["name"]]
    kind = Kind(
        group=spec["group"],
        versions=tuple(item["name"] for item in versions),
        kind=names["kind"],
        plural=names["plural"],
        singular=names.get("singular", ""),
        short=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        namespaced=spec["scope"] == "Namespaced",
        document=structs.root(names["kind"], schema, ObjectMeta),
        columns=tuple(_column(item) for item in first.get("additionalPrinterColumns") or ()),
        subresources=tuple(name for name in ("status", "scale") if name in (first.get("subresources") or {})),
        custom=True,
        scale=_scale((first.get("subresources") or {}).get("scale") or {}),
        defaults=functools.partial(filled, schema),
    )
    return Defined(kind=kind, schemas=schemas)


def _scale(said: Doc) -> tuple[str, str, str]:
    """Paths without their leading dot."""
    names = ("specReplicasPath", "statusReplicasPath", "labelSelectorPath")
    wanted, there, selector = (str(said.get(name) or "").lstrip(".") for name in names)
    return wanted or "spec.replicas", there or "status.replicas", selector


def _column(item: Doc) -> Column:
    return Column(
        name=item["name"],
        type=_COLUMN_TYPES.get(item["type"], "string"),
        path=item["jsonPath"],
        priority=item.get("priority") or 0,
        description=item.get("description") or "",
    )


def filled(schema: Doc, value: Any) -> Any:
    """The value with the defaults of its schema filled in."""
    if isinstance(value, dict):
        properties = schema.get("properties") or {}
        missing = {key: item["default"] for key, item in properties.items() if "default" in item and key not in value}
        return {key: filled(_of_key(schema, key), item) for key, item in {**value, **missing}.items()}
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [filled(schema["items"], item) for item in value]
    return value


def _of_key(schema: Doc, key: str) -> Doc:
    found = (schema.get("properties") or {}).get(key) or schema.get("additionalProperties")
    return found if isinstance(found, dict) else {}


def established(crd: Doc, time: str) -> Doc:
    """The definition's status: its names are taken, its kind is served. kubectl waits for this."""
    spec = crd.get("spec") or {}  # not checked yet
    versions = [item.get("name", "") for item in spec.get("versions") or () if item.get("storage")]
    known = (crd.get("status") or {}).get("conditions")
    conditions = known or [
        _condition("NamesAccepted", "NoConflicts", "no conflicts found", time),
        _condition("Established", "InitialNamesAccepted", "the initial names have been accepted", time),
    ]
    status = {"conditions": conditions, "acceptedNames": spec.get("names", {}), "storedVersions": versions}
    return {**crd, "status": status}


def _condition(type_: str, reason: str, message: str, time: str) -> Doc:
    return {"type": type_, "status": "True", "reason": reason, "message": message, "lastTransitionTime": time}
