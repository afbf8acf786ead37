"""ReplicaSets, scheduling, endpoints, namespaces and expiry, each from the outside."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.kube.controllers.world import NODE, World, web, world

from semafor.kube.controllers import event_expiry, scheduler
from semafor.resources.apps import replica_set
from semafor.resources.core import config_map, endpoints, event, namespace, node, pod, service, service_account
from semafor.resources.discovery import endpoint_slice

Json = dict[str, Any]


def set_of(replicas: int) -> Json:
    doc = web(replicas)
    return {**doc, "kind": "ReplicaSet", "metadata": {"name": "web", "namespace": "default"}}


def plain(name: str, space: str = "default", **spec: Any) -> Json:
    meta = {"name": name, "namespace": space, "labels": {"app": "web"}}
    spec = {"containers": [{"name": "app", "image": "web"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def web_service(**spec: Any) -> Json:
    spec = {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "web"}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"}, "spec": spec}


async def test_a_set_replaces_a_deleted_pod() -> None:
    async with world() as it:
        await it.client.create(replica_set.KIND, set_of(2))
        await it.until(replica_set.KIND, "web", lambda found: found.get("status", {}).get("readyReplicas") == 2)
        before = it.names(pod.KIND)
        await it.client.delete(pod.KIND, "default", before[0])
        await it.eventually(lambda: len(after := it.names(pod.KIND)) == 2 and after != before)


async def test_a_set_adopts_a_pod_that_matches_and_releases_one_that_no_longer_does() -> None:
    async with world() as it:
        await it.client.create(pod.KIND, plain("orphan"))
        await it.client.create(replica_set.KIND, set_of(1))
        await it.until(replica_set.KIND, "web", lambda found: found.get("status", {}).get("readyReplicas") == 1)
        assert it.names(pod.KIND) == ["orphan"]
        await it.client.patch(pod.KIND, "default", "orphan", {"metadata": {"labels": {"app": "other"}}})
        await it.eventually(lambda: len(it.names(pod.KIND)) == 2)
        released = it.client.get(pod.KIND, "default", "orphan")
        assert released is not None
        assert not released["metadata"].get("ownerReferences")


async def test_a_set_deletes_pods_that_are_not_ready_first() -> None:
    async with world() as it:
        it.ready = lambda found: "sick" not in found["metadata"]["labels"]
        await it.client.create(pod.KIND, plain("good"))
        sick = plain("bad")
        sick["metadata"]["labels"]["sick"] = "yes"
        await it.client.create(pod.KIND, sick)
        await it.until(pod.KIND, "good", lambda found: found["status"].get("phase") == "Running")
        await it.client.create(replica_set.KIND, set_of(1))
        await it.eventually(lambda: it.names(pod.KIND) == ["good"])


def ready_endpoints(it: World) -> dict[str, tuple[bool, ...]]:
    """Pod -> (ready, terminating), over all slices."""
    found = [entry for each in it.client.list(endpoint_slice.KIND, "default") for entry in each.get("endpoints") or []]
    return {
        entry["targetRef"]["name"]: (entry["conditions"]["ready"], entry["conditions"]["terminating"])
        for entry in found
    }


PORTS = [{"name": "web", "containerPort": 8080}]


async def test_endpoints_follow_readiness_and_named_ports() -> None:
    async with world() as it:
        it.ready = lambda _: False
        await it.client.create(service.KIND, web_service())
        made = await it.client.create(
            pod.KIND, plain("one", containers=[{"name": "app", "image": "web", "ports": PORTS}])
        )
        await it.make_ready(made, conditions=[])
        await it.eventually(lambda: ready_endpoints(it) == {"one": (False, False)})
        await it.make_ready(made)
        await it.eventually(lambda: ready_endpoints(it) == {"one": (True, False)})
        (found,) = [each for each in it.client.list(endpoint_slice.KIND, "default") if each.get("endpoints")]
        assert found["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]


async def test_a_leaving_pod_is_out_of_use_before_it_is_gone() -> None:
    async with world() as it:
        await it.client.create(service.KIND, web_service(ports=[{"port": 80}]))
        held = plain("one")
        held["metadata"]["finalizers"] = ["example.org/hold"]
        await it.client.create(pod.KIND, held)
        await it.eventually(lambda: ready_endpoints(it) == {"one": (True, False)})
        await it.client.delete(pod.KIND, "default", "one")
        await it.eventually(lambda: ready_endpoints(it) == {"one": (False, True)})


async def test_a_service_may_publish_what_is_not_ready() -> None:
    async with world() as it:
        it.ready = lambda _: False
        await it.client.create(service.KIND, web_service(clusterIP="None", publishNotReadyAddresses=True))
        made = await it.client.create(pod.KIND, plain("one"))
        await it.make_ready(made, conditions=[])
        await it.eventually(lambda: ready_endpoints(it) == {"one": (True, False)})


async def test_endpoints_objects_have_the_same_addresses() -> None:
    async with world() as it:
        await it.client.create(service.KIND, web_service(ports=[{"port": 80, "targetPort": 8080}]))
        await it.client.create(pod.KIND, plain("one"))
        found = await it.until(endpoints.KIND, "web", lambda found: found.get("subsets"))
        (subset,) = found["subsets"]
        assert [entry["targetRef"]["name"] for entry in subset["addresses"]] == ["one"]
        assert subset["ports"][0]["port"] == 8080
        await it.client.delete(service.KIND, "default", "web")
        await it.eventually(lambda: not it.names(endpoints.KIND) and not it.names(endpoint_slice.KIND))


async def test_a_namespace_gets_its_account_and_certificate_and_gets_them_again() -> None:
    async with world() as it:
        await it.until(service_account.KIND, "default", bool, "shop")
        found = await it.until(config_map.KIND, "kube-root-ca.crt", bool, "shop")
        assert found["data"] == {"ca.crt": "PEM"}
        await it.client.delete(config_map.KIND, "shop", "kube-root-ca.crt")
        await it.until(
            config_map.KIND, "kube-root-ca.crt", lambda again: again["metadata"] != found["metadata"], "shop"
        )


async def test_a_deleted_namespace_is_emptied_first() -> None:
    async with world() as it:
        await it.client.create(pod.KIND, plain("one", "shop"))
        await it.client.delete(namespace.KIND, "", "shop")
        await it.eventually(lambda: it.client.get(namespace.KIND, "", "shop") is None)
        assert (it.names(pod.KIND, "shop"), it.names(config_map.KIND, "shop")) == ([], [])


async def test_a_pod_that_fits_nowhere_says_why_and_runs_when_it_does() -> None:
    async with world() as it:
        await it.client.create(pod.KIND, plain("picky", nodeSelector={"disk": "ssd"}))
        why = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
        await it.eventually(lambda: why in [entry["message"] for entry in it.client.list(event.KIND)])
        await it.client.patch(node.KIND, "", NODE, {"metadata": {"labels": {"disk": "ssd"}}})
        await it.until(pod.KIND, "picky", lambda found: found["status"].get("phase") == "Running")


TAINTED = {"metadata": {"name": NODE}, "spec": {"taints": [{"key": "gpu", "value": "no", "effect": "NoSchedule"}]}}
UNTOLERATED = "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: no}."
FITS: list[tuple[Json, Json, str]] = [
    ({}, {"metadata": {"name": NODE}}, ""),
    ({}, TAINTED, UNTOLERATED),
    ({"tolerations": [{"key": "gpu", "operator": "Exists"}]}, TAINTED, ""),
    ({"tolerations": [{"key": "gpu", "value": "no", "effect": "NoSchedule"}]}, TAINTED, ""),
    (
        {"tolerations": [{"key": "gpu", "value": "yes"}]},
        TAINTED,
        "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: no}.",
    ),
    ({"tolerations": [{"operator": "Exists"}]}, TAINTED, ""),
    (
        {},
        {"metadata": {"name": NODE}, "spec": {"unschedulable": True}},
        "0/1 nodes are available: 1 node(s) were unschedulable.",
    ),
]


@pytest.mark.parametrize(("spec", "place", "why"), FITS)
def test_fit(spec: Json, place: Json, why: str) -> None:
    assert scheduler.unfit({"spec": spec}, place) == why


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("times", "age"),
    [
        ({"lastTimestamp": "2026-11-22T11:00:00Z"}, timedelta(hours=1)),
        ({"eventTime": "2026-11-22T11:30:00.000000Z"}, timedelta(minutes=30)),
        (
            {"series": {"lastObservedTime": "2026-11-22T11:59:00Z"}, "eventTime": "2026-11-22T09:00:00Z"},
            timedelta(minutes=1),
        ),
        ({}, timedelta(hours=2)),
    ],
)
def test_an_event_is_as_old_as_its_last_time(times: Json, age: timedelta) -> None:
    doc = {"metadata": {"creationTimestamp": "2026-11-22T10:00:00Z"}, **times}
    assert NOW - event_expiry.last_seen(doc) == age
