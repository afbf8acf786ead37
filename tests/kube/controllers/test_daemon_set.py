"""DaemonSets: one pod on the node that they mean."""

from typing import Any

from tests.kube.controllers.world import NODE, World, image, web, world

from semafor.resources.apps import controller_revision, daemon_set
from semafor.resources.core import node, pod

Json = dict[str, Any]


def logs(selector: dict[str, str] | None = None, **spec: Any) -> Json:
    doc = web(1)
    wanted = {key: doc["spec"][key] for key in ("selector", "template")}
    if selector:
        wanted["template"]["spec"]["nodeSelector"] = selector
    meta = {"name": "logs", "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": {**wanted, **spec}}


async def rolled_out(it: World) -> Json:
    """The set, once `kubectl rollout status` would be content."""

    def is_done(found: Json) -> bool:
        status = found.get("status", {})
        counts = [status.get(field) for field in ("updatedNumberScheduled", "numberAvailable")]
        return counts == [1, 1] and status["observedGeneration"] == found["metadata"]["generation"]

    return await it.until(daemon_set.KIND, "logs", is_done)


async def test_the_node_has_one_pod() -> None:
    async with world() as it:
        await it.client.create(daemon_set.KIND, logs())
        status = (await rolled_out(it))["status"]
        assert (status["desiredNumberScheduled"], status["currentNumberScheduled"], status["numberReady"]) == (1, 1, 1)
        (first,) = it.names(pod.KIND)
        await it.client.delete(pod.KIND, "default", first)
        await it.eventually(lambda: it.names(pod.KIND) not in ([first], []))


async def test_a_new_template_replaces_the_pod_and_is_remembered() -> None:
    async with world() as it:
        await it.client.create(daemon_set.KIND, logs())
        await rolled_out(it)
        await it.client.patch(daemon_set.KIND, "default", "logs", image("logs:2"))
        await rolled_out(it)
        (found,) = it.client.list(pod.KIND, "default")
        assert found["spec"]["containers"][0]["image"] == "logs:2"
        assert [each["revision"] for each in it.client.list(controller_revision.KIND)] in ([1, 2], [2, 1])


async def test_only_a_node_that_is_meant_has_the_pod() -> None:
    async with world() as it:
        await it.client.create(daemon_set.KIND, logs({"disk": "fast"}))
        await it.until(
            daemon_set.KIND, "logs", lambda found: found.get("status", {}).get("desiredNumberScheduled") == 0
        )
        await it.client.patch(node.KIND, "", NODE, {"metadata": {"labels": {"disk": "fast"}}})
        await rolled_out(it)
        await it.client.patch(node.KIND, "", NODE, {"metadata": {"labels": {"disk": "slow"}}})
        await it.eventually(lambda: not it.names(pod.KIND))


async def test_a_node_that_takes_no_more_pods_takes_a_daemon() -> None:
    async with world() as it:
        await it.client.patch(node.KIND, "", NODE, {"spec": {"unschedulable": True}})
        await it.client.create(daemon_set.KIND, logs())
        await it.eventually(lambda: it.names(pod.KIND))
