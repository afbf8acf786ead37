"""Objects in, pushed configuration out.

watches ─▶ inbox ─5 ms of quiet─▶ Mesh.replace ─▶ configure(mesh, proxy) for every proxy ─▶ xds.push
                                       └─▶ problems, and who has what ─▶ statuses
"""

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import yaml

from semafor import ir, planner, resources
from semafor.app import identities, mesh_config, proxies
from semafor.app.blame import objects
from semafor.app.liveness import Liveness
from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Document
from semafor.base.xds import Resources
from semafor.envoy.render import Renderer
from semafor.kube.api.client import Client
from semafor.planner import Mesh, Proxy
from semafor.planner.memo import Memo
from semafor.resources.core import config_map, pod, service
from semafor.resources.discovery import endpoint_slice
from semafor.resources.istio import destination_rule, virtual_service
from semafor.resources.kind import Kind
from semafor.xds import server, session

Doc = dict[str, Any]
log = logging.getLogger(__name__)

# What plans are made of. Objects of RULES get a status; the others only have an effect.
RULES: tuple[Kind, ...] = (virtual_service.KIND, destination_rule.KIND)
KINDS: tuple[Kind, ...] = (service.KIND, endpoint_slice.KIND, pod.KIND, *RULES)
_QUIET_S = 0.005  # changes that come together are planned together
_LONGEST_S = 0.05  # but a steady stream of changes does not put planning off


def configure(renderer: Renderer, mesh: Mesh, proxy: Proxy) -> tuple[Resources, ir.Plan, tuple[Problem, ...]]:
    """The control plane: what one proxy is to be told, and what is wrong with what it is told."""
    plan, problems = planner.plan(mesh, proxy)
    return renderer.render(plan), plan, problems


class Refusal(NamedTuple):
    """An Envoy's word on resources that it did not take."""

    generation: int
    message: str
    objects: frozenset[ObjectRef]


class Pipeline:
    """Keeps every connected proxy's configuration what the objects say. Implements xds.server.Observer."""

    def __init__(
        self, client: Client, renderer: Renderer, identities_: identities.Identities, tokens: proxies.ProxyTokens
    ) -> None:
        self.mesh = Mesh()
        self.liveness = Liveness()
        self.told = asyncio.Event()  # set whenever a status may have changed
        self._heard = asyncio.Event()  # the same, for those who wait; replaced each time
        self._client = client
        self._renderer = renderer
        self._identities = identities_
        self._tokens = tokens
        self._server: server.Server | None = None
        self._generation = 0
        self._proxies: dict[str, Proxy] = {}
        self._plans: dict[str, ir.Plan] = {}
        self._problems: dict[str, tuple[Problem, ...]] = {}
        self._refusals: dict[tuple[str, str, str], Refusal] = {}  # proxy, type, name
        self._inbox: dict[ObjectRef, Document | None] = {}
        self._specs: dict[ObjectRef, Any] = {}
        self._numbers: dict[ObjectRef, int] = {}  # metadata.generation of what is in the mesh
        self._routers: set[str] = set()  # gateways: they stand ready, and are told nothing yet
        self._arrived = asyncio.Event()

    def serve(self, server_: server.Server) -> None:
        """Push through this server from now on."""
        self._server = server_

    async def run(self, node_proxy: Proxy) -> None:
        """Watch and plan, for ever. `node_proxy` is the node's own Envoy."""
        self._proxies[node_proxy.id] = node_proxy
        async with asyncio.TaskGroup() as tasks:
            for kind in KINDS:
                tasks.create_task(self._watch(kind), name=f"pipeline {kind.plural}")
            tasks.create_task(self._watch_options(), name="pipeline options")
            tasks.create_task(self._plan_forever(), name="pipeline")
            tasks.create_task(self._renew_forever(), name="certificates")

    # --- what comes in -------------------------------------------------------------------------------------------

    async def _watch(self, kind: Kind) -> None:
        async for change, obj in self._client.watch(kind):
            self._take(kind, obj, gone=change == "DELETED")

    def _take(self, kind: Kind, obj: Doc, *, gone: bool) -> None:
        metadata = obj["metadata"]
        ref = ObjectRef(kind=kind.kind, namespace=metadata["namespace"], name=metadata["name"], group=kind.group)
        if kind is pod.KIND:
            self._take_pod(obj, gone=gone)
        essence = None if gone else _essence(obj)
        if self._specs.get(ref) == essence:
            return  # only its status changed, which is our own doing
        if gone:
            del self._specs[ref]
        else:
            self._specs[ref] = essence
            self._numbers[ref] = metadata.get("generation", 0)
        try:
            self._inbox[ref] = None if gone else resources.decode(kind, obj)
        except resources.DecodeError as error:
            log.warning("%s is passed over: %s", ref, error)
            self._inbox[ref] = None
        self._arrived.set()

    def _take_pod(self, obj: Doc, *, gone: bool) -> None:
        uid = obj["metadata"]["uid"]
        if gone:
            self._forget(uid)
            return
        if proxies.role(obj) == "router" and uid not in self._routers and self._server is not None:
            self._routers.add(uid)
            self._server.push(uid, Resources({}), 1)
        found = proxies.proxy(obj)
        if found is not None and self._proxies.get(uid) != found:
            self._proxies[uid] = found
            self._arrived.set()

    def _forget(self, uid: str) -> None:
        self._proxies.pop(uid, None)
        self._routers.discard(uid)
        self._plans.pop(uid, None)
        self._problems.pop(uid, None)
        self._identities.forget(uid)
        self._tokens.revoke(uid)
        self.liveness.left(uid)
        self._drop_refusals(uid)
        if self._server is not None:
            self._server.forget(uid)

    async def _watch_options(self) -> None:
        async for _, obj in self._client.watch(config_map.KIND, mesh_config.NAMESPACE):
            if obj["metadata"]["name"] == mesh_config.NAME:
                self._take_options(obj)

    def _take_options(self, obj: Doc) -> None:
        try:
            options, problems = mesh_config.read(yaml.safe_load((obj.get("data") or {}).get("mesh", "")) or {})
        except (yaml.YAMLError, mesh_config.Unusable) as error:
            log.warning("the mesh configuration is left as it was: %s", error)
            return
        for problem in problems:
            log.warning("%s", problem)
        if options != self.mesh.options:
            self.mesh = dataclasses.replace(self.mesh, options=options, memo=Memo())
            self._arrived.set()

    # --- what goes out -------------------------------------------------------------------------------------------

    async def _plan_forever(self) -> None:
        while True:
            await self._arrived.wait()
            await self._quiet()
            self._replan()

    async def _quiet(self) -> None:
        """Return when nothing has come for a moment, or when waiting has gone on for long enough."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _LONGEST_S
        while self._arrived.is_set() and loop.time() < deadline:
            self._arrived.clear()
            await asyncio.sleep(_QUIET_S)
        self._arrived.clear()

    def _replan(self) -> None:
        inbox, self._inbox = self._inbox, {}
        put = [document for document in inbox.values() if document is not None]
        drop = [ref for ref, document in inbox.items() if document is None]
        self.mesh = self.mesh.replace(put, drop)
        self._generation += 1
        self.liveness.changed((ref for ref, document in inbox.items() if document and _is_rule(ref)), self._generation)
        self.liveness.removed(drop)
        for proxy in self._proxies.values():
            self._push(proxy)
        self._tell()

    def _push(self, proxy: Proxy) -> None:
        """Plan and push for one proxy. A fault of ours leaves it with what it has, and the others untouched."""
        assert self._server is not None
        try:
            rendered, plan, problems = configure(self._renderer, self.mesh, proxy)
        except Exception:
            log.exception("the configuration of %s could not be made; it keeps the last one", proxy.id)
            return
        self._plans[proxy.id], self._problems[proxy.id] = plan, problems
        for workload in proxy.workloads[:1]:
            own = self._identities.of(proxy.id, workload.namespace, workload.service_account)
            rendered = rendered.joined(own)
        self._server.push(proxy.id, rendered, self._generation)

    async def _renew_forever(self) -> None:
        """Push again whenever a certificate has come to the middle of its life."""
        while True:
            due = self._identities.next_renewal()
            now = identities.utc_now()
            if due is not None and due <= now:
                for proxy in list(self._proxies.values()):
                    self._push(proxy)
            await asyncio.sleep(_RENEWAL_CHECK_S)

    # --- what the proxies say ------------------------------------------------------------------------------------

    def connected(self, proxy: str, node_id: str) -> None:
        log.info("proxy %s (%s) is connected", proxy, node_id)
        if proxy in self._proxies and proxy != proxies.NODE:
            self.liveness.joined(proxy)
            self._tell()

    def disconnected(self, proxy: str) -> None:
        log.info("proxy %s has gone", proxy)
        self.liveness.left(proxy)
        self._drop_refusals(proxy)
        self._tell()

    def acked(self, proxy: str, type_url: str, generation: int) -> None:
        """Nothing hangs on single acknowledgements; `settled` tells when they are complete."""

    def refused(self, proxy: str, event: session.Refused) -> None:
        plan = self._plans.get(proxy)
        for name in event.names:
            behind = objects(plan, event.type_url, name) if plan else frozenset()
            refusal = Refusal(event.generation, event.message, self._suspects(behind))
            self._refusals[proxy, event.type_url, name] = refusal
            log.warning("proxy %s refused %s: %s", proxy, name, event.message)
        self._tell()

    def settled(self, proxy: str, event: session.Settled) -> None:
        still = {(proxy, *each) for each in event.refused}
        for key in [key for key in self._refusals if key[0] == proxy and key not in still]:
            del self._refusals[key]
        if proxy in self._proxies and proxy != proxies.NODE:
            self.liveness.settled(proxy, event.generation)
        self._tell()

    def _suspects(self, behind: Iterable[ObjectRef]) -> frozenset[ObjectRef]:
        """Of the rules behind a refused resource those that changed last: the others were accepted before."""
        rules = [ref for ref in behind if _is_rule(ref)]
        latest = max((self.liveness.since(ref) for ref in rules), default=0)
        return frozenset(ref for ref in rules if self.liveness.since(ref) == latest)

    def _drop_refusals(self, proxy: str) -> None:
        self._refusals = {key: refusal for key, refusal in self._refusals.items() if key[0] != proxy}

    # --- what is asked of it -------------------------------------------------------------------------------------

    def planned_generation(self, ref: ObjectRef) -> int:
        """The `metadata.generation` of the object as it is in the mesh."""
        return self._numbers.get(ref, 0)

    def problems(self) -> Mapping[ObjectRef, tuple[Problem, ...]]:
        """What is wrong, by object, each problem once."""
        found: dict[ObjectRef, dict[Problem, None]] = {}
        for problem in (*planner.check(self.mesh), *(p for each in self._problems.values() for p in each)):
            found.setdefault(problem.ref, {})[problem] = None
        for refusal in self._refusals.values():
            for ref in refusal.objects:
                found.setdefault(ref, {})[_refused(ref, refusal.message)] = None
        return {ref: tuple(problems) for ref, problems in found.items()}

    def judge(self, kind: Kind, obj: Doc) -> tuple[Problem, ...]:
        """What would be wrong with the object if it were applied now."""
        document = resources.decode(kind, obj)
        ref = ObjectRef(
            kind=kind.kind, namespace=obj["metadata"]["namespace"], name=obj["metadata"]["name"], group=kind.group
        )
        return tuple(problem for problem in planner.check(self.mesh.replace([document])) if problem.ref == ref)

    async def everywhere(self, ready: Callable[[Mesh], bool]) -> None:
        """Wait until the mesh is as `ready` wants it and every connected proxy has that."""
        while not ready(self.mesh):
            await self._next_word()
        generation = self._generation
        while self._server is not None and not all(
            self._server.settled(proxy) >= generation for proxy in self._server.connected
        ):
            await self._next_word()

    async def _next_word(self) -> None:
        """Wait until something has been planned, or a proxy has said something."""
        await self._heard.wait()

    def _tell(self) -> None:
        self.told.set()
        heard, self._heard = self._heard, asyncio.Event()
        heard.set()


_RENEWAL_CHECK_S)

    # --- what the proxies say ------------------------------------------------------------------------------------

    def connected(self, proxy: str, node_id: str) -> None:
        log.info("proxy %s (%s) is connected", proxy, node_id)
        if proxy in self._proxies and proxy != proxies.NODE:
            self.liveness.joined(proxy)
            self.told.set()

    def disconnected(self, proxy: str) -> None:
        log.info("proxy %s has gone", proxy)
        self.liveness.left(proxy)
        self._drop_refusals(proxy)
        self.told.set()

    def acked(self, proxy: str, type_url: str, generation: int) -> None:
        """Nothing hangs on single acknowledgements; `settled` tells when they are complete."""

    def refused(self, proxy: str, event: session.Refused) -> None:
        plan = self._plans.get(proxy)
        for name in event.names:
            behind = objects(plan, event.type_url, name) if plan else frozenset()
            refusal = Refusal(event.generation, event.message, self._suspects(behind))
            self._refusals[proxy, event.type_url, name] = refusal
            log.warning("proxy %s refused %s: %s", proxy, name, event.message)
        self.told.set()

    def settled(self, proxy: str, event: session.Settled) -> None:
        still = {(proxy, *each) for each in event.refused}
        for key in [key for key in self._refusals if key[0] == proxy and key not in still]:
            del self._refusals[key]
        if proxy in self._proxies and proxy != proxies.NODE:
            self.liveness.settled(proxy, event.generation)
        self.told.set()

    def _suspects(self, behind: Iterable[ObjectRef]) -> frozenset[ObjectRef]:
        """Of the rules behind a refused resource those that changed last: the others were accepted before."""
        rules = [ref for ref in behind if _is_rule(ref)]
        latest = max((self.liveness.since(ref) for ref in rules), default=0)
        return frozenset(ref for ref in rules if self.liveness.since(ref) == latest)

    def _drop_refusals(self, proxy: str) -> None:
        self._refusals = {key: refusal for key, refusal in self._refusals.items() if key[0] != proxy}

    # --- what is asked of it -------------------------------------------------------------------------------------

    def planned_generation(self, ref: ObjectRef) -> int:
        """The `metadata.generation` of the object as it is in the mesh."""
        return self._numbers.get(ref, 0)

    def problems(self) -> Mapping[ObjectRef, tuple[Problem, ...]]:
        """What is wrong, by object, each problem once."""
        found: dict[ObjectRef, dict[Problem, None]] = {}
        for problem in (*planner.check(self.mesh), *(p for each in self._problems.values() for p in each)):
            found.setdefault(problem.ref, {})[problem] = None
        for refusal in self._refusals.values():
            for ref in refusal.objects:
                found.setdefault(ref, {})[_refused(ref, refusal.message)] = None
        return {ref: tuple(problems) for ref, problems in found.items()}

    def judge(self, kind: Kind, obj: Doc) -> tuple[Problem, ...]:
        """What would be wrong with the object if it were applied now."""
        document = resources.decode(kind, obj)
        ref = ObjectRef(
            kind=kind.kind, namespace=obj["metadata"]["namespace"], name=obj["metadata"]["name"], group=kind.group
        )
        return tuple(problem for problem in planner.check(self.mesh.replace([document])) if problem.ref == ref)

    async def everywhere(self, ready: Callable[[Mesh], bool]) -> None:
        """Wait until the mesh is as `ready` wants it and every connected proxy has that."""
        while not ready(self.mesh):
            await asyncio.sleep(_QUIET_S)
        generation = self._generation
        while self._server is not None and not all(
            self._server.settled(proxy) >= generation for proxy in self._server.connected
        ):
            await asyncio.sleep(_QUIET_S)


_RENEWAL_CHECK_S = 30.0


def _essence(obj: Doc) -> Any:
    """What of an object plans depend on: everything but its bookkeeping and, for rules, its status."""
    metadata = obj["metadata"]
    kept = {
        key: metadata.get(key) for key in ("uid", "labels", "annotations", "creationTimestamp", "deletionTimestamp")
    }
    return kept, {key: value for key, value in obj.items() if key not in ("metadata", "status")}


def _is_rule(ref: ObjectRef) -> bool:
    return any(kind.kind == ref.kind and kind.group == ref.group for kind in RULES)


def _refused(ref: ObjectRef, message: str) -> Problem:
    return Problem(
        ref=ref,
        path="spec",
        reason="RefusedByProxy",
        message=f"Envoy refused the configuration made of this object and keeps the last good one: {message}",
        fix="mend the field that Envoy names",
        severity="error",
    )
