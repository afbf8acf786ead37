"""What is told of the kinds is whole: names are unique, references lead somewhere, every field is described."""

import inspect
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from semafor.resources import registry, schema
from semafor.resources.kind import Kind
from semafor.resources.shape import of_struct, shape_of, summary, walk

KINDS = pytest.mark.parametrize("kind", registry.KINDS, ids=lambda kind: kind.resource)
STRUCTS = {struct: None for kind in registry.KINDS for struct in walk(kind.document)}


def kind(group: str, name: str) -> Kind:
    found = registry.by_kind(group, name)
    assert found is not None
    return found


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix("#/components/schemas/")
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def test_every_reference_leads_to_a_component() -> None:
    components = schema.components(registry.KINDS)
    assert set(references(components)) - set(components) == set()


def test_components_of_one_kind_are_whole() -> None:
    components = schema.components([kind("networking.istio.io", "VirtualService")], "v1beta1")
    assert set(references(components)) - set(components) == set()
    gvks = [
        item["x-kubernetes-group-version-kind"]
        for item in components.values()
        if "x-kubernetes-group-version-kind" in item
    ]
    assert gvks == [
        [{"group": "networking.istio.io", "version": "v1beta1", "kind": name}]
        for name in ("VirtualService", "VirtualServiceList")
    ]


def test_components_can_be_sent() -> None:
    assert msgspec.json.encode(schema.components(registry.KINDS))


def test_no_two_structs_have_one_name() -> None:
    names = [schema.component_name(struct) for struct in STRUCTS]
    assert sorted(names) == sorted(set(names))


def test_every_struct_and_field_is_described() -> None:
    silent = [struct.__name__ for struct in STRUCTS if not summary(struct) or "?" in summary(struct)]
    silent += [
        f"{struct.__name__}.{name}"
        for struct in STRUCTS
        for name, shape in of_struct(struct).fields.items()
        if len(shape.description) < 3 or not shape.description.endswith((".", ").", "`."))
    ]
    assert silent == []


def test_kinds_have_names_of_their_own() -> None:
    plurals = [(item.group, item.plural) for item in registry.KINDS]
    kinds = [(item.group, item.kind) for item in registry.KINDS]
    assert (sorted(set(plurals)), sorted(set(kinds))) == (sorted(plurals), sorted(kinds))


@KINDS
def test_a_kind_is_found_by_both_names(kind: Kind) -> None:
    assert registry.by_kind(kind.group, kind.kind) is kind
    assert registry.by_plural(kind.group, kind.plural) is kind


@KINDS
def test_a_kind_is_what_its_document_says(kind: Kind) -> None:
    view = inspect.signature(kind.document).parameters
    assert (view["api_version"].default, view["kind"].default) == (kind.api_version(), kind.kind)
    assert kind.resource == (f"{kind.plural}.{kind.group}" if kind.group else kind.plural)


@pytest.mark.parametrize(
    ("group", "name", "path", "expected"),
    [
        ("", "Pod", "spec.containers", ("map", ("name",), "name", "merge")),
        ("", "Pod", "spec.containers.ports", ("map", ("containerPort", "protocol"), "containerPort", "merge")),
        ("", "Pod", "spec.containers.env", ("map", ("name",), "name", "merge")),
        ("", "Pod", "spec.containers.volumeMounts", ("map", ("mountPath",), "mountPath", "merge")),
        ("", "Pod", "spec.containers.command", ("atomic", (), None, None)),
        ("", "Pod", "spec.volumes", ("map", ("name",), "name", "merge,retainKeys")),
        ("", "Pod", "spec.tolerations", ("atomic", (), None, None)),
        ("", "Pod", "spec.hostAliases", ("map", ("ip",), "ip", "merge")),
        ("", "Pod", "status.conditions", ("map", ("type",), "type", "merge")),
        ("", "Pod", "metadata.finalizers", ("set", (), None, "merge")),
        ("", "Pod", "metadata.ownerReferences", ("map", ("uid",), "uid", "merge")),
        ("", "Service", "spec.ports", ("map", ("port", "protocol"), "port", "merge")),
        ("apps", "Deployment", "spec.strategy", ("atomic", (), None, "retainKeys")),
        ("rbac.authorization.k8s.io", "Role", "rules", ("atomic", (), None, None)),
        ("gateway.networking.k8s.io", "Gateway", "spec.listeners", ("map", ("name",), None, None)),
    ],
)
def test_lists_are_merged_as_in_kubernetes(group: str, name: str, path: str, expected: tuple[Any, ...]) -> None:
    shape = shape_of(kind(group, name))
    for step in path.split("."):
        inner = (shape.items if shape.type == "array" and shape.items else shape).field(step)
        assert inner is not None, step
        shape = inner
    assert (shape.list_type, shape.list_keys, shape.patch_merge_key, shape.patch_strategy) == expected


@pytest.mark.parametrize(
    ("group", "name", "path", "atomic"),
    [
        ("apps", "Deployment", "spec.selector", True),
        ("", "Service", "spec.selector", True),
        ("", "Pod", "spec.nodeSelector", True),
        ("", "Pod", "metadata.labels", False),
        ("", "ConfigMap", "data", False),
    ],
)
def test_maps_are_replaced_or_merged_as_in_kubernetes(group: str, name: str, path: str, atomic: bool) -> None:
    shape = shape_of(kind(group, name))
    for step in path.split("."):
        inner = shape.field(step)
        assert inner is not None, step
        shape = inner
    assert (shape.map_type == "atomic") is atomic


def test_free_content_has_no_fields() -> None:
    spec = shape_of(kind("install.istio.io", "IstioOperator")).field("spec")
    assert spec is not None
    values = spec.field("values")
    assert values is not None
    assert (values.preserve_unknown, values.field("anything")) == (True, None)


def test_a_schema_that_holds_itself_ends() -> None:
    shape = shape_of(kind("apiextensions.k8s.io", "CustomResourceDefinition"))
    assert len(list(walk(kind("apiextensions.k8s.io", "CustomResourceDefinition").document))) > 10
    assert shape.field("spec") is not None
