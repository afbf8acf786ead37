"""The rules of writes that need no HTTP: competing writers, hooks, events, deletion."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from semafor.kube.api import deletion
from semafor.kube.api.call import DeleteOptions
from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.kube.api.objects import Objects
from semafor.kube.api.options import Admission, AdmissionRequest, Admitted
from semafor.kube.store import Store
from semafor.resources.registry import by_plural

MAPS = by_plural("", "configmaps")
EVENTS = by_plural("", "events")
PODS = by_plural("", "pods")
SERVICES = by_plural("", "services")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


def client(*admission: Admission, store: Store | None = None) -> Client:
    return Client(Objects(store or Store.open(None), admission=admission, now=lambda: NOW))


class Slow:
    """A hook that takes a while, so that others write in between."""

    async def admit(self, request: AdmissionRequest) -> Admitted:
        await asyncio.sleep(0)
        return Admitted(request.new or {})


class Marker:
    """A hook that adds a label, refuses some names, and warns."""

    async def admit(self, request: AdmissionRequest) -> Admitted:
        if request.name == "refused":
            raise StatusError(403, "Forbidden", "not here")
        assert request.new is not None
        meta = request.new["metadata"]
        return Admitted({**request.new, "metadata": {**meta, "labels": {"seen": request.operation}}}, ("hello",))


async def test_no_change_of_two_patching_at_once_is_lost(tmp_path: Path):
    store = Store.open(tmp_path / "s.db")
    one = client(Slow(), store=store)
    await one.create(MAPS, config_map("a"))
    patches = [one.patch(MAPS, "default", "a", {"data": {f"k{n}": "v"}}) for n in range(6)]
    await asyncio.gather(*patches)
    found = one.get(MAPS, "default", "a")
    assert found is not None
    assert sorted(found["data"]) == [f"k{n}" for n in range(6)]
    await store.close()


async def test_services_made_at_once_get_different_addresses(tmp_path: Path):
    store = Store.open(tmp_path / "s.db")
    one = client(Slow(), store=store)
    docs = [
        {"metadata": {"name": f"s{n}", "namespace": "default"}, "spec": {"ports": [{"port": 80}]}} for n in range(20)
    ]
    made = await asyncio.gather(*(one.create(SERVICES, doc) for doc in docs))
    assert len({service["spec"]["clusterIP"] for service in made}) == 20
    await store.close()


async def test_hooks_change_and_refuse_writes():
    one = client(Marker())
    made = await one.create(MAPS, config_map("a"))
    assert made["metadata"]["labels"] == {"seen": "CREATE"}
    with pytest.raises(StatusError, match="not here"):
        await one.create(MAPS, config_map("refused"))


async def test_a_patch_that_changes_nothing_writes_nothing():
    one = client()
    made = await one.create(MAPS, config_map("a", k="v"))
    assert await one.patch(MAPS, "default", "a", {"data": {"k": "v"}}) is made


async def test_an_update_with_an_old_version_is_a_conflict():
    one = client()
    old = await one.create(MAPS, config_map("a"))
    await one.patch(MAPS, "default", "a", {"data": {"k": "v"}})
    with pytest.raises(StatusError) as caught:
        await one.update(MAPS, {**old, "data": {"k": "w"}})
    assert caught.value.reason == "Conflict"


async def test_repeated_events_are_counted():
    one = client()
    involved = await one.create(MAPS, config_map("a"))
    for _ in range(3):
        await one.event(involved, "Normal", "Seen", "again", source="me")
    await one.event(involved, "Normal", "Seen", "something else", source="me")
    found = one.list(EVENTS, "default")
    assert sorted((event["count"], event["message"]) for event in found) == [(1, "something else"), (3, "again")]


async def test_an_event_about_an_object_in_no_namespace_is_dropped():
    one = client()
    await one.event({"kind": "Pod", "metadata": {"name": "a", "namespace": "gone"}}, "Normal", "R", "m", source="me")
    assert one.list(EVENTS) == []


async def test_a_write_to_a_full_disk_is_refused_and_nothing_breaks(tmp_path: Path):
    store = Store.open(tmp_path / "s.db")
    one = client(store=store)
    assert store._disk is not None
    store._disk._connection.execute("PRAGMA query_only=ON")
    with pytest.raises(StatusError) as caught:
        await one.create(MAPS, config_map("a"))
    assert caught.value.code == 503
    store._disk._connection.execute("PRAGMA query_only=OFF")
    await one.create(MAPS, config_map("a"))
    await store.close()


def pod(**meta: Any) -> dict[str, Any]:
    spec = {"nodeName": "here", "terminationGracePeriodSeconds": 20}
    own = {"name": "a", "namespace": "default", "uid": "u", "resourceVersion": "1"}
    return {"metadata": {**own, **meta}, "spec": spec, "status": {"phase": "Running"}}


MARKED = {"deletionTimestamp": "2026-01-01T00:00:20Z", "deletionGracePeriodSeconds": 20}
DELETIONS = [
    ("a running pod gets its grace", pod(), DeleteOptions(), MARKED, False),
    ("which the client may shorten", pod(), DeleteOptions(grace_period_s=0), {}, True),
    ("a second time changes nothing", pod(**MARKED), DeleteOptions(), MARKED, False),
    (
        "a second time may shorten",
        pod(**MARKED),
        DeleteOptions(grace_period_s=5),
        {"deletionTimestamp": "2026-01-01T00:00:05Z", "deletionGracePeriodSeconds": 5},
        False,
    ),
    ("but never lengthen", pod(**MARKED), DeleteOptions(grace_period_s=90), MARKED, False),
    ("the kubelet ends it", pod(**MARKED), DeleteOptions(grace_period_s=0), None, True),
    (
        "a finalizer holds it",
        pod(finalizers=["x/y"]),
        DeleteOptions(grace_period_s=0),
        {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0},
        False,
    ),
]


@pytest.mark.parametrize(("name", "old", "options", "marks", "remove"), DELETIONS, ids=[case[0] for case in DELETIONS])
def test_deletion_marks_or_removes(name, old, options, marks, remove):
    verdict = deletion.decide(PODS, old, options, NOW)
    shown = {key: value for key, value in verdict.obj["metadata"].items() if key.startswith("deletion")}
    assert verdict.remove is remove
    assert marks is None or shown == marks


@pytest.mark.parametrize(
    ("policy", "finalizers"), [("Foreground", ["foregroundDeletion"]), ("Orphan", ["orphan"]), ("Background", None)]
)
def test_the_propagation_policy_becomes_a_finalizer(policy, finalizers):
    old = {"metadata": {"name": "a", "uid": "u", "resourceVersion": "1"}}
    verdict = deletion.decide(MAPS, old, DeleteOptions(propagation=policy), NOW)
    assert verdict.obj["metadata"].get("finalizers") == finalizers
    assert verdict.remove is (finalizers is None)
