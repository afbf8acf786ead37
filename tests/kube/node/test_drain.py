"""Before a pod is signalled, its endpoints have to be out of use."""

import asyncio
from typing import Any

from semafor.kube import store
from semafor.kube.api.client import Client
from semafor.kube.api.objects import Objects
from semafor.kube.node import drain
from semafor.kube.node.roles import NoHooks
from semafor.resources.discovery import endpoint_slice

Json = dict[str, Any]

POD: Json = {"metadata": {"name": "web", "namespace": "default", "uid": "u1", "deletionGracePeriodSeconds": 30}}


class Hooks(NoHooks):
    """Remembers that the proxies were asked."""

    def __init__(self) -> None:
        self.asked = False

    async def before_stop(self, pod: Json) -> None:
        self.asked = True


def slice_of(uid: str, *, ready: bool) -> Json:
    meta = {"name": "web", "namespace": "default"}
    target = {"kind": "Pod", "name": "web", "namespace": "default", "uid": uid}
    entry = {"addresses": ["10.244.0.7"], "conditions": {"ready": ready}, "targetRef": target}
    kind = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4"}
    return {**kind, "metadata": meta, "endpoints": [entry]}


async def drained(first: Json | None, then: Json | None = None) -> tuple[bool, bool]:
    """Whether it ended within a second, and whether the proxies were asked."""
    client, hooks = Client(Objects(store.Store.open(None))), Hooks()
    if first is not None:
        await client.create(endpoint_slice.KIND, first)
    waiting = asyncio.create_task(drain.wait(client, hooks, POD))
    await asyncio.sleep(0)
    if then is not None:
        await client.update(endpoint_slice.KIND, then)
    done, _ = await asyncio.wait([waiting], timeout=1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    return bool(done), hooks.asked


async def test_a_pod_in_no_slice_needs_no_waiting() -> None:
    assert await drained(None) == (True, False)
    assert await drained(slice_of("another", ready=True)) == (True, False)


async def test_a_ready_endpoint_is_waited_for() -> None:
    assert await drained(slice_of("u1", ready=True)) == (False, False)


async def test_an_endpoint_out_of_use_leads_to_the_proxies() -> None:
    assert await drained(slice_of("u1", ready=True), slice_of("u1", ready=False)) == (True, True)
    assert await drained(slice_of("u1", ready=False)) == (True, True)
