"""Requests over HTTP, good and bad: the right answer, or a Status that says what is wrong; never a 500."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.kube.conftest import furnish

from semafor.kube.api import bodies, server, tokens
from semafor.kube.api.client import Client
from semafor.kube.api.objects import Objects
from semafor.kube.api.options import ADMINS, Options, User
from semafor.kube.store import Store

ADMIN = {"Authorization": "Bearer secret"}
MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "app", "image": "app:1"}]},
}


def config_map(name: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **fields}


def make_app(objects: Objects | None = None):
    users = {"secret": User(name="admin", groups=(ADMINS,)), "weak": User(name="weak")}
    return server.app(objects or Objects(Store.open(None)), Options(authenticate=tokens.known(users)))


def client_of(app) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api", headers=ADMIN)


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(make_app()) as client:
        yield client


async def test_an_object_lives_through_all_verbs(api):
    made = await api.post(MAPS, json=config_map("a", data={"k": "1"}))
    assert (made.status_code, made.json()["metadata"]["resourceVersion"]) == (201, "1")
    replaced = await api.put(f"{MAPS}/a", json={**made.json(), "data": {"k": "2"}})
    assert replaced.json()["data"] == {"k": "2"}
    assert (await api.get(f"{MAPS}/a")).json() == replaced.json()
    assert (await api.get(MAPS)).json()["items"] == [replaced.json()]
    gone = await api.delete(f"{MAPS}/a")
    assert (gone.json()["status"], gone.json()["details"]["uid"]) == ("Success", made.json()["metadata"]["uid"])
    assert (await api.get(f"{MAPS}/a")).status_code == 404


async def test_a_stale_version_is_a_conflict(api):
    made = (await api.post(MAPS, json=config_map("a"))).json()
    await api.put(f"{MAPS}/a", json={**made, "data": {"k": "1"}})
    stale = await api.put(f"{MAPS}/a", json={**made, "data": {"k": "2"}})
    assert (stale.status_code, stale.json()["reason"]) == (409, "Conflict")
    assert stale.json()["message"].startswith('Operation cannot be fulfilled on configmaps "a"')


async def test_a_write_that_changes_nothing_makes_no_new_version(api):
    made = (await api.post(MAPS, json=config_map("a"))).json()
    assert (await api.put(f"{MAPS}/a", json=made)).json()["metadata"]["resourceVersion"] == "1"


async def test_names_are_generated(api):
    body = {"metadata": {"generateName": "job-"}}
    made = (await api.post(MAPS, json=body)).json()["metadata"]
    assert made["name"].startswith("job-")
    assert len(made["name"]) == 9


async def test_what_the_server_owns_cannot_be_set(api):
    meta = {"name": "a", "uid": "mine", "generation": 7, "creationTimestamp": "2000-01-01T00:00:00Z"}
    made = (await api.post(MAPS, json={"metadata": meta})).json()["metadata"]
    assert made["uid"] != "mine"
    assert not made["creationTimestamp"].startswith("2000")
    assert "generation" not in made


async def test_lists_come_in_pages(api):
    for name in "abcde":
        await api.post(MAPS, json=config_map(name))
    first = (await api.get(MAPS, params={"limit": 2})).json()
    assert first["metadata"]["remainingItemCount"] == 3
    await api.delete(f"{MAPS}/c")
    token = first["metadata"]["continue"]
    second = (await api.get(MAPS, params={"limit": 2, "continue": token})).json()
    assert [item["metadata"]["name"] for item in second["items"]] == ["d", "e"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_tables_carry_as_much_of_the_object_as_asked(api):
    await api.post(MAPS, json=config_map("a", data={"k": "1"}))
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    rows = {}
    for include in ("Metadata", "Object", "None"):
        table = (await api.get(MAPS, headers=accept, params={"includeObject": include})).json()
        rows[include] = table["rows"][0]["object"]
    assert (rows["Metadata"]["kind"], rows["Object"]["data"], rows["None"]) == (
        "PartialObjectMetadata",
        {"k": "1"},
        None,
    )


async def test_metadata_alone_can_be_asked_for(api):
    await api.post(MAPS, json=config_map("a", data={"k": "1"}))
    accept = {"Accept": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}
    listed = (await api.get(MAPS, headers=accept)).json()
    assert listed["kind"] == "PartialObjectMetadataList"
    assert "data" not in listed["items"][0]


async def test_yaml_is_spoken_too(api):
    headers = {"Content-Type": "application/yaml", "Accept": "application/yaml"}
    made = await api.post(MAPS, content="metadata: {name: a}\ndata: {k: 'yes'}\n", headers=headers)
    assert (made.status_code, made.headers["content-type"]) == (201, "application/yaml")
    assert (await api.get(f"{MAPS}/a")).json()["data"] == {"k": "yes"}


async def test_strict_validation_names_unknown_and_repeated_fields(api):
    body = '{"metadata":{"name":"a"},"data":{"k":"1","k":"2"},"wrong":1}'
    headers = {"Content-Type": "application/json"}
    refused = await api.post(MAPS, content=body, params={"fieldValidation": "Strict"}, headers=headers)
    assert refused.status_code == 400
    assert 'strict decoding error: duplicate field "data.k"' in refused.json()["message"]
    warned = await api.post(MAPS, content=body, headers=headers)
    assert set(warned.headers.get_list("warning")) == {
        '299 - "unknown field \\"wrong\\""',
        '299 - "duplicate field \\"data.k\\""',
    }
    assert "wrong" not in warned.json()


async def test_every_mistake_is_a_cause(api):
    body = {"metadata": {"name": "Web_1"}, "spec": {"containers": [{"name": "app"}, {"name": "x y", "image": "i"}]}}
    status = (await api.post(PODS, json=body)).json()
    fields = {cause["field"] for cause in status["details"]["causes"]}
    assert (status["code"], status["reason"]) == (422, "Invalid")
    assert {"metadata.name", "spec.containers[0].image", "spec.containers[1].name"} <= fields


async def test_a_pods_own_parts_are_filled_in(api):
    made = (await api.post(PODS, json=POD)).json()
    assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert made["spec"]["serviceAccountName"] == "default"
    mounts = made["spec"]["containers"][0]["volumeMounts"]
    assert [mount["mountPath"] for mount in mounts] == ["/var/run/secrets/kubernetes.io/serviceaccount"]
    changed = {**made, "spec": {**made["spec"], "hostname": "other"}}
    refused = await api.put(f"{PODS}/web", json=changed)
    assert (refused.status_code, refused.json()["details"]["causes"][0]["field"]) == (422, "spec")


async def test_a_running_pod_is_given_time_to_end(api):
    made = (await api.post(PODS, json=POD)).json()
    merge = {"Content-Type": "application/merge-patch+json"}
    await api.patch(f"{PODS}/web", content='{"spec":{"nodeName":"here"}}', headers=merge)
    marked = (await api.delete(f"{PODS}/web")).json()
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
    assert (await api.delete(f"{PODS}/web", params={"gracePeriodSeconds": 5})).json()["metadata"][
        "deletionGracePeriodSeconds"
    ] == 5
    wrong = {"preconditions": {"uid": "another"}}
    assert (await api.request("DELETE", f"{PODS}/web", json=wrong)).status_code == 409
    right = {"gracePeriodSeconds": 0, "preconditions": {"uid": made["metadata"]["uid"]}}
    assert (await api.request("DELETE", f"{PODS}/web", json=right)).json()["kind"] == "Pod"
    assert (await api.get(f"{PODS}/web")).status_code == 404


async def test_a_service_gets_an_address_of_its_own(api):
    path = "/api/v1/namespaces/default/services"
    addresses = set()
    for name in ("a", "b"):
        made = (await api.post(path, json={"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}})).json()
        addresses.add(made["spec"]["clusterIP"])
        assert made["spec"]["clusterIPs"] == [made["spec"]["clusterIP"]]
    assert len(addresses) == 2
    taken = {"metadata": {"name": "c"}, "spec": {"clusterIP": addresses.pop(), "ports": [{"port": 80}]}}
    refused = await api.post(path, json=taken)
    assert "provided IP is already allocated" in refused.json()["message"]
    headless = {"metadata": {"name": "d"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}}
    assert (await api.post(path, json=headless)).json()["spec"]["clusterIPs"] == ["None"]


async def test_the_scale_is_a_small_document(api):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": POD["spec"]}
    spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    await api.post(DEPLOYMENTS, json={"metadata": {"name": "web"}, "spec": spec})
    scale = (await api.get(f"{DEPLOYMENTS}/web/scale")).json()
    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == ("Scale", {"replicas": 2}, "a=b")
    scaled = await api.put(f"{DEPLOYMENTS}/web/scale", json={**scale, "spec": {"replicas": 5}})
    assert scaled.json()["spec"] == {"replicas": 5}
    assert (await api.get(f"{DEPLOYMENTS}/web")).json()["metadata"]["generation"] == 2
    assert (await api.put(f"{DEPLOYMENTS}/web/scale", json={**scale, "spec": {"replicas": 1}})).status_code == 409


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nonsense", 404),
        ("GET", "/apis/none.example/v1/things", 404),
        ("GET", "/api/v2/pods", 404),
        ("GET", "/api/v1/namespaces/default/nodes", 404),
        ("GET", f"{MAPS}/none", 404),
        ("GET", f"{MAPS}/none/status", 404),
        ("GET", "/api/v1/pods/web", 404),
        ("POST", "/api/v1/pods", 405),
        ("PUT", MAPS, 405),
        ("TRACE", MAPS, 405),
        ("GET", f"{MAPS}?labelSelector=a==b==c", 400),
        ("GET", f"{MAPS}?labelSelector=(", 400),
        ("GET", f"{MAPS}?fieldSelector=data.k=1", 400),
        ("GET", f"{MAPS}?limit=many", 400),
        ("GET", f"{MAPS}?continue=xyz", 400),
        ("GET", f"{MAPS}?resourceVersion=abc", 400),
        ("GET", f"{MAPS}?resourceVersion=999", 504),
        ("GET", f"{MAPS}?watch=true&resourceVersion=999", 504),
        ("GET", f"{MAPS}?watch=maybe", 400),
        ("DELETE", f"{MAPS}/none?propagationPolicy=Never", 422),
        ("DELETE", f"{MAPS}/none?dryRun=Some", 422),
    ],
)
async def test_bad_requests_are_told_apart(api, method, path, code):
    answer = await api.request(method, path)
    assert (answer.status_code, answer.json()["kind"]) == (code, "Status")


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("application/json", b"", 400),
        ("application/json", b"{", 400),
        ("application/json", b"[]", 400),
        ("application/json", b"null", 400),
        ("application/json", b'"text"', 400),
        ("application/json", b"\xff\xfe", 400),
        ("application/json", b'{"metadata":{"name":"a"},"data":' + b"[" * 100_000, 400),
        ("application/json", b'{"metadata":{"name":"a","generation":NaN}}', 400),
        ("application/json", b'{"metadata":[]}', 400),
        ("application/json", b'{"metadata":{"name":7}}', 400),
        ("application/json", b'{"metadata":{"name":"a"},"data":{"k":1}}', 400),
        ("application/json", b'{"kind":"Pod","metadata":{"name":"a"}}', 400),
        ("application/json", b'{"apiVersion":"v9","metadata":{"name":"a"}}', 400),
        ("application/json", b'{"metadata":{"name":"a","namespace":"other"}}', 400),
        ("application/json", b'{"metadata":{"name":"a","resourceVersion":"4"}}', 400),
        ("application/json", b'{"metadata":{}}', 422),
        ("application/json", b'{"metadata":{"name":"a","labels":{"-":"x"}}}', 422),
        ("application/yaml", b"a: [", 400),
        ("application/yaml", b"1: 2", 400),
        ("application/vnd.kubernetes.protobuf", b"k8s\x00\xff", 400),
        ("application/cbor", b"", 415),
        ("text/plain", b"hello", 415),
    ],
)
async def test_bad_bodies_are_refused(api, content_type, body, code):
    answer = await api.post(MAPS, content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["status"]) == (code, "Failure")


async def test_a_body_that_is_too_large_is_refused(api):
    answer = await api.post(MAPS, content=b" " * (bodies.MAX_BYTES + 1))
    assert (answer.status_code, answer.json()["reason"]) == (413, "RequestEntityTooLarge")


async def test_a_form_that_we_do_not_have_is_refused(api):
    answer = await api.get(MAPS, headers={"Accept": "application/vnd.kubernetes.protobuf"})
    assert (answer.status_code, answer.json()["reason"]) == (406, "NotAcceptable")


async def test_lone_surrogates_and_huge_numbers_are_stored_as_something_sane(api):
    body = b'{"metadata":{"name":"a","annotations":{"k":"\\ud800"}}}'
    made = await api.post(MAPS, content=body, headers={"Content-Type": "application/json"})
    assert made.json()["metadata"]["annotations"] == {"k": "\ufffd"}


async def test_strangers_see_only_whether_the_server_lives():
    app = make_app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api") as stranger:
        assert (await stranger.get("/healthz")).text == "ok"
        refused = (await stranger.get(MAPS)).json()
        assert refused["code"] == 403
        assert refused["message"] == (
            'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" '
            'in the namespace "default"'
        )
        assert (await stranger.get(MAPS, headers={"Authorization": "Bearer wrong"})).status_code == 401
        weak = await stranger.get(MAPS, headers={"Authorization": "Bearer weak"})
        assert (weak.status_code, weak.json()["details"]) == (403, {"kind": "configmaps"})


async def test_acting_as_somebody_else():
    objects = Objects(Store.open(None))
    await furnish(Client(objects))
    api = client_of(make_app(objects))
    account = {"Impersonate-User": "system:serviceaccount:default:bob"}
    review = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    seen = (await api.post(review, json=body, headers=account)).json()["status"]["userInfo"]
    assert seen["username"] == "system:serviceaccount:default:bob"
    assert seen["groups"] == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]
    assert (await api.get(MAPS, headers=account)).status_code == 403
    assert (await api.get(MAPS, headers={**account, "Impersonate-Group": ADMINS})).status_code == 200
    refused = await api.get(MAPS, headers={**account, "Authorization": "Bearer weak"})
    assert refused.status_code == 403
    assert 'cannot impersonate resource "serviceaccounts"' in refused.json()["message"]
    assert (await api.get(MAPS, headers={"Impersonate-Group": ADMINS})).status_code == 400


async def test_a_kind_that_is_written_without_a_name_has_a_usual_one(api):
    operators = "/apis/install.istio.io/v1alpha1/namespaces/default/istiooperators"
    body = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": {"profile": "demo"}}
    assert (await api.post(operators, json=body)).json()["metadata"]["name"] == "installed-state"


async def test_patch_types_are_checked(api):
    await api.post(MAPS, json=config_map("a"))
    for content_type, body, code in [
        ("application/json", "{}", 415),
        ("application/merge-patch+json", "[]", 400),
        ("application/json-patch+json", "{}", 400),
        ("application/json-patch+json", '[{"op":"remove","path":"/none"}]', 422),
        ("application/apply-patch+yaml", "{}", 422),
        ("application/merge-patch+json", '{"metadata":{"resourceVersion":"77"}}', 409),
    ]:
        answer = await api.patch(f"{MAPS}/a", content=body, headers={"Content-Type": content_type})
        assert (answer.status_code, answer.json()["kind"]) == (code, "Status"), content_type


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["metadata", "name", "spec", "status", "labels", "containers", "ports", "env", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON, method=st.sampled_from(["POST", "PUT", "merge", "strategic", "json", "apply"]))
async def test_no_document_makes_the_server_fail(value, method):
    async with client_of(make_app()) as api:
        await api.post(PODS, json=POD)
        body = json.dumps(value)
        if method in ("POST", "PUT"):
            path = PODS if method == "POST" else f"{PODS}/web"
            answer = await api.request(method, path, content=body, headers={"Content-Type": "application/json"})
        else:
            types = {"merge": bodies.MERGE_PATCH, "strategic": bodies.STRATEGIC_PATCH, "json": bodies.JSON_PATCH}
            content_type = types.get(method, bodies.APPLY_PATCH)
            answer = await api.patch(
                f"{PODS}/web?fieldManager=me", content=body, headers={"Content-Type": content_type}
            )
        assert answer.status_code < 500, answer.text
        assert (await api.get(f"{PODS}/web")).status_code == 200
