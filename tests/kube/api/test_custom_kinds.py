"""Kinds that users define are served like all others."""

import copy
import json
from typing import Any

import pytest

from semafor.kube.api import custom
from semafor.kube.api.call import Call
from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.kube.api.objects import Objects
from semafor.kube.store import Store
from semafor.resources import check
from semafor.resources.registry import by_plural

DEFINITION = by_plural("apiextensions.k8s.io", "customresourcedefinitions")
SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 9},
        "color": {"type": "string", "enum": ["red", "green"], "default": "red"},
        "port": {"x-kubernetes-int-or-string": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "parts": {
            "type": "array",
            "items": {"type": "object", "properties": {"name": {"type": "string", "pattern": "^[a-z]+$"}}},
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
    },
}
CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "lamps.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "lamps", "kind": "Lamp", "shortNames": ["lp"]},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": SPEC,
                            "status": {"type": "object", "properties": {"lit": {"type": "boolean"}}},
                        },
                    }
                },
            }
        ],
    },
}


def lamp(**spec: Any) -> dict[str, Any]:
    meta = {"name": "desk", "namespace": "default"}
    return {"apiVersion": "example.com/v1", "kind": "Lamp", "metadata": meta, "spec": spec}


def wrong(**spec: Any) -> dict[str, str]:
    found = custom.defined(CRD)
    assert found is not None
    report = check.check(found.kind, lamp(**spec))
    return {error.path: error.reason for error in report.errors} | dict.fromkeys(report.unknown, "unknown")


CASES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"size": 3, "port": "http", "free": {"any": [1]}, "labels": {"a": "b"}, "parts": [{"name": "a"}]}, {}),
    ({}, {"spec.size": "FieldValueRequired"}),
    ({"size": 10}, {"spec.size": "FieldValueInvalid"}),
    ({"size": "big"}, {"spec.size": "FieldValueTypeInvalid"}),
    ({"size": 1, "color": "blue"}, {"spec.color": "FieldValueNotSupported"}),
    ({"size": 1, "parts": [{"name": "A1"}]}, {"spec.parts[0].name": "FieldValueInvalid"}),
    ({"size": 1, "labels": {"a": 1}}, {"spec.labels[a]": "FieldValueTypeInvalid"}),
    ({"size": 1, "colour": "red"}, {"spec.colour": "unknown"}),
]


@pytest.mark.parametrize(("spec", "expected"), CASES)
def test_objects_are_checked_by_the_schema(spec, expected):
    assert wrong(**spec) == expected


def free_at_its_root(**schema: Any) -> dict[str, Any]:
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, **schema}
    crd = copy.deepcopy(CRD)
    crd["spec"]["versions"][0] |= {"schema": {"openAPIV3Schema": free}, "subresources": {}}
    return crd


@pytest.mark.parametrize("how", ["create", "apply"])
async def test_a_kind_without_a_schema_loses_nothing(how):
    objects = Objects(Store.open(None))
    client = Client(objects)
    await client.create(DEFINITION, free_at_its_root())
    kind = next(item for item in client.kinds if item.kind == "Lamp")
    wanted = {**lamp(size=1, deep={"list": [{"a": None}]}), "data": {"x": [1]}, "status": {"lit": True}}
    call = Call(kind=kind, version="v1", namespace="default", name="desk", manager="test")
    outcome = await (objects.create(call, wanted) if how == "create" else objects.apply(call, wanted))
    assert {key: outcome.obj[key] for key in ("spec", "data", "status")} == {
        key: wanted[key] for key in ("spec", "data", "status")
    }
    assert outcome.warnings == ()


def test_what_a_free_kind_names_is_still_checked():
    found = custom.defined(free_at_its_root(properties={"spec": SPEC}))
    report = check.check(found.kind, {**lamp(size=70), "else": 1})
    assert [error.path for error in report.errors] == ["spec.size"]
    assert report.unknown == ()


async def test_a_definition_is_established_and_its_objects_go_with_it():
    client = Client(Objects(Store.open(None)))
    made = await client.create(DEFINITION, copy.deepcopy(CRD))
    assert {item["type"]: item["status"] for item in made["status"]["conditions"]} == {
        "NamesAccepted": "True",
        "Established": "True",
    }
    kind = next(item for item in client.kinds if item.kind == "Lamp")
    stored = await client.create(kind, lamp(size=1))
    assert stored["spec"] == {"size": 1, "color": "red"}
    with pytest.raises(StatusError, match=r"spec\.size"):
        await client.create(kind, {**lamp(size=70), "metadata": {"name": "x", "namespace": "default"}})
    await client.delete(DEFINITION, "", "lamps.example.com")
    assert client.list(kind) == []
    assert all(item.kind != "Lamp" for item in client.kinds)


@pytest.mark.e2e
async def test_kubectl_uses_a_defined_kind(cluster):
    await cluster.kubectl("apply", "-f", "-", stdin=json.dumps(CRD))
    await cluster.kubectl("wait", "--for=condition=Established", "crd/lamps.example.com", "--timeout=10s")
    assert (
        await cluster.kubectl("apply", "-f", "-", stdin=json.dumps(lamp(size=3)))
    ).out == "lamp.example.com/desk created\n"
    assert (await cluster.kubectl("get", "lp", "--no-headers")).out.split() == ["desk", "3"]
    assert "FIELD: color <string>" in (await cluster.kubectl("explain", "lamp.spec.color")).out
    strange = await cluster.kubectl("apply", "-f", "-", stdin=json.dumps(lamp(size=3, x=1)), check=False)
    assert 'unknown field "spec.x"' in strange.err
    await cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(lamp(size=3)))
    await cluster.kubectl("patch", "lamp", "desk", "--type=merge", "-p", '{"spec":{"size":4}}')
    assert (await cluster.kubectl("get", "lamp", "desk", "-o", "jsonpath={.spec.size}")).out == "4"
    assert (await cluster.kubectl("delete", "crd", "lamps.example.com")).code == 0
    assert (await cluster.kubectl("get", "lamps", check=False)).code == 1
