"""The rules of structural schemas, which a real API server holds definitions to."""

import pytest

from semafor.resources import definitions, registry
from semafor.resources.istio import virtual_service

CUSTOM = [kind for kind in registry.KINDS if kind.custom and kind.group.endswith("istio.io")]


def nodes(schema):
    yield schema
    for each in (*schema.get("properties", {}).values(), *filter(None, (schema.get("items"),))):
        yield from nodes(each)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from nodes(schema["additionalProperties"])


@pytest.mark.parametrize("kind", CUSTOM, ids=lambda kind: kind.plural)
def test_every_node_has_a_type_and_nothing_that_structural_schemas_may_not(kind):
    for version in definitions.definition(kind)["spec"]["versions"]:
        for node in nodes(version["schema"]["openAPIV3Schema"]):
            free = node.get("x-kubernetes-int-or-string") or node.get("x-kubernetes-preserve-unknown-fields")
            assert node.get("type") or free, node
            assert not {"$ref", "default", "uniqueItems"} & node.keys()
            assert not ("properties" in node and "additionalProperties" in node)


def test_one_version_is_stored_and_all_are_served():
    versions = definitions.definition(virtual_service.KIND)["spec"]["versions"]
    assert [(each["name"], each["served"], each["storage"]) for each in versions] == [
        ("v1", True, True),
        ("v1beta1", True, False),
        ("v1alpha3", True, False),
    ]


def test_of_the_words_of_a_match_there_may_be_one():
    spec = definitions.definition(virtual_service.KIND)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    match = spec["properties"]["spec"]["properties"]["http"]["items"]["properties"]["match"]["items"]
    words = [{"required": [name]} for name in ("exact", "prefix", "regex")]
    assert match["properties"]["uri"]["oneOf"] == [{"not": {"anyOf": words}}, *words]
