"""Clients of all ages find out what is served."""

import httpx
import pytest
from starlette.types import ASGIApp

from semafor.kube.api import server, tokens
from semafor.kube.api.objects import Objects
from semafor.kube.api.options import ADMINS, Options, User
from semafor.kube.store import Store


def app() -> ASGIApp:
    users = {"secret": User(name="admin", groups=(ADMINS,))}
    return server.app(Objects(Store.open(None)), Options(authenticate=tokens.known(users)))


@pytest.fixture
async def api():
    headers = {"Authorization": "Bearer secret"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app()), base_url="https://api", headers=headers) as made:
        yield made


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
async def test_aggregated_discovery_is_marked_as_such(api, version):
    accept = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList,application/json"
    answer = await api.get("/apis", headers={"Accept": accept})
    assert (
        answer.headers["content-type"] == f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
    )
    groups = {item["metadata"]["name"]: item for item in answer.json()["items"]}
    deployments = next(r for r in groups["apps"]["versions"][0]["resources"] if r["resource"] == "deployments")
    assert deployments["responseKind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert deployments["shortNames"] == ["deploy"]
    scale = next(sub for sub in deployments["subresources"] if sub["subresource"] == "scale")
    assert scale["responseKind"]["kind"] == "Scale"
    core = (await api.get("/api", headers={"Accept": accept})).json()
    assert "name" not in core["items"][0]["metadata"]


async def test_plain_discovery_names_the_same(api):
    assert (await api.get("/api")).json()["versions"] == ["v1"]
    groups = {group["name"]: group for group in (await api.get("/apis")).json()["groups"]}
    assert groups["networking.istio.io"]["preferredVersion"]["version"] == "v1"
    assert (await api.get("/apis/apps")).json()["versions"] == [{"groupVersion": "apps/v1", "version": "v1"}]
    listed = {item["name"]: item for item in (await api.get("/api/v1")).json()["resources"]}
    assert listed["pods"]["verbs"][0] == "create"
    assert listed["pods/eviction"]["group"] == "policy"
    assert (await api.get("/apis/none")).status_code == 404
    assert (await api.get("/apis/apps/v9")).status_code == 404


async def test_every_document_of_the_openapi_index_can_be_read(api):
    index = (await api.get("/openapi/v3")).json()["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/networking.istio.io/v1beta1"} <= index.keys()
    for entry in index.values():
        doc = (await api.get(entry["serverRelativeURL"])).json()
        names = doc["components"]["schemas"].keys()
        references = set(_references(doc))
        assert references <= {f"#/components/schemas/{name}" for name in names}


async def test_patch_operations_say_what_they_take(api):
    doc = (await api.get("/openapi/v3/apis/apps/v1")).json()
    patch = doc["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert {"fieldValidation", "dryRun", "force"} <= {parameter["name"] for parameter in patch["parameters"]}
    assert "application/strategic-merge-patch+json" in patch["requestBody"]["content"]


async def test_openapi_v2_is_described_in_json_only(api):
    doc = (await api.get("/openapi/v2")).json()
    assert doc["swagger"] == "2.0"
    assert set(_references(doc)) <= {f"#/definitions/{name}" for name in doc["definitions"]}
    protobuf = {"Accept": "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"}
    empty = await api.get("/openapi/v2", headers=protobuf)
    assert (empty.content, "@" in empty.headers["content-type"]) == (b"\n\x032.0", False)


def _references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
