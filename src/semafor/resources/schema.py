"""OpenAPI v3 schemas from the structs, with the extensions that kubectl's explain and patches read."""

import functools
from collections.abc import Iterable
from typing import Any

import msgspec

from semafor.resources.kind import Kind
from semafor.resources.shape import Shape, of_struct, summary, walk

# The names that Kubernetes itself gives to its components; kubectl shows them in no place but tools match on them.
_PREFIXES = {
    "meta": "io.k8s.apimachinery.pkg.apis.meta.v1",
    "core": "io.k8s.api.core.v1",
    "apps": "io.k8s.api.apps.v1",
    "batch": "io.k8s.api.batch.v1",
    "autoscaling": "io.k8s.api.autoscaling.v2",
    "metrics": "io.k8s.metrics.pkg.apis.metrics.v1beta1",
    "policy": "io.k8s.api.policy.v1",
    "networking": "io.k8s.api.networking.v1",
    "discovery": "io.k8s.api.discovery.v1",
    "rbac": "io.k8s.api.rbac.v1",
    "authorization": "io.k8s.api.authorization.v1",
    "authentication": "io.k8s.api.authentication.v1",
    "certificates": "io.k8s.api.certificates.v1",
    "coordination": "io.k8s.api.coordination.v1",
    "admissionregistration": "io.k8s.api.admissionregistration.v1",
    "apiextensions": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
    "storage": "io.k8s.api.storage.v1",
    "scheduling": "io.k8s.api.scheduling.v1",
    "events": "io.k8s.api.events.v1",
    "istio": "io.istio",
    "gateway_api": "io.k8s.networking.gateway",
    "smi": "io.smi-spec",
    "install": "io.istio.install",
    "monitoring": "com.coreos.monitoring",
}
_REF = "#/components/schemas/"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_SHARED: dict[str, dict[str, Any]] = {
    _INT_OR_STRING: {
        "oneOf": [{"type": "integer"}, {"type": "string"}],
        "format": "int-or-string",
        "description": "A number or a text.",
    },
    _QUANTITY: {
        "oneOf": [{"type": "string"}, {"type": "number"}],
        "description": "An amount: a number, perhaps with a suffix such as m, k, M, Ki or Mi.",
    },
}


def component_name(struct: type[msgspec.Struct]) -> str:
    """The name of a struct's component, such as `io.k8s.api.core.v1.Pod`; unique among all structs."""
    package = struct.__module__.split(".")[2]
    return f"{_PREFIXES[package]}.{struct.__name__}"


def root_name(kind: Kind, version: str) -> str:
    """The name of the component of a kind itself, which for kinds with several versions differs by version."""
    if len(kind.versions) == 1:
        return component_name(kind.document)
    prefix, _, _ = component_name(kind.document).rpartition(".")
    return f"{prefix}.{kind.group.partition('.')[0]}.{version}.{kind.kind}"


def openapi(document: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema of one struct; other structs are referred to by `$ref` to their components. Do not change it."""
    return _component(document)


def components(kinds: Iterable[Kind], version: str | None = None) -> dict[str, dict[str, Any]]:
    """All component schemas that the kinds need, by name, with each kind's list. `version` keeps only that version."""
    found: dict[str, dict[str, Any]] = {}
    for kind in kinds:
        for struct in walk(kind.document):
            found.setdefault(component_name(struct), _component(struct))
        for served in kind.versions:
            if version in (None, served):
                name = root_name(kind, served)
                gvk = {"group": kind.group, "version": served, "kind": kind.kind}
                found[name] = {**_component(kind.document), "x-kubernetes-group-version-kind": [gvk]}
                found[f"{name}List"] = _list(kind, served, name)
    if found:
        from semafor.resources.meta.meta import ListMeta

        found.setdefault(component_name(ListMeta), _component(ListMeta))
        found |= _SHARED
    return found


def _list(kind: Kind, version: str, name: str) -> dict[str, Any]:
    meta = f"{_REF}{_PREFIXES['meta']}.ListMeta"
    return {
        "type": "object",
        "description": f"A list of {kind.plural}.",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string", "description": "API version of the list."},
            "kind": {"type": "string", "description": "Kind of the list."},
            "metadata": {"allOf": [{"$ref": meta}], "description": "The list's version and next page."},
            "items": {"type": "array", "items": {"allOf": [{"$ref": f"{_REF}{name}"}]}, "description": "The objects."},
        },
        "x-kubernetes-group-version-kind": [{"group": kind.group, "version": version, "kind": kind.list_kind}],
    }


@functools.cache
def _component(struct: type[msgspec.Struct]) -> dict[str, Any]:
    fields = of_struct(struct).fields
    schema: dict[str, Any] = {"type": "object"}
    if text := summary(struct):
        schema["description"] = text
    schema["properties"] = {name: _property(shape) for name, shape in fields.items()}
    if needed := [name for name, shape in fields.items() if shape.required]:
        schema["required"] = needed
    return schema


def _property(shape: Shape) -> dict[str, Any]:
    schema = _plain(shape)
    if shape.description:
        schema["description"] = shape.description
    if shape.enum:
        schema["enum"] = list(shape.enum)
    for rule in shape.rules:
        schema.update(rule.openapi)
    if shape.default not in (msgspec.NODEFAULT, None, "", 0, False, ()) and isinstance(
        shape.default, str | int | float
    ):
        schema["default"] = shape.default
    return {**schema, **_extensions(shape)}


def _plain(shape: Shape) -> dict[str, Any]:
    match shape.type:
        case "object" if shape.struct is not None:
            return {"allOf": [{"$ref": f"{_REF}{component_name(shape.struct)}"}]}
        case "array" if shape.items is not None:
            return {"type": "array", "items": _property(shape.items)}
        case "map" if shape.items is not None:
            return {"type": "object", "additionalProperties": _property(shape.items)}
        case "int-or-string":
            return {"allOf": [{"$ref": f"{_REF}{_INT_OR_STRING}"}]}
        case "quantity":
            return {"allOf": [{"$ref": f"{_REF}{_QUANTITY}"}]}
        case "any":
            return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        case plain:
            return {"type": plain}


def _extensions(shape: Shape) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if shape.patch_strategy:
        found["x-kubernetes-patch-strategy"] = shape.patch_strategy
    if shape.patch_merge_key:
        found["x-kubernetes-patch-merge-key"] = shape.patch_merge_key
    if shape.type == "array" and shape.listing.kind != "granular":
        found["x-kubernetes-list-type"] = shape.list_type
        if shape.list_keys:
            found["x-kubernetes-list-map-keys"] = list(shape.list_keys)
    if shape.type in {"object", "map"} and shape.map_type == "atomic":
        found["x-kubernetes-map-type"] = "atomic"
    return found
