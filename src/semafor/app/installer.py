"""Installs what the IstioOperators ask for: objects in, objects out.

All objects of one revision make one installation, the oldest below the others. What it consists of is made, changed and
taken away; what users have changed in the same objects stays, unless the installation now wants just that otherwise.
While something in it is wrong, the last good one stays as it is.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from semafor import installation, resources
from semafor.app import installing
from semafor.base.problem import ObjectRef, Problem
from semafor.installation import Installation, Layer, Part, machine, merge, parts, paths, spec
from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.resources import check, registry
from semafor.resources.admissionregistration import webhooks
from semafor.resources.apps import deployment
from semafor.resources.autoscaling import horizontal_pod_autoscaler
from semafor.resources.core import config_map, namespace, service, service_account
from semafor.resources.install import istio_operator
from semafor.resources.kind import Kind
from semafor.resources.policy import pod_disruption_budget

Doc = dict[str, Any]
log = logging.getLogger(__name__)

_USUAL = "demo"  # the profile of a new home
LAST = "install.semafor.io/last-applied"  # annotation: the object as the installation wanted it the last time
# Kinds of what installations consist of, and so of what may be taken away.
_KINDS: tuple[Kind, ...] = (
    service_account.KIND,
    config_map.KIND,
    deployment.KIND,
    service.KIND,
    horizontal_pod_autoscaler.KIND,
    pod_disruption_budget.KIND,
    webhooks.MUTATING,
)
_FIRST = ("ServiceAccount", "ConfigMap")
_QUIET_S = 0.02  # objects of one file come together
_PAUSE_S = 1.0  # before a write that failed is tried again


def is_due(client: Client) -> bool:
    """Whether a home is new, or of a version that kept no account of its installation."""
    if client.get(namespace.KIND, "", spec.NAMESPACE) is None:
        return True
    old = client.get(deployment.KIND, spec.NAMESPACE, "istiod")
    return old is not None and parts.OWNER not in (old["metadata"].get("labels") or {})


class _Made(NamedTuple):
    """What became of the objects of one revision."""

    installation: Installation
    parts: tuple[Part, ...]
    problems: tuple[Problem, ...]
    objects: tuple[Doc, ...] = ()  # as they were when this was made of them

    @property
    def is_good(self) -> bool:
        return all(problem.severity != "error" for problem in self.problems)


class Installer:
    """`open` begins with workloads, once the node is there."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._opened = asyncio.Event()
        self._changed = asyncio.Event()

    # --- at the start ---

    async def begin(self) -> None:
        """Before the mesh plans anything: the installation is there, and its ConfigMaps with it."""
        for made in self._every():
            if made.is_good:
                maps = (each for part in made.parts for each in part.documents if each["kind"] == "ConfigMap")
                await self._apply(made.installation, maps)

    async def choose(self, profile: str, *, is_new: bool) -> None:
        """Let the installation have this profile; an empty one leaves it as it is, a new home gets the usual one."""
        known = self._client.get(istio_operator.KIND, spec.NAMESPACE, spec.owner(""))
        if known is None:
            if is_new or profile:
                await self._client.create(istio_operator.KIND, installing.operator({"profile": profile or _USUAL}))
        elif profile and known["spec"].get("profile") != profile:
            patch = {"spec": {"profile": profile}}
            await self._client.patch(istio_operator.KIND, spec.NAMESPACE, spec.owner(""), patch)

    def profile(self) -> str:
        """The profile of the revision without a name; empty when there is none."""
        return next((each.installation.profile for each in self._every() if not each.installation.revision), "")

    # --- and from then on ---

    async def open(self) -> None:
        """Install what is asked for; `run` goes on with it."""
        await self.act()
        self._opened.set()

    async def run(self) -> None:
        """Install whenever what is asked for has changed, and tell how far that is, for ever."""
        await self._opened.wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(istio_operator.KIND), name="installer operators")
            tasks.create_task(self._watch(deployment.KIND), name="installer deployments")
            tasks.create_task(self._act_forever(), name="installer")

    async def _watch(self, kind: Kind) -> None:
        async for _, obj in self._client.watch(kind):
            if kind is istio_operator.KIND or parts.OWNER in (obj["metadata"].get("labels") or {}):
                self._changed.set()

    async def _act_forever(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(_QUIET_S)
            self._changed.clear()
            try:
                await self.act()
            except Exception:  # a fault of ours, or a write that came too late: the mesh goes on without it
                log.exception("the installation could not be carried out")
                await asyncio.sleep(_PAUSE_S)
                self._changed.set()

    async def act(self) -> None:
        """Make what is asked for, take away what is not, and say so in statuses."""
        owners = set()
        for made in self._every():
            owners.add(made.installation.name)
            if made.is_good:
                await self._carry_out(made)
            await self._tell(made)
        await self._remove(owners)

    def _every(self) -> Iterator[_Made]:
        """What is asked for, by revision."""
        every = self._client.list(istio_operator.KIND)
        for revision in sorted({spec.revision(each.get("spec") or {}) for each in every if not _ends(each)}):
            mine = [each for each in every if spec.revision(each.get("spec") or {}) == revision and not _ends(each)]
            made = self._made([_layer(each) for each in sorted(mine, key=_place)], revision)
            yield made._replace(objects=tuple(mine))

    def _made(self, layers: list[Layer], revision: str) -> _Made:
        wanted, problems = installing.resolve(layers)
        if any(problem.severity == "error" for problem in problems):
            return _Made(Installation(revision=revision), (), problems)
        try:
            made = installation.render(wanted, machine.CHARTS)
        except paths.WrongPath as error:
            where = Problem(
                ref=layers[-1].ref,
                path="spec.components",
                reason="InvalidOverlay",
                message=str(error),
                severity="error",
            )
            return _Made(wanted, (), (*problems, where))
        found = tuple(self._flaws(made, layers[-1].ref))
        return _Made(wanted, made, (*problems, *found))

    def _flaws(self, made: Iterable[Part], ref: ObjectRef) -> Iterator[Problem]:
        """What the API would refuse, so that nothing is done by halves."""
        for part in made:
            where = f"spec.components.{part.component.kind}"
            home = part.component.namespace
            if self._client.get(namespace.KIND, "", home) is None:
                message = f"{part.component.name}: there is no namespace {home}"
                yield _broken(ref, where, message, f"kubectl create namespace {home}")
            for document in part.documents:
                kind = _kind(document)
                for error in check.check(kind, resources.default(kind, document)).errors:
                    name = f"{document['kind']} {document['metadata']['name']}"
                    yield _broken(ref, where, f"{name} would not be valid: {error.path}: {error.message}")

    # --- what is done ---

    async def _carry_out(self, made: _Made) -> None:
        documents = [document for part in made.parts for document in part.documents]
        await self._apply(made.installation, documents)
        kept = {_key(document) for document in documents}
        for obj, kind in self._owned(made.installation.name):
            if (kind.kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]) not in kept:
                await self._client.delete(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])

    async def _apply(self, of: Installation, documents: Iterable[Doc]) -> None:
        """Side by side, once that is there which others run as, or are made by."""
        every = list(documents)
        for is_first in (True, False):
            chosen = (each for each in every if (each["kind"] in _FIRST) is is_first)
            await asyncio.gather(*(self._apply_one(of, each) for each in chosen))

    async def _apply_one(self, of: Installation, document: Doc) -> None:
        kind, metadata = _kind(document), document["metadata"]
        where = metadata.get("namespace", "")
        live = self._client.get(kind, where, metadata["name"])
        if live is None:
            await self._client.create(kind, _remembering(document))
            return
        owner = (live["metadata"].get("labels") or {}).get(parts.OWNER, of.name)
        if owner != of.name:
            log.warning("%s %s belongs to %s", kind.kind, metadata["name"], owner)
            return
        told = (live["metadata"].get("annotations") or {}).get(LAST)
        last = json.loads(told) if told else None
        if last == document:
            return
        fresh = _remembering(document, merge.changed(last, document, live))
        await self._client.update(kind, fresh)

    def _owned(self, name: str = "") -> Iterator[tuple[Doc, Kind]]:
        """The objects of an installation, or of all."""
        for kind in _KINDS:
            for obj in self._client.list(kind):
                owner = (obj["metadata"].get("labels") or {}).get(parts.OWNER)
                if owner and name in ("", owner) and not _ends(obj):
                    yield obj, kind

    async def _remove(self, owners: set[str]) -> None:
        """What is left of installations that nobody asks for any more."""
        for obj, kind in list(self._owned()):
            metadata = obj["metadata"]
            if metadata["labels"][parts.OWNER] not in owners:
                await self._client.delete(kind, metadata.get("namespace", ""), metadata["name"])

    # --- what is said ---

    async def _tell(self, made: _Made) -> None:
        states = installing.states(
            made.parts, lambda meta: self._client.get(deployment.KIND, meta["namespace"], meta["name"])
        )
        for obj in made.objects:
            mine = tuple(problem for problem in made.problems if problem.ref == _ref(obj))
            fresh = installing.status(obj["metadata"].get("generation", 1), mine, made.problems, states)
            await self._write_status(obj, fresh)

    def _deployment(self, metadata: Doc) -> Doc | None:
        return self._client.get(deployment.KIND, metadata["namespace"], metadata["name"])

    async def _write_status(self, obj: Doc, fresh: Doc) -> None:
        metadata = obj["metadata"]
        where = (istio_operator.KIND, metadata["namespace"], metadata["name"])
        old = (self._client.get(*where) or {}).get("status") or {}
        if fresh == old:
            return
        parts_gone = (old.get("componentStatus") or {}).keys() - (fresh.get("componentStatus") or {}).keys()
        patch: Doc = {"status": fresh | dict.fromkeys(old.keys() - fresh.keys())}
        if parts_gone and "componentStatus" in fresh:
            patch["status"]["componentStatus"] = fresh["componentStatus"] | dict.fromkeys(parts_gone)
        with contextlib.suppress(StatusError):  # changed meanwhile: its watch tells
            await self._client.patch(*where, patch, subresource="status")


def _broken(ref: ObjectRef, path: str, message: str, fix: str = "") -> Problem:
    return Problem(ref=ref, path=path, reason="InvalidValue", message=message, fix=fix, severity="error")


def _remembering(document: Doc, made: Doc | None = None) -> Doc:
    """The object, with what was wanted of it written into it."""
    made = made or document
    annotations = {**(made["metadata"].get("annotations") or {}), LAST: json.dumps(document, sort_keys=True)}
    return {**made, "metadata": {**made["metadata"], "annotations": annotations}}


def _layer(obj: Mapping[str, Any]) -> Layer:
    return Layer(_ref(obj), obj.get("spec") or {})


def _ref(obj: Mapping[str, Any]) -> ObjectRef:
    return spec.ref(obj["metadata"]["name"], obj["metadata"]["namespace"])


def _place(obj: Mapping[str, Any]) -> tuple[bool, str, str, str]:
    """What the commands write comes first; then the older one."""
    metadata = obj["metadata"]
    own = metadata["namespace"] == spec.NAMESPACE and metadata["name"] == spec.owner(spec.revision(obj["spec"]))
    return (not own, metadata.get("creationTimestamp", ""), metadata["namespace"], metadata["name"])


def _ends(obj: Mapping[str, Any]) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def _key(document: Doc) -> tuple[str, str, str]:
    return document["kind"], document["metadata"].get("namespace", ""), document["metadata"]["name"]


def _kind(document: Doc) -> Kind:
    kind = registry.by_kind(
        document["apiVersion"].rpartition("/")[0] if "/" in document["apiVersion"] else "", document["kind"]
    )
    assert kind is not None, document["kind"]
    return kind
