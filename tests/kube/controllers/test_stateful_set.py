"""StatefulSets and their claims, from the outside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.kube.controllers.world import World, image, world

from semafor.kube.controllers import claims, reconcile
from semafor.resources.apps import controller_revision, stateful_set
from semafor.resources.core import persistent_volume, persistent_volume_claim, pod
from semafor.resources.storage import storage_class

Json = dict[str, Any]


def store(replicas: int = 3, **spec: Any) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "serviceName": "db",
            "selector": {"matchLabels": {"app": "db"}},
            "template": {
                "metadata": {"labels": {"app": "db"}},
                "spec": {"containers": [{"name": "app", "image": "db:1"}]},
            },
            **spec,
        },
    }


def ready(number: int) -> Any:
    def holds(found: Json) -> bool:
        status = found.get("status", {})
        counts = (status.get("readyReplicas", 0), status.get("replicas"))
        return counts == (number, number) and status["observedGeneration"] == found["metadata"]["generation"]

    return holds


def revision(found: Json) -> str:
    name: str = found["metadata"]["labels"]["controller-revision-hash"]
    return name


def hashes(it: World) -> list[str]:
    return [revision(each) for each in it.client.list(pod.KIND, "default")]


async def test_pods_have_lasting_names_and_come_one_after_another() -> None:
    async with world() as it:
        it.ready = lambda found: found["metadata"]["name"] == "db-0"
        await it.client.create(stateful_set.KIND, store())
        await it.until(pod.KIND, "db-1", lambda found: found["spec"].get("nodeName"))
        assert it.names(pod.KIND) == ["db-0", "db-1"]
        first = it.client.get(pod.KIND, "default", "db-0")
        assert first is not None
        assert (first["spec"]["hostname"], first["spec"]["subdomain"]) == ("db-0", "db")
        labels = first["metadata"]["labels"]
        assert labels["statefulset.kubernetes.io/pod-name"] == "db-0"
        assert labels["apps.kubernetes.io/pod-index"] == "0"


async def test_in_parallel_no_pod_waits_for_another() -> None:
    async with world() as it:
        it.ready = lambda _: False
        await it.client.create(stateful_set.KIND, store(podManagementPolicy="Parallel", ordinals={"start": 5}))
        await it.eventually(lambda: it.names(pod.KIND) == ["db-5", "db-6", "db-7"])


async def test_a_set_is_made_smaller_from_the_top() -> None:
    async with world() as it:
        await it.client.create(stateful_set.KIND, store())
        await it.until(stateful_set.KIND, "db", ready(3))
        await it.client.patch(stateful_set.KIND, "default", "db", {"spec": {"replicas": 1}})
        await it.until(stateful_set.KIND, "db", ready(1))
        assert it.names(pod.KIND) == ["db-0"]


async def test_an_update_goes_down_to_its_partition_and_back() -> None:
    async with world() as it:
        await it.client.create(stateful_set.KIND, store())
        before = (await it.until(stateful_set.KIND, "db", ready(3)))["status"]["currentRevision"]
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
        change = {"spec": {**image("db:2")["spec"], "updateStrategy": strategy}}
        await it.client.patch(stateful_set.KIND, "default", "db", change)
        found = await it.until(stateful_set.KIND, "db", lambda found: found["status"].get("updatedReplicas") == 2)
        after = found["status"]["updateRevision"]
        await it.eventually(lambda: hashes(it) == [before, after, after])
        await it.client.delete(pod.KIND, "default", "db-0")
        await it.eventually(lambda: hashes(it) == [before, after, after])
        await it.client.patch(stateful_set.KIND, "default", "db", image("db:1"))
        await it.eventually(lambda: hashes(it) == [before] * 3)
        numbers = [each["revision"] for each in it.client.list(controller_revision.KIND)]
        assert sorted(numbers) == [2, 3]


async def test_on_delete_replaces_nothing_by_itself() -> None:
    async with world() as it:
        await it.client.create(stateful_set.KIND, store(1, updateStrategy={"type": "OnDelete"}))
        await it.until(stateful_set.KIND, "db", ready(1))
        before = hashes(it)
        await it.client.patch(stateful_set.KIND, "default", "db", image("db:2"))
        found = await it.until(stateful_set.KIND, "db", lambda found: found["status"]["updateRevision"] != before[0])
        assert hashes(it) == before
        await it.client.delete(pod.KIND, "default", "db-0")
        await it.eventually(lambda: hashes(it) == [found["status"]["updateRevision"]])


CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": claims.PROVISIONER,
}
ASKED = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


def claim(name: str = "data", **spec: Any) -> Json:
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": {**ASKED, **spec}}


@asynccontextmanager
async def stored(folder: Path) -> AsyncIterator[World]:
    """The same world with storage."""
    async with world() as it:
        await it.client.create(storage_class.KIND, CLASS)
        task = asyncio.create_task(reconcile.run(claims.Claims(it.client, folder), it.client))
        yield it
        task.cancel()


async def test_each_pod_has_a_claim_of_its_own_that_outlives_it(tmp_path: Path) -> None:
    async with stored(tmp_path / "volumes") as it:
        template = {"metadata": {"name": "data"}, "spec": ASKED}
        wanted = store(2, volumeClaimTemplates=[template])
        (container,) = wanted["spec"]["template"]["spec"]["containers"]
        container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        await it.client.create(stateful_set.KIND, wanted)
        await it.until(stateful_set.KIND, "db", ready(2))
        await it.client.patch(stateful_set.KIND, "default", "db", {"spec": {"replicas": 0}})
        await it.until(stateful_set.KIND, "db", ready(0))
        assert it.names(persistent_volume_claim.KIND) == ["data-db-0", "data-db-1"]
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "volumes").iterdir()} == {0o777}
        assert (tmp_path / "volumes").stat().st_mode & 0o777 == 0o700


def folders(where: Path) -> int:
    return len(list(where.iterdir()))


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
async def test_a_folder_goes_with_its_claim_unless_it_is_retained(tmp_path: Path, policy: str) -> None:
    async with stored(tmp_path) as it:
        await it.client.create(storage_class.KIND, {**CLASS, "metadata": {"name": "own"}, "reclaimPolicy": policy})
        await it.client.create(persistent_volume_claim.KIND, claim(storageClassName="own"))
        found = await it.until(persistent_volume_claim.KIND, "data", lambda each: each["status"]["phase"] == "Bound")
        assert found["status"]["capacity"] == {"storage": "1Gi"}
        await it.client.delete(persistent_volume_claim.KIND, "default", "data")
        await it.eventually(lambda: not it.names(persistent_volume_claim.KIND))
        if policy == "Retain":
            await it.eventually(lambda: it.client.list(persistent_volume.KIND)[0]["status"]["phase"] == "Released")
        else:
            await it.eventually(lambda: not it.client.list(persistent_volume.KIND))
        assert folders(tmp_path) == (policy == "Retain")


async def test_a_claim_that_a_pod_mounts_stays_until_the_pod_is_gone(tmp_path: Path) -> None:
    async with stored(tmp_path) as it:
        volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
        spec = {"containers": [{"name": "app", "image": "db"}], "volumes": volumes}
        meta = {"name": "one", "namespace": "default"}
        await it.client.create(pod.KIND, {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
        await it.until(pod.KIND, "one", lambda each: "not found" in str(each.get("status")))
        await it.client.create(persistent_volume_claim.KIND, claim())
        await it.until(pod.KIND, "one", lambda each: each["spec"].get("nodeName"))
        await it.client.delete(persistent_volume_claim.KIND, "default", "data")
        assert it.names(persistent_volume_claim.KIND) == ["data"]
        await it.client.delete(pod.KIND, "default", "one")
        await it.eventually(lambda: not it.names(persistent_volume_claim.KIND))


def volume(name: str, storage: str, **spec: Any) -> Json:
    own = {"capacity": {"storage": storage}, "accessModes": ["ReadWriteOnce"], **spec}
    return {"metadata": {"name": name}, "spec": own}


@pytest.mark.parametrize(
    ("volumes", "chosen"),
    [
        ([volume("small", "500Mi"), volume("large", "9Gi"), volume("right", "2Gi")], "right"),
        ([volume("classed", "2Gi", storageClassName="fast")], None),
        ([volume("taken", "2Gi", claimRef={"namespace": "shop", "name": "data", "uid": "u"})], None),
        ([volume("a", "2Gi"), volume("kept", "3Gi", claimRef={"namespace": "default", "name": "data"})], "kept"),
        ([volume("read", "2Gi", accessModes=["ReadOnlyMany"])], None),
    ],
)
def test_a_claim_gets_the_smallest_volume_that_fits(volumes: list[Json], chosen: str | None) -> None:
    wanted = claim()
    wanted["metadata"]["uid"] = "mine"
    found = claims.fitting(wanted, volumes)
    assert (found and found["metadata"]["name"]) == chosen
