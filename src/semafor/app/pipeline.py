"""Objects in, pushed configuration out.

watches ─▶ inbox ─5 ms of quiet─▶ Mesh.replace ─▶ fleet: configure(mesh, proxy) for every proxy ─▶ xds
             ▲                                                        feedback ◀─ ACK, NACK ─┘
             └──────────── the last good version of a refused rule ◀─────┘
"""

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from msgspec.structs import replace

from semafor import planner, resources
from semafor.app import inbox, mesh_config, proxies, revisions, status, system_roots
from semafor.app.feedback import Feedback
from semafor.app.fleet import Fleet
from semafor.app.inbox import Changes, Inbox
from semafor.app.liveness import Count
from semafor.app.objects import Source
from semafor.app.quarantine import Quarantine
from semafor.app.views import Views
from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Document
from semafor.planner import Mesh, Options, Proxy
from semafor.planner import dns as planner_dns
from semafor.planner.memo import Memo
from semafor.planner.proxy import Labels, Opening
from semafor.planner.security.request_authentication import Keys
from semafor.planner.tables import KINDS, TABLES, Object
from semafor.resources.core import config_map, pod
from semafor.resources.kind import Kind

Doc = dict[str, Any]
log = logging.getLogger(__name__)

RULES: tuple[Kind, ...] = tuple(table.kind for table in TABLES if table.is_rule)
_ENDED = ("Succeeded", "Failed")  # phases of pods that run no more
_HOST = Proxy(id=proxies.HOST, role="host")
_QUIET_S = 0.005  # changes that come together are planned together
_LONGEST_S = 0.05  # but a steady stream of changes does not put planning off
_SLICE_S = 0.02  # of planning for many proxies, after which others get their turn
_TRIAL_S = 5.0  # for all proxies to answer when one suspected rule is tried by itself


class Pipeline:
    """Keeps every proxy's configuration what the objects say. `marks`: whether proxies may mark connections."""

    def __init__(self, client: Source, fleet: Fleet, *, marks: bool = True) -> None:
        self._of_machine = {"system_roots": system_roots.read(), "marks": marks}  # what no mesh configuration says
        self.mesh = Mesh(options=replace(Options(), **self._of_machine))
        self.feedback = Feedback(fleet.plan, self.hold)
        self._client = client
        self._fleet = fleet
        self._generation = 0
        self._views = Views()
        self._inbox = Inbox()
        self._arrived = asyncio.Event()
        self._pushing = False  # whether some proxies have not been told of the newest generation yet
        self._faulty = False  # whether the last plan of a proxy could not be made
        self._quarantine = Quarantine()
        self._restored: Changes = {}
        self._node_proxy = Proxy(id=proxies.NODE, role="node")
        self._told: dict[str, int] = {}  # by resource: the version up to which watches have told everything
        self._suspects: asyncio.Queue[ObjectRef] = asyncio.Queue()  # unbounded, but a rule is in it once per change

    async def run(self, node_proxy: Proxy | None = None) -> None:
        """Watch and plan, for ever. `node_proxy` is the node's own Envoy, where the node is ours."""
        if node_proxy is not None:
            self._node_proxy = node_proxy
            self.open(())
        async with asyncio.TaskGroup() as tasks:
            for kind in KINDS:
                tasks.create_task(self._watch(kind), name=f"pipeline {kind.plural}")
            tasks.create_task(self._watch_options(), name="pipeline options")
            tasks.create_task(self._plan_forever(), name="pipeline")
            tasks.create_task(self._try_forever(), name="pipeline trials")

    def open(self, openings: tuple[Opening, ...]) -> None:
        """Let what the machine itself sends to these ports in."""
        for proxy in (self._node_proxy, _HOST):
            self._fleet.add(replace(proxy, openings=openings))
        self._arrived.set()

    # --- what comes in ---

    async def _watch(self, kind: Kind) -> None:
        async for change, obj in self._client.watch(kind):
            if kind is pod.KIND:
                self._take_pod(obj, gone=change == "DELETED")
            self._take(kind, obj, gone=change == "DELETED")

    def _take(self, kind: Kind, obj: Doc, *, gone: bool) -> None:
        ref = inbox.reference(kind, obj)
        is_first = not gone and not self._inbox.knows(ref)
        if not self._inbox.take(kind, obj, gone=gone):
            return
        if is_first and kind in RULES and status.was_refused(obj):
            self._hold_from_the_start(ref)
        self._arrived.set()

    def _take_pod(self, obj: Doc, *, gone: bool) -> None:
        uid = obj["metadata"]["uid"]
        if gone or obj.get("status", {}).get("phase") in _ENDED:
            self._fleet.forget(uid)
            self.feedback.forget(uid)
        elif self._fleet.take(obj):
            self._arrived.set()

    async def _watch_options(self) -> None:
        async for change, obj in self._client.watch(config_map.KIND, mesh_config.NAMESPACE):
            revision = revisions.of_mesh_config(obj)
            if revision is not None:
                self._take_options(revision, obj if change != "DELETED" else {})

    def _take_options(self, revision: str, obj: Doc) -> None:
        try:
            options, problems = mesh_config.of(obj)
        except mesh_config.Unusable as error:
            log.warning("the mesh configuration is left as it was: %s", error)
            return
        for problem in problems:
            log.warning("%s", problem)
        if not revision:
            self._set_options(options)
        elif self._views.take(revision, options if obj else None):
            self._arrived.set()

    def _set_options(self, options: Options) -> None:
        options = replace(options, **self._of_machine)
        if options != self.mesh.options:
            self.mesh = dataclasses.replace(self.mesh, options=options, memo=Memo())
            self._arrived.set()

    def take_token_keys(self, keys: Mapping[str, Keys]) -> None:
        """The keys that issuers of tokens have now, by where they are."""
        self.mesh = self.mesh.with_token_keys(keys)
        self._arrived.set()

    def again(self) -> int:
        """Plan and push once more, because proxies' secrets are others now; returns the generation that has them."""
        self._arrived.set()
        return self._generation + 1

    async def news(self) -> None:
        """Wait until something has been planned, or a proxy has said something."""
        await self.feedback.news()

    # --- what goes out ---

    async def _plan_forever(self) -> None:
        while True:
            await self._arrived.wait()
            await self._quiet()
            await self._replan()

    async def _quiet(self) -> None:
        """Return when nothing has come for a moment, or when waiting has gone on for long enough."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _LONGEST_S
        while self._arrived.is_set() and loop.time() < deadline:
            self._arrived.clear()
            await asyncio.sleep(_QUIET_S)
        self._arrived.clear()

    async def _replan(self) -> None:
        changes = self._inbox.drain()
        restored, self._restored = self._restored, {}
        rules = {ref: document for ref, document in changes.items() if _is_rule(ref)}
        for ref, document in rules.items():
            self._quarantine.arrived(ref, document, proven=self.feedback.count(ref).have > 0)
        self.mesh = _changed(self.mesh, {**restored, **changes})
        self._generation += 1
        gone = [ref for ref, document in changes.items() if document is None]
        changed = [ref for ref, document in rules.items() if document is not None]
        self.feedback.planned(changed, gone, self._generation)  # before a proxy can say what it thinks of it
        self._pushing = True
        faults = await self._push(self.mesh, self._generation)
        self._pushing = False
        self.feedback.tell()
        if not self._faulty:  # else the reason was there before
            self.hold(_unusable(ref, fault) for fault in faults[:1] for ref in changed)
        self._faulty = bool(faults)

    async def _push(self, mesh: Mesh, generation: int) -> tuple[str, ...]:
        """Tell every proxy, in slices, so that who asks the API for something does not wait for all of them.

        What comes in meanwhile waits for the next generation: nobody else plans, and a mesh is never changed.
        """
        faults: dict[str, None] = {}
        loop, views = asyncio.get_running_loop(), dict(self._views.of(mesh))
        ends = loop.time() + _SLICE_S
        for fault in self._fleet.push_each(mesh, generation, views):
            if fault:
                faults[fault] = None
            if loop.time() > ends:
                await asyncio.sleep(0)
                ends = loop.time() + _SLICE_S
        return tuple(faults)

    def serve(self, proxy: str) -> None:
        """Tell a proxy that is about to connect what the mesh means to it now."""
        self._fleet.serve(proxy, self.mesh, self._generation, self._views.of(self.mesh))

    async def settled(self) -> None:
        """Wait until everything that has come in is planned."""
        while not self._generation or self._pushing or self._arrived.is_set() or self._inbox.waiting():
            await self.news()

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

    def _hold_from_the_start(self, ref: ObjectRef) -> None:
        """What was refused when the mesh last ran gets its chance when everything else stands."""
        self._quarantine.arrived(ref, self._inbox.withhold(ref), proven=False)
        if self._quarantine.hold(_problem(ref, status.REFUSED, "it was refused before")):
            self._suspects.put_nowait(ref)

    async def _try_forever(self) -> None:
        """Give suspects another chance, one at a time, so that the innocent are not kept out for long."""
        while True:
            ref = await self._suspects.get()
            await self._calm()
            document = self._quarantine.release(ref)
            if document is None:
                continue  # it has changed meanwhile, or had its trial
            self._inbox.put_back(ref, document)
            self._arrived.set()
            await self._calm()

    async def _calm(self) -> None:
        """Wait, but not for ever, until everything is everywhere and no proxy refuses anything."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TRIAL_S):
                await self.everywhere(lambda _: not (self._inbox.waiting() or self._restored or self.feedback.refusing))

    # --- what is asked of it ---

    def count_at(self, ref: ObjectRef, namespace: str, labels: Labels) -> Count:
        """How many of the namespace's proxies with these labels have the object."""
        return self.feedback.count(ref, self._fleet.serving(namespace, labels))

    def planned_generation(self, ref: ObjectRef) -> int:
        """The `metadata.generation` of the object as it is in the mesh."""
        return self._inbox.generation(ref)

    def problems(self) -> Mapping[ObjectRef, tuple[Problem, ...]]:
        """What is wrong, by object, each problem once."""
        found: dict[ObjectRef, dict[Problem, None]] = {}
        refused = (problem for each in self.feedback.problems().values() for problem in each)
        for problem in (
            *planner.check(self.mesh),
            *self._fleet.problems(),
            *refused,
            *self._quarantine.problems(),
        ):
            found.setdefault(problem.ref, {})[problem] = None
        return {ref: tuple(problems) for ref, problems in found.items()}

    def judge(self, kind: Kind, obj: Doc) -> tuple[Problem, ...]:
        """What would be wrong with the object if it were applied now. Raises resources.DecodeError.

        The mesh is a few milliseconds behind the store, and the objects of one file come faster than that: so what has
        been stored since counts as well.
        """
        ref = inbox.reference(kind, obj)
        newest = {**self._inbox.waiting(), **self._unplanned(), ref: resources.decode(kind, obj)}
        return planner.about(_changed(self.mesh, newest), ref)

    def imagined(self, changes: Mapping[ObjectRef, Document | None]) -> Mesh:
        """The mesh as it would be with these changes."""
        return _changed(self.mesh, changes)

    def _unplanned(self) -> Changes:
        """What the store has and no watch has told yet."""
        found: Changes = {}
        for kind in KINDS:
            changes, version = self._client.changes(kind, self._told.get(kind.resource, 0))
            newest = {inbox.reference(kind, obj): (change == "DELETED", obj) for change, obj in changes}
            untold = {ref: each for ref, each in newest.items() if not self._inbox.has(ref, each[1], gone=each[0])}
            found |= {ref: None if gone else inbox.decoded(kind, obj) for ref, (gone, obj) in untold.items()}
            if not untold:
                self._told[kind.resource] = version
        return found

    def allocated(self, ref: ObjectRef) -> tuple[tuple[str, str], ...]:
        """The hosts of the ServiceEntry that have an address of the mesh's, each with it."""
        return planner_dns.allocated(self.mesh, ref)

    def addresses(self, caller: str, name: str) -> tuple[str, ...]:
        """What a host that only the mesh knows resolves to, for the pod with the address `caller`."""
        return planner_dns.addresses(self.mesh, caller, name)

    def proxies(self) -> list[Doc]:
        """Every proxy with a workload, in words."""
        return self._fleet.table(self._generation)

    async def everywhere(self, ready: Callable[[Mesh], bool]) -> None:
        """Wait until the mesh is as `ready` wants it and every connected proxy has that."""
        while not ready(self.mesh):
            await self.feedback.news()
        generation = self._generation
        while not self._fleet.has(generation):
            await self.feedback.news()


def _changed(mesh: Mesh, changes: Mapping[ObjectRef, Document | None]) -> Mesh:
    put = [document for document in changes.values() if document is not None]
    return mesh.replace(cast("list[Object]", put), [ref for ref, document in changes.items() if document is None])


def _is_rule(ref: ObjectRef) -> bool:
    return any((kind.group, kind.kind) == (ref.group, ref.kind) for kind in RULES)


def _unusable(ref: ObjectRef, fault: str) -> Problem:
    message = f"no configuration could be made of this object, so its last good version stays: {fault}"
    return _problem(ref, status.UNUSABLE, message)


def _problem(ref: ObjectRef, reason: str, message: str) -> Problem:
    return Problem(ref=ref, path="spec", reason=reason, message=message, severity="error")
