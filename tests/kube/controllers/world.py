"""All controllers over a real API in memory, and a node that makes every pod ready and lets go of deleted ones."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from semafor.kube import store
from semafor.kube.api.client import Client
from semafor.kube.api.node import Usage
from semafor.kube.api.objects import Objects
from semafor.kube.api.options import Admission
from semafor.kube.controllers import controllers
from semafor.resources.apps import deployment
from semafor.resources.core import namespace, node, pod
from semafor.resources.kind import Kind

Json = dict[str, Any]
NODE = "semafor"


class World:
    """The client to play the user with. `ready` decides which pods become ready, `seen` keeps how many there were.

    Pods on their way out are not counted."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.ready: Callable[[Json], bool] = lambda _: True
        self.seen: list[tuple[int, int]] = []  # (pods, ready pods) after each change of a pod
        self.used = 0.0  # processors
        self._addresses = 1

    async def until(self, kind: Kind, name: str, holds: Callable[[Json], Any], space: str = "default") -> Json:
        """The object, as soon as `holds` is true of it."""
        async with asyncio.timeout(15):
            async for change, found in self.client.watch(kind, space):
                if change != "DELETED" and found["metadata"]["name"] == name and holds(found):
                    return found
        raise AssertionError

    async def eventually(self, holds: Callable[[], Any]) -> Any:
        """What `holds` returns, as soon as that is true."""
        async with asyncio.timeout(15):
            while not (result := holds()):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return result

    async def rolled_out(self, name: str = "web") -> Json:
        """The deployment, once `kubectl rollout status` would be content."""
        return await self.until(deployment.KIND, name, _is_done)

    async def measure(self, pods: list[Json]) -> dict[str, dict[str, Usage]]:
        """What the containers use: each pod the same."""
        used = {"app": Usage(cores=self.used, bytes=0, window_s=5)}
        return {each["metadata"]["uid"]: used for each in pods}

    def names(self, kind: Kind, space: str = "default") -> list[str]:
        return [found["metadata"]["name"] for found in self.client.list(kind, space)]

    async def run_node(self) -> None:
        """Play the kubelet."""
        async for change, found in self.client.watch(pod.KIND):
            pods = [each for each in self.client.list(pod.KIND) if "deletionTimestamp" not in each["metadata"]]
            self.seen.append((len(pods), sum(_is_ready(each) for each in pods)))
            meta = found["metadata"]
            if change == "DELETED" or not found["spec"].get("nodeName"):
                continue
            if "deletionTimestamp" in meta:
                where = (meta["namespace"], meta["name"])
                await self.client.delete(pod.KIND, *where, grace_period_s=0, uid=meta["uid"])
            elif not _is_ready(found) and self.ready(found):
                await self.make_ready(found)

    async def make_ready(self, found: Json, **more: Any) -> None:
        self._addresses += 1
        status = {
            "phase": "Running",
            "podIP": f"10.244.0.{self._addresses}",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
            **more,
        }
        meta = found["metadata"]
        await self.client.patch(pod.KIND, meta["namespace"], meta["name"], {"status": status}, subresource="status")


@asynccontextmanager
async def world(*admission: Admission) -> AsyncIterator[World]:
    client = Client(Objects(store.Store.open(None), admission=admission))
    made = World(client)
    for name in ("default", "shop"):
        meta = {"name": name}
        await client.create(namespace.KIND, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    await client.create(node.KIND, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
    tasks = [
        asyncio.create_task(
            controllers.run(
                client, node=NODE, root_certificate="PEM", sign=lambda request, _: request, measure=made.measure
            )
        ),
        asyncio.create_task(made.run_node()),
    ]
    try:
        yield made
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes), outcomes


def web(replicas: int = 2, image: str = "web:1", **spec: Any) -> Json:
    """A Deployment `web`."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": image}]},
            },
            **spec,
        },
    }


def image(name: str) -> Json:
    """A merge patch that gives a deployment's pods another image."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": name}]}}}}


def _is_ready(found: Json) -> bool:
    conditions = (found.get("status") or {}).get("conditions") or []
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def _is_done(found: Json) -> bool:
    """What kubectl rollout status waits for."""
    status, wanted = found.get("status") or {}, found["spec"]["replicas"]
    return (
        status.get("observedGeneration", 0) >= found["metadata"]["generation"]
        and status.get("updatedReplicas", 0) >= wanted
        and status.get("replicas", 0) <= status.get("updatedReplicas", 0)
        and status.get("availableReplicas", 0) >= status.get("updatedReplicas", 0)
    )
