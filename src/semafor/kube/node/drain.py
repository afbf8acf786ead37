"""Waiting, before a deleted pod is signalled, until nobody sends it new requests.

In Kubernetes the kubelet signals while the endpoints are still on their way to the proxies, and requests are lost
between the two. On one machine both ends are here, so the order can be kept.
"""

import asyncio
from contextlib import suppress
from typing import Any

from semafor.kube.node.roles import Api, Hooks
from semafor.resources.discovery import endpoint_slice

Json = dict[str, Any]

LIMIT_S = 5.0  # a proxy that does not answer must not keep a pod alive
SETTLE_S = 0.5  # for requests that are being answered: an app without a handler for SIGTERM drops them


async def wait(api: Api, hooks: Hooks, pod: Json) -> None:
    """Return when the pod's endpoints are out of use, or after LIMIT_S, or at the end of its grace period."""
    grace_s = pod["metadata"].get("deletionGracePeriodSeconds")
    limit_s = LIMIT_S if grace_s is None else min(LIMIT_S, grace_s / 2)
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            if not await _out_of_slices(api, pod):
                return
            await hooks.before_stop(pod)
            await asyncio.sleep(SETTLE_S)


async def _out_of_slices(api: Api, pod: Json) -> bool:
    """Wait until no slice calls the pod ready; false when none knows it, so that nobody can have called it."""
    namespace = pod["metadata"]["namespace"]
    if not _in_slices(api, pod):
        return False
    if _ready_in_slices(api, pod):
        async for _ in api.watch(endpoint_slice.KIND, namespace):
            if not _ready_in_slices(api, pod):
                break
    return True


def _endpoints(api: Api, pod: Json) -> list[Json]:
    slices = api.list(endpoint_slice.KIND, pod["metadata"]["namespace"])
    found = [endpoint for slice_ in slices for endpoint in slice_.get("endpoints") or []]
    return [endpoint for endpoint in found if (endpoint.get("targetRef") or {}).get("uid") == pod["metadata"]["uid"]]


def _in_slices(api: Api, pod: Json) -> bool:
    return bool(_endpoints(api, pod))


def _ready_in_slices(api: Api, pod: Json) -> bool:
    return any((endpoint.get("conditions") or {}).get("ready") is not False for endpoint in _endpoints(api, pod))
