"""Installs into a cluster: the objects of an installation are applied, those of its last version that it has not are
taken away, and its pods are waited for.

What others write into the same objects (replicas, whom webhooks trust) stays theirs: the server merges by owner.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from semafor.app import installing
from semafor.base.status_error import StatusError
from semafor.cluster import api
from semafor.cluster.api import Api
from semafor.installation import Part, parts, spec
from semafor.resources import registry
from semafor.resources.admissionregistration import webhooks
from semafor.resources.apiextensions import custom_resource_definition as definition
from semafor.resources.apps import deployment
from semafor.resources.autoscaling import horizontal_pod_autoscaler
from semafor.resources.core import config_map, pod, service, service_account
from semafor.resources.install import istio_operator
from semafor.resources.kind import Kind
from semafor.resources.networking import network_policy
from semafor.resources.policy import pod_disruption_budget
from semafor.resources.rbac import rbac

Doc = dict[str, Any]
Tell = Callable[[str], None]

OLDEST: Final = (1, 28)  # of Kubernetes: the first with native sidecars
_OURS: Final = "+semafor"  # in the version of the API of one machine
_MANAGER: Final = "semafor-install"
_PAUSE_S: Final = 0.5
_NOT_YET: Final = (429, 503)  # a kind that has just been defined, a server that is busy
_ATTEMPTS: Final = 20
# Of what installations consist, and so what may be taken away: webhooks first, so that nobody is asked who is gone.
# Definitions and namespaces stay: with them the users' own objects would go.
_KINDS: Final[tuple[Kind, ...]] = (
    webhooks.MUTATING, webhooks.VALIDATING, deployment.KIND, horizontal_pod_autoscaler.KIND, pod_disruption_budget.KIND,
    service.KIND, network_policy.KIND, config_map.KIND, rbac.CLUSTER_ROLE_BINDING, rbac.CLUSTER_ROLE, rbac.ROLE_BINDING,
    rbac.ROLE, service_account.KIND,
)  # fmt: skip


class NotInstalled(Exception):  # noqa: N818 - named for what came of it
    """It cannot be installed, or is not yet; the message says why."""


class Installer:
    """Into the cluster behind `server`. `tell` hears of each step in words. All of it raises StatusError."""

    def __init__(self, server: Api, tell: Tell) -> None:
        self._api = server
        self._tell = tell

    async def check(self) -> None:
        """Raises NotInstalled where it could not run."""
        found = await self._api.get("/version")
        if _OURS in found.get("gitVersion", ""):
            raise NotInstalled("this is the API of a mesh of one machine; leave --kubeconfig and --context away")
        numbers = tuple(int(re.sub(r"\D.*", "", str(found.get(part, ""))) or 0) for part in ("major", "minor"))
        if numbers < OLDEST:
            wanted, here = (".".join(map(str, each)) for each in (OLDEST, numbers))
            raise NotInstalled(f"the cluster has Kubernetes {here}; sidecars that pods wait for need {wanted}")

    async def stored(self, revision: str) -> Doc | None:
        """The IstioOperator of the last installation of the revision."""
        return next((each for each in await self.operators() if _revision(each) == revision), None)

    async def operators(self) -> list[Doc]:
        """All that these commands have written."""
        try:
            where = api.path(istio_operator.KIND, spec.NAMESPACE)
            found: list[Doc] = (await _patiently(lambda: self._api.get(where)))["items"]
        except StatusError as error:
            if error.code != 404:  # nothing is installed that could define the kind
                raise
            return []
        return [each for each in found if each["metadata"]["name"] == spec.owner(_revision(each))]

    async def install(self, made: Sequence[Part], wanted: Doc, timeout_s: float) -> None:
        """Apply part after part, and wait for the pods of each: the pods of gateways are made once injection answers.

        What the revision has no more is taken away before anything is waited for. Raises NotInstalled.
        """
        revision = spec.revision(wanted)
        await self._apply_all(made[:1])
        await self._apply(installing.operator(wanted, revision))
        await self._prune(spec.owner(revision), {_key(document) for part in made for document in part.documents})
        for part in made:
            await self._apply_all([part])
            for each in part.documents:
                if each["kind"] == deployment.KIND.kind:
                    await self._ready(each["metadata"], timeout_s)

    async def _ready(self, metadata: Doc, timeout_s: float) -> None:
        """Wait for a Deployment. Raises NotInstalled with what is in its way."""
        missing = await self._missing(metadata)
        try:
            async with asyncio.timeout(timeout_s):
                while missing := await self._missing(metadata):  # noqa: ASYNC110 the server decides
                    await asyncio.sleep(_PAUSE_S)
        except TimeoutError:
            raise NotInstalled(f"not ready after {timeout_s:.0f} s: {missing}") from None
        self._tell(f"{metadata['name']} installed")

    async def uninstall(self, revision: str | None) -> list[str]:
        """Take a revision away, or all (None); the names of what went. Definitions and rules stay."""
        gone = await self._prune(None if revision is None else spec.owner(revision), set())
        for each in await self.operators():
            if revision in (None, _revision(each)):
                await self._delete(istio_operator.KIND, each["metadata"])
                gone.append(f"IstioOperator {each['metadata']['name']}")
        return gone

    # --- steps ---

    async def _apply_all(self, made: Iterable[Part]) -> None:
        for part in made:
            for document in part.documents:
                await self._apply(document)
            await self._established([each for each in part.documents if each["kind"] == definition.KIND.kind])

    async def _apply(self, document: Doc) -> None:
        kind, metadata = _kind(document), document["metadata"]
        where = api.path(kind, metadata.get("namespace"), metadata["name"])
        params = {"fieldManager": _MANAGER, "force": "true"}
        await _patiently(lambda: self._api.patch(where, document, form=api.APPLY, params=params))

    async def _established(self, documents: Iterable[Doc]) -> None:
        """Wait until the API serves the kinds."""
        for document in documents:
            where = api.path(definition.KIND, None, document["metadata"]["name"])
            while not _is(await self._api.get(where), "Established"):  # noqa: ASYNC110 it is the server that decides
                await asyncio.sleep(_PAUSE_S)

    async def _missing(self, metadata: Doc) -> str:
        """What keeps a Deployment from being ready; empty when it is."""
        found = await self._api.get(api.path(deployment.KIND, metadata["namespace"], metadata["name"]))
        status, wanted = found.get("status") or {}, found["spec"].get("replicas", 1)
        there = status.get("availableReplicas", 0)
        is_told = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
        if is_told and status.get("updatedReplicas", 0) >= wanted and there >= wanted:
            return ""
        failures = [each["message"] for each in status.get("conditions") or () if each["type"] == "ReplicaFailure"]
        why = f"; {failures[0]}" if failures else await self._why(found)
        return f"{metadata['name']} has {there} of {wanted} pods ready{why}"

    async def _why(self, found: Doc) -> str:
        labels = ",".join(f"{key}={value}" for key, value in found["spec"]["selector"]["matchLabels"].items())
        where = api.path(pod.KIND, found["metadata"]["namespace"])
        pods = (await self._api.get(where, {"labelSelector": labels, "limit": "20"}))["items"]
        told = {why for each in pods if (why := _waits_for(each))}
        return "".join(f"; {why}" for why in sorted(told))

    async def _prune(self, owner: str | None, kept: set[tuple[str, str, str]]) -> list[str]:
        gone = []
        labels = parts.OWNER if owner is None else f"{parts.OWNER}={owner}"
        for kind in _KINDS:
            for each in (await self._api.get(api.path(kind), {"labelSelector": labels}))["items"]:
                metadata = each["metadata"]
                if (kind.kind, metadata.get("namespace", ""), metadata["name"]) not in kept:
                    await self._delete(kind, metadata)
                    gone.append(f"{kind.kind} {metadata['name']}")
        return gone

    async def _delete(self, kind: Kind, metadata: Doc) -> None:
        try:
            await self._api.delete(
                api.path(kind, metadata.get("namespace"), metadata["name"]), {"propagationPolicy": "Background"}
            )
        except StatusError as error:
            if error.code != 404:
                raise


async def _patiently(ask: Callable[[], Awaitable[Doc]]) -> Doc:
    """The answer, asked for again while the server is not ready to give one."""
    for _ in range(_ATTEMPTS):
        try:
            return await ask()
        except StatusError as error:
            if error.code not in _NOT_YET:
                raise
        await asyncio.sleep(_PAUSE_S)
    return await ask()


def _revision(operator: Doc) -> str:
    return spec.revision(operator.get("spec") or {})


def _is(obj: Doc, condition: str) -> bool:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return any(each["type"] == condition and each["status"] == "True" for each in conditions)


def _waits_for(found: Doc) -> str:
    """Why a pod is not ready, as far as it says."""
    name, status = found["metadata"]["name"], found.get("status") or {}
    for each in status.get("containerStatuses") or ():
        waiting = (each.get("state") or {}).get("waiting")
        if waiting:
            return f"{name}: {waiting.get('reason', '')} {waiting.get('message', '')}".rstrip()
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{name}: {condition.get('reason', '')} {condition.get('message', '')}".rstrip()
    return "" if _is(found, "Ready") else f"{name} is {status.get('phase', 'Pending')}"


def _kind(document: Doc) -> Kind:
    group = document["apiVersion"].rpartition("/")[0]
    kind = registry.by_kind(group, document["kind"])
    assert kind is not None, document["kind"]
    return kind


def _key(document: Doc) -> tuple[str, str, str]:
    return document["kind"], document["metadata"].get("namespace", ""), document["metadata"]["name"]
