"""Keeps a workload for each Gateway. `workloads` says what that is; the Gateway owns it, so both go together."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from semafor.app.gateway_api import workloads
from semafor.app.gateway_api.workloads import Made
from semafor.app.objects import Client
from semafor.app.pipeline import Pipeline
from semafor.base.status_error import StatusError
from semafor.planner.gateway_api import listeners, route
from semafor.planner.gateway_api.listeners import GatewayState
from semafor.resources.apps import deployment
from semafor.resources.core import service, service_account
from semafor.resources.gateway_api import gateway as k8s_gateway
from semafor.resources.kind import Kind

Doc = dict[str, Any]
log = logging.getLogger(__name__)

_KINDS: tuple[Kind, ...] = (service_account.KIND, deployment.KIND, service.KIND)
_EXTERNAL = ("externalTrafficPolicy", "allocateLoadBalancerNodePorts", "healthCheckNodePort")  # not of a ClusterIP
_QUIET_S = 0.01  # changes that come together are acted on together
_PAUSE_S = 1.0  # before a write that failed is tried again


class Controller:
    """Compares what there is with what the Gateways need, whenever one of the two has changed."""

    def __init__(self, pipeline: Pipeline, client: Client) -> None:
        self._pipeline = pipeline
        self._client = client
        self._changed = asyncio.Event()
        self._acted_on: object = None  # the Gateways that were acted on last

    async def run(self) -> None:
        """Watch and act, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for kind in _KINDS:
                tasks.create_task(self._watch(kind), name=f"gateways' {kind.plural}")
            tasks.create_task(self._follow_gateways(), name="gateways' mesh")
            tasks.create_task(self._act_forever(), name="gateways")

    async def _watch(self, kind: Kind) -> None:
        async for _, obj in self._client.watch(kind):
            if workloads.MANAGED_LABEL in (obj["metadata"].get("labels") or {}):
                self._acted_on = None
                self._changed.set()
                if kind is service.KIND:
                    self._pipeline.feedback.tell()  # its address is the Gateway's

    async def _follow_gateways(self) -> None:
        while True:
            if listeners.states(self._pipeline.mesh) is not self._acted_on:
                self._changed.set()
            await self._pipeline.feedback.news()

    async def _act_forever(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(_QUIET_S)
            self._changed.clear()
            if not await self._act():
                await asyncio.sleep(_PAUSE_S)
                self._acted_on = None
                self._changed.set()

    async def _act(self) -> bool:
        """Make and remove what has to be; whether all of it could be done."""
        states = listeners.states(self._pipeline.mesh)
        self._acted_on = states
        kept: set[tuple[str, str, str]] = set()
        done = True
        for state in states.values():
            needed = tuple(self._needed(state))
            kept |= {
                (each.kind.kind, state.gateway.ref.namespace, each.document["metadata"]["name"]) for each in needed
            }
            try:
                for made in needed:
                    await self._apply(made)
            except StatusError as error:
                log.warning("the workload of %s could not be made: %s", state.gateway.ref, error)
                done = False
        await self._remove_all_but(kept)
        return done

    def _needed(self, state: GatewayState) -> Iterable[Made]:
        ref = state.gateway.ref
        stored = self._client.get(k8s_gateway.KIND, ref.namespace, ref.name)
        if stored is None or stored["metadata"].get("deletionTimestamp") or not workloads.is_wanted(state):
            return ()
        return workloads.of(state, stored["metadata"]["uid"])

    async def _apply(self, made: Made) -> None:
        meta = made.document["metadata"]
        old = self._client.get(made.kind, meta["namespace"], meta["name"])
        if old is None:
            await self._client.create(made.kind, made.document)
        elif _owners(old) & _owners(made.document):
            patch = _difference(old, made.document)
            if not _has(old, patch):
                await self._client.patch(made.kind, meta["namespace"], meta["name"], patch)
        else:
            log.warning("%s %s/%s is not the Gateway's", made.kind.kind, meta["namespace"], meta["name"])

    async def _remove_all_but(self, kept: set[tuple[str, str, str]]) -> None:
        """What belongs to a Gateway that needs it no more; the owner's end is the garbage collector's work."""
        for kind in _KINDS:
            for obj in self._client.list(kind, labels={workloads.MANAGED_LABEL: workloads.MANAGER}):
                namespace, name = obj["metadata"]["namespace"], obj["metadata"]["name"]
                if (kind.kind, namespace, name) not in kept and self._is_planned(obj):
                    await self._client.delete(kind, namespace, name)

    def _is_planned(self, obj: Doc) -> bool:
        """Whether the Gateway that owns the object is in the mesh as it is stored now."""
        for owner in obj["metadata"].get("ownerReferences") or ():
            namespace = obj["metadata"]["namespace"]
            stored = self._client.get(k8s_gateway.KIND, namespace, owner["name"])
            ref = route.reference("Gateway", namespace, owner["name"])
            planned = self._pipeline.planned_generation(ref)
            return stored is not None and planned == stored["metadata"].get("generation")
        return False


def _owners(obj: Doc) -> set[str]:
    return {owner["uid"] for owner in obj["metadata"].get("ownerReferences") or ()}


def _difference(old: Doc, new: Doc) -> Doc:
    """A merge patch from the one to the other. Replicas are the user's to change, and so is what others wrote."""
    labels = dict.fromkeys((old["metadata"].get("labels") or {}).keys() - new["metadata"]["labels"].keys())
    patch: Doc = {"metadata": {"labels": {**labels, **new["metadata"]["labels"]}}}
    patch["metadata"]["annotations"] = new["metadata"]["annotations"]
    if "spec" in new:
        patch["spec"] = {key: value for key, value in new["spec"].items() if key != "replicas"}
        without = ["loadBalancerIP"] + (list(_EXTERNAL) if new["spec"].get("type") == "ClusterIP" else [])
        patch["spec"] |= {key: None for key in without if key in old.get("spec", {}) and key not in new["spec"]}
    return patch


def _has(old: Any, patch: Any) -> bool:
    """Whether a document is as the patch wants it. What the API filled in beside that does not count."""
    if isinstance(patch, dict):
        return isinstance(old, dict) and all(
            key not in old if value is None else _has(old.get(key, {} if value == {} else None), value)
            for key, value in patch.items()
        )
    if isinstance(patch, list):
        return isinstance(old, list) and len(old) == len(patch) and all(map(_has, old, patch))
    return bool(old == patch)
