"""Objects in, pushed configuration out.

watches ─▶ inbox ─5 ms of quiet─▶ Mesh.replace ─▶ configure(mesh, proxy) for every proxy ─▶ xds.push
             ▲                                                        feedback ◀─ ACK, NACK ─┘
             └──────────── the last good version of a refused rule ◀─────┘
"""

import asyncio
import contextlib
import dataclasses
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import yaml

from semafor import ir, planner, resources
from semafor.app import identities, mesh_config, proxies, status
from semafor.app.feedback import Feedback
from semafor.app.quarantine import Quarantine
from semafor.base import clock
from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Document
from semafor.base.xds import Resources
from semafor.envoy.render import Renderer
from semafor.kube.api.client import Client
from semafor.planner import Mesh, Proxy
from semafor.planner.memo import Memo
from semafor.planner.mesh import Object
from semafor.resources.core import config_map, pod, service
from semafor.resources.discovery import endpoint_slice
from semafor.resources.istio import destination_rule, virtual_service
from semafor.resources.kind import Kind
from semafor.xds.server import Server

Doc = dict[str, Any]
log = logging.getLogger(__name__)

# What plans are made of. Objects of RULES have a status that tells whether they are live.
RULES: tuple[Kind, ...] = (virtual_service.KIND, destination_rule.KIND)
KINDS: tuple[Kind, ...] = (service.KIND, endpoint_slice.KIND, pod.KIND, *RULES)
_QUIET_S = 0.005  # changes that come together are planned together
_LONGEST_S = 0.05  # but a steady stream of changes does not put planning off
_RENEWAL_CHECK_S = 30.0
_TRIAL_S = 5.0  # for all proxies to answer when one suspected rule is tried by itself
_REMEMBERED_PLANS = 8  # of a proxy: a refusal speaks of a plan that may not be the newest any more


def configure(renderer: Renderer, mesh: Mesh, proxy: Proxy) -> tuple[Resources, ir.Plan, tuple[Problem, ...]]:
    """The control plane: what one proxy is to be told, and what is wrong with what it is told."""
    plan, problems = planner.plan(mesh, proxy)
    return renderer.render(plan), plan, (*problems, *renderer.problems(plan))


class Pipeline:
    """Keeps every proxy's configuration what the objects say. `serve_by` names the server that delivers it."""

    def __init__(
        self, client: Client, renderer: Renderer, own: identities.Identities, tokens: proxies.ProxyTokens
    ) -> None:
        self.mesh = Mesh()
        self.feedback = Feedback(self._sidecar_plan, self.hold)
        self._client = client
        self._renderer = renderer
        self._identities = own
        self._tokens = tokens
        self._server: Server | None = None
        self._generation = 0
        self._proxies: dict[str, Proxy] = {}
        self._routers: set[str] = set()  # gateways: they stand ready, and are told nothing yet
        self._plans: dict[str, deque[tuple[int, ir.Plan]]] = {}
        self._problems: dict[str, tuple[Problem, ...]] = {}
        self._inbox: dict[ObjectRef, Document | None] = {}
        self._seen: dict[ObjectRef, _Seen] = {}
        self._arrived = asyncio.Event()
        self._faulty = False  # whether the last plan of a proxy could not be made
        self._quarantine = Quarantine()
        self._restored: dict[ObjectRef, Document | None] = {}
        self._suspects: asyncio.Queue[ObjectRef] = asyncio.Queue()

    def serve_by(self, server: Server) -> None:
        """Deliver through this server; before `run`."""
        self._server = server

    async def run(self, node_proxy: Proxy) -> None:
        """Watch and plan, for ever. `node_proxy` is the node's own Envoy."""
        self._proxies[node_proxy.id] = node_proxy
        async with asyncio.TaskGroup() as tasks:
            for kind in KINDS:
                tasks.create_task(self._watch(kind), name=f"pipeline {kind.plural}")
            tasks.create_task(self._watch_options(), name="pipeline options")
            tasks.create_task(self._plan_forever(), name="pipeline")
            tasks.create_task(self._renew_forever(), name="certificates")
            tasks.create_task(self._try_forever(), name="pipeline trials")

    # --- what comes in ---

    async def _watch(self, kind: Kind) -> None:
        async for change, obj in self._client.watch(kind):
            if kind is pod.KIND:
                self._take_pod(obj, gone=change == "DELETED")
            self._take(kind, obj, gone=change == "DELETED")

    def _take(self, kind: Kind, obj: Doc, *, gone: bool) -> None:
        ref = reference(kind, obj)
        essence = None if gone else _essence(obj)
        before, version = self._seen.get(ref), obj["metadata"]["resourceVersion"]
        if before is not None and before.essence == essence:
            self._seen[ref] = dataclasses.replace(before, version=version)
            return  # only its status changed, which is our own doing
        if gone:
            self._seen.pop(ref, None)
            self._inbox[ref] = None
        else:
            self._seen[ref] = _Seen(essence, obj["metadata"].get("generation", 0), version)
            self._inbox[ref] = _decoded(kind, obj)
            if before is None and kind in RULES and status.was_refused(obj):
                self._hold_from_the_start(ref)
        self._arrived.set()

    def _hold_from_the_start(self, ref: ObjectRef) -> None:
        """What was refused when the mesh last ran gets its chance when everything else stands."""
        self._quarantine.arrived(ref, self._inbox.pop(ref), proven=False)
        problem = Problem(
            ref=ref, path="spec", reason=status.REFUSED, message="it was refused before", severity="error"
        )
        if self._quarantine.hold(problem):
            self._suspects.put_nowait(ref)

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
        for table in (self._proxies, self._plans, self._problems):
            table.pop(uid, None)
        self._routers.discard(uid)
        self._identities.forget(uid)
        self._tokens.revoke(uid)
        self.feedback.forget(uid)
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

    # --- what goes out ---

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
        restored, self._restored = self._restored, {}
        rules = {ref: document for ref, document in inbox.items() if _is_rule(ref)}
        for ref, document in rules.items():
            self._quarantine.arrived(ref, document, proven=self.feedback.count(ref).have > 0)
        self._change({**restored, **inbox})
        self._generation += 1
        faults = {fault: None for proxy in self._proxies.values() if (fault := self._push(proxy))}
        gone = [ref for ref, document in inbox.items() if document is None]
        changed = [ref for ref, document in rules.items() if document is not None]
        self.feedback.planned(changed, gone, self._generation)
        if not self._faulty:  # else the reason was there before
            self.hold(_unusable(ref, fault) for fault in list(faults)[:1] for ref in changed)
        self._faulty = bool(faults)

    def _change(self, documents: Mapping[ObjectRef, Document | None]) -> None:
        put = [document for document in documents.values() if document is not None]
        drop = [ref for ref, document in documents.items() if document is None]
        self.mesh = self.mesh.replace(cast("list[Object]", put), drop)

    def _push(self, proxy: Proxy) -> str:
        """Plan and push for one proxy. A fault of ours, which is returned, leaves it with what it has."""
        assert self._server is not None
        try:
            rendered, plan, problems = configure(self._renderer, self.mesh, proxy)
        except Exception as error:
            log.exception("the configuration of %s could not be made; it keeps the last one", proxy.id)
            return str(error) or type(error).__name__
        self._plans.setdefault(proxy.id, deque(maxlen=_REMEMBERED_PLANS)).append((self._generation, plan))
        self._problems[proxy.id] = problems
        for workload in proxy.workloads[:1]:
            own = self._identities.of(proxy.id, workload.namespace, workload.service_account)
            rendered = rendered.joined(own)
        self._server.push(proxy.id, rendered, self._generation)
        return ""

    # --- rules that no proxy can use ---

    def hold(self, problems: Iterable[Problem]) -> None:
        """Go on with the last good versions of these rules. Each suspect is tried once more, by itself."""
        held = [problem.ref for problem in problems if self._quarantine.hold(problem)]
        for ref in held:
            log.warning("%s is held back, because proxies can not use it", ref)
            self._restored[ref] = self._quarantine.good(ref)
            self._suspects.put_nowait(ref)
        if held:
            self._arrived.set()

    async def _try_forever(self) -> None:
        """Give suspects another chance, one at a time, so that the innocent are not kept out for long."""
        while True:
            ref = await self._suspects.get()
            await self._calm()
            document = self._quarantine.release(ref)
            if document is None:
                continue  # it has changed meanwhile, or had its trial
            self._inbox.setdefault(ref, document)
            self._arrived.set()
            await self._calm()

    async def _calm(self) -> None:
        """Wait, but not for ever, until everything is everywhere and no proxy refuses anything."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TRIAL_S):
                await self.everywhere(lambda _: not (self._inbox or self._restored or self.feedback.refusing))

    async def _renew_forever(self) -> None:
        """Push again whenever a certificate has come to the middle of its life."""
        while True:
            due = self._identities.next_renewal()
            if due is not None and due <= clock.now():
                self._arrived.set()
            await asyncio.sleep(_RENEWAL_CHECK_S)

    def _sidecar_plan(self, proxy: str, generation: int | None = None) -> ir.Plan | None:
        """The plan that a sidecar got at this generation, the newest without one; None for all other proxies."""
        if proxy == proxies.NODE:
            return None
        known = [plan for made, plan in self._plans.get(proxy, ()) if generation is None or made <= generation]
        return known[-1] if known else None

    # --- what is asked of it ---

    def planned_generation(self, ref: ObjectRef) -> int:
        """The `metadata.generation` of the object as it is in the mesh."""
        seen = self._seen.get(ref)
        return seen.generation if seen else 0

    def problems(self) -> Mapping[ObjectRef, tuple[Problem, ...]]:
        """What is wrong, by object, each problem once."""
        found: dict[ObjectRef, dict[Problem, None]] = {}
        planned = (problem for each in self._problems.values() for problem in each)
        refused = (problem for each in self.feedback.problems().values() for problem in each)
        for problem in (*planner.check(self.mesh), *planned, *refused, *self._quarantine.problems()):
            found.setdefault(problem.ref, {})[problem] = None
        return {ref: tuple(problems) for ref, problems in found.items()}

    def judge(self, kind: Kind, obj: Doc) -> tuple[Problem, ...]:
        """What would be wrong with the object if it were applied now. Raises resources.DecodeError.

        The mesh is a few milliseconds behind the store, and the objects of one file come faster than that: so what has
        been stored since counts as well.
        """
        ref = reference(kind, obj)
        arrived = [document for document in self._inbox.values() if document is not None]
        dropped = [gone for gone, document in self._inbox.items() if document is None]
        newest = [*arrived, *self._unplanned(), resources.decode(kind, obj)]
        imagined = self.mesh.replace(cast("list[Object]", newest), dropped)
        return tuple(problem for problem in planner.check(imagined) if problem.ref == ref)

    def proxies(self) -> list[dict[str, Any]]:
        """Every proxy with a plan, in words: who it is, whether it is connected, and how far behind."""
        assert self._server is not None
        connected, now = set(self._server.connected), self._generation
        return [
            {
                "proxy": ".".join((each.name, each.namespace)),
                "connected": uid in connected,
                "behind": now - self._server.settled(uid),
            }
            for uid, proxy in self._proxies.items()
            for each in proxy.workloads[:1]
        ]

    def _unplanned(self) -> list[Document]:
        """What the store has and no watch has told yet."""
        fresh = []
        for kind in KINDS:
            for obj in self._client.list(kind):
                seen = self._seen.get(reference(kind, obj))
                behind = seen is None or seen.version != obj["metadata"]["resourceVersion"]
                if behind and (document := _decoded(kind, obj)) is not None:
                    fresh.append(document)
        return fresh

    async def everywhere(self, ready: Callable[[Mesh], bool]) -> None:
        """Wait until the mesh is as `ready` wants it and every connected proxy has that."""
        while not ready(self.mesh):
            await self.feedback.news()
        generation = self._generation
        while self._server is not None and not all(
            self._server.settled(proxy) >= generation for proxy in self._server.connected if proxy in self._proxies
        ):
            await self.feedback.news()


@dataclasses.dataclass(frozen=True, slots=True)
class _Seen:
    """What plans depend on of an object, its generation, and its last resourceVersion."""

    essence: Any
    generation: int
    version: str


def reference(kind: Kind, obj: Doc) -> ObjectRef:
    """The object, as problems name it."""
    metadata = obj["metadata"]
    namespace = metadata.get("namespace", "")
    return ObjectRef(kind=kind.kind, namespace=namespace, name=metadata["name"], group=kind.group)


def _essence(obj: Doc) -> Any:
    """What of an object plans depend on: everything but its bookkeeping and its status."""
    kept = ("uid", "labels", "annotations", "creationTimestamp", "deletionTimestamp")
    metadata = {key: obj["metadata"].get(key) for key in kept}
    return metadata, {key: value for key, value in obj.items() if key not in ("metadata", "status")}


def _decoded(kind: Kind, obj: Doc) -> Document | None:
    try:
        return resources.decode(kind, obj)
    except resources.DecodeError as error:
        log.warning("%s %s is passed over: %s", kind.kind, obj["metadata"]["name"], error)
        return None


def _unusable(ref: ObjectRef, fault: str) -> Problem:
    message = f"no configuration could be made of this object, so its last good version stays: {fault}"
    return Problem(ref=ref, path="spec", reason=status.UNUSABLE, message=message, severity="error")


def _is_rule(ref: ObjectRef) -> bool:
    return any(kind.kind == ref.kind for kind in RULES)
