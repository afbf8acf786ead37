"""Deployments from the outside: what `kubectl rollout` sees."""

from typing import Any

from tests.kube.controllers.world import World, image, web, world

from semafor.kube.api import errors
from semafor.kube.api.options import AdmissionRequest, Admitted
from semafor.resources.apps import deployment, replica_set
from semafor.resources.core import event, pod

Json = dict[str, Any]


def condition(found: Json, kind: str) -> tuple[str, str]:
    entry = next(entry for entry in found["status"]["conditions"] if entry["type"] == kind)
    return entry["status"], entry["reason"]


async def test_a_deployment_becomes_available_and_says_so() -> None:
    async with world() as it:
        await it.client.create(deployment.KIND, web())
        found = await it.rolled_out()
        counts = {key: value for key, value in found["status"].items() if key != "conditions"}
        expected = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 2)
        assert counts == {**expected, "observedGeneration": 1}
        assert condition(found, "Available") == ("True", "MinimumReplicasAvailable")
        done = await it.until(
            deployment.KIND, "web", lambda found: condition(found, "Progressing")[1] == "NewReplicaSetAvailable"
        )
        (made,) = it.client.list(replica_set.KIND)
        messages = [entry["message"] for entry in done["status"]["conditions"] if entry["type"] == "Progressing"]
        assert messages == [f'ReplicaSet "{made["metadata"]["name"]}" has successfully progressed.']


async def test_a_rolling_update_never_has_fewer_ready_or_more_pods_than_allowed() -> None:
    async with world() as it:
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        await it.client.create(deployment.KIND, web(4, strategy=strategy))
        await it.rolled_out()
        it.seen.clear()
        await it.client.patch(deployment.KIND, "default", "web", image("web:2"))
        await it.rolled_out()
        images = {entry["spec"]["containers"][0]["image"] for entry in it.client.list(pod.KIND, "default")}
        assert images == {"web:2"}
        assert (min(ready for _, ready in it.seen), max(count for count, _ in it.seen)) == (4, 5)


async def test_recreate_waits_until_the_last_old_pod_is_gone() -> None:
    async with world() as it:
        await it.client.create(deployment.KIND, web(3, strategy={"type": "Recreate"}))
        await it.rolled_out()
        it.seen.clear()
        await it.client.patch(deployment.KIND, "default", "web", image("web:2"))
        await it.rolled_out()
        assert max(count for count, _ in it.seen) == 3
        assert min(count for count, _ in it.seen) == 0


async def test_history_can_be_read_and_undone() -> None:
    async with world() as it:
        await it.client.create(deployment.KIND, web())
        await it.rolled_out()
        for name in ("web:2", "web:1"):
            await it.client.patch(deployment.KIND, "default", "web", image(name))
            found = await it.rolled_out()
        revision = "deployment.kubernetes.io/revision"
        history = {
            entry["spec"]["template"]["spec"]["containers"][0]["image"]: entry["metadata"]["annotations"][revision]
            for entry in it.client.list(replica_set.KIND)
        }
        assert history == {"web:2": "2", "web:1": "3"}
        assert found["metadata"]["annotations"][revision] == "3"


async def test_only_so_much_history_is_kept() -> None:
    async with world() as it:
        await it.client.create(deployment.KIND, web(1, revisionHistoryLimit=1))
        for number in (2, 3, 4):
            await it.rolled_out()
            await it.client.patch(deployment.KIND, "default", "web", image(f"web:{number}"))
        await it.rolled_out()
        await it.eventually(lambda: len(it.client.list(replica_set.KIND)) == 2)


async def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    async with world() as it:
        await it.client.create(deployment.KIND, web())
        await it.rolled_out()
        await it.client.patch(deployment.KIND, "default", "web", {"spec": {"paused": True, **image("web:2")["spec"]}})
        await it.client.patch(deployment.KIND, "default", "web", {"spec": {"replicas": 3}})
        await it.eventually(lambda: len(it.client.list(pod.KIND, "default")) == 3)
        images = {entry["spec"]["containers"][0]["image"] for entry in it.client.list(pod.KIND, "default")}
        assert images == {"web:1"}
        await it.client.patch(deployment.KIND, "default", "web", {"spec": {"paused": False}})
        await it.rolled_out()


async def test_counts_that_fall_to_zero_leave_the_status() -> None:
    async with world() as it:
        await it.client.create(deployment.KIND, web())
        await it.rolled_out()
        await it.client.patch(deployment.KIND, "default", "web", {"spec": {"replicas": 0}})
        found = await it.until(
            deployment.KIND, "web", lambda found: found["status"]["observedGeneration"] == 2 and done(found)
        )
        assert {key for key in found["status"] if key.endswith("eplicas")} == set()


def done(found: Json) -> bool:
    return "replicas" not in found["status"]


async def test_progress_that_stops_is_said_after_the_deadline() -> None:
    async with world() as it:
        it.ready = lambda _: False
        await it.client.create(deployment.KIND, web(progressDeadlineSeconds=1))
        found = await it.until(
            deployment.KIND,
            "web",
            lambda found: found.get("status", {}).get("conditions") and condition(found, "Progressing")[0] == "False",
        )
        assert condition(found, "Progressing") == ("False", "ProgressDeadlineExceeded")
        assert condition(found, "Available") == ("False", "MinimumReplicasUnavailable")


class NoPods:
    """An admission hook that refuses every pod."""

    async def admit(self, request: AdmissionRequest) -> Admitted:
        if request.kind is pod.KIND:
            raise errors.forbidden(pod.KIND, "web", "quota exceeded")
        return Admitted(request.new or {})


async def test_pods_that_cannot_be_made_are_told() -> None:
    async with world(NoPods()) as it:
        await it.client.create(deployment.KIND, web())
        found = await it.until(deployment.KIND, "web", has_failed)
        assert condition(found, "ReplicaFailure") == ("True", "FailedCreate")
        events = {entry["reason"]: entry["message"] for entry in it.client.list(event.KIND, "default")}
        assert events["FailedCreate"] == 'Error creating: pods "web" is forbidden: quota exceeded'


def has_failed(found: Json) -> bool:
    conditions = (found.get("status") or {}).get("conditions") or []
    return any(entry["type"] == "ReplicaFailure" for entry in conditions)


async def test_scaling_is_told_in_kubernetes_words() -> None:
    async with world() as it:
        await it.client.create(deployment.KIND, web())
        await it.rolled_out()
        await it.client.patch(deployment.KIND, "default", "web", {"spec": {"replicas": 1}})
        (name,) = it.names(replica_set.KIND)
        down = f"Scaled down replica set {name} from 2 to 1"
        await it.eventually(lambda: down in [entry["message"] for entry in it.client.list(event.KIND, "default")])
        messages = {entry["message"] for entry in it.client.list(event.KIND, "default")}
        assert f"Scaled up replica set {name} from 0 to 2" in messages


async def test_deleting_a_deployment_takes_its_sets_and_pods_along() -> None:
    async with world() as it:
        await it.client.create(deployment.KIND, web())
        await it.rolled_out()
        await it.client.delete(deployment.KIND, "default", "web")
        await it.eventually(lambda: not it.names(replica_set.KIND) and not it.names(pod.KIND))


async def test_an_orphaned_deletion_leaves_the_pods_running() -> None:
    async with world() as it:
        await it.client.create(deployment.KIND, web())
        await it.rolled_out()
        await it.client.delete(deployment.KIND, "default", "web", propagation="Orphan")
        await it.eventually(lambda: not it.names(deployment.KIND))
        assert await orphans(it)


async def orphans(it: World) -> bool:
    (found,) = await it.eventually(lambda: [r for r in it.client.list(replica_set.KIND) if not owners(r)])
    return len(it.names(pod.KIND)) == 2 and not owners(found)


def owners(found: Json) -> list[Json]:
    return found["metadata"].get("ownerReferences") or []


async def test_a_foreground_deletion_waits_for_the_pods() -> None:
    async with world() as it:
        await it.client.create(deployment.KIND, web())
        await it.rolled_out()
        await it.client.delete(deployment.KIND, "default", "web", propagation="Foreground")
        await it.eventually(lambda: not it.names(deployment.KIND))
        assert (it.names(replica_set.KIND), it.names(pod.KIND)) == ([], [])
