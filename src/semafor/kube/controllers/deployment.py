"""Deployment: moves pods from one ReplicaSet to the next, never below what is allowed. `rollout.py` does the sums."""

import copy
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from semafor.base import clock
from semafor.kube.api.client import Client
from semafor.kube.controllers import deployment_status, ownership, rollout, statuses
from semafor.kube.controllers.reconcile import Key, Watch, own, owner
from semafor.resources.apps.deployment import KIND
from semafor.resources.apps.replica_set import KIND as REPLICA_SET
from semafor.resources.core.pod import KIND as POD

Doc = dict[str, Any]

_NOT_COPIED = frozenset({"kubectl.kubernetes.io/last-applied-configuration", rollout.REVISION})
_HISTORY_LIMIT = 10  # Kubernetes' default of revisionHistoryLimit


class Deployments:
    """The controller. `now` is for tests."""

    def __init__(self, client: Client, now: Callable[[], datetime] = clock.now) -> None:
        self.watches: tuple[Watch, ...] = (
            Watch(KIND, own),
            Watch(REPLICA_SET, owner("Deployment")),
            Watch(POD, self._of_pod),
        )
        self._client = client
        self._now = now

    async def reconcile(self, key: Key) -> float | None:
        deployment = self._client.get(KIND, *key)
        if deployment is None or ownership.leaving(deployment):
            return None
        sets = await ownership.claim(self._client, REPLICA_SET, deployment)
        new = _current(deployment, sets)
        if deployment["spec"].get("paused"):
            await self._resize(deployment, sets, rollout.proportional(deployment, sets))
        else:
            new = await self._new_set(deployment, new, sets)
            old = [each for each in sets if each["metadata"]["uid"] != new["metadata"]["uid"]]
            await self._resize(deployment, [new, *old], self._sizes(deployment, new, old))
            await self._forget(deployment, old)
        return await self._report(deployment, new)

    def _of_pod(self, pod: Doc) -> tuple[Key, ...]:
        """A pod's deployment matters to strategy Recreate alone, which waits until the last old pod is gone."""
        for key in owner("ReplicaSet")(pod):
            replica_set = self._client.get(REPLICA_SET, *key)
            if replica_set is not None:
                return owner("Deployment")(replica_set)
        return ()

    async def _new_set(self, deployment: Doc, new: Doc | None, sets: Sequence[Doc]) -> Doc:
        """The set of the current template, made when there is none, numbered as the newest revision."""
        newest = max((rollout.revision(each) for each in sets), default=0)
        if new is None:
            return await self._create(deployment, newest + 1)
        number = rollout.revision(new)
        if number < newest or number == 0:
            number = newest + 1
        return await self._annotate(deployment, new, number)

    async def _create(self, deployment: Doc, number: int) -> Doc:
        new = _new_set(deployment, number)
        created = await self._client.create(REPLICA_SET, new)
        await self._number(deployment, number)
        if size := created["spec"]["replicas"]:
            await self._note_scale(deployment, created, 0, size)
        return created

    async def _annotate(self, deployment: Doc, new: Doc, number: int) -> Doc:
        await self._number(deployment, number)
        wanted = _annotations(deployment, number)
        if wanted.items() <= new["metadata"].get("annotations", {}).items():
            return new
        return await self._patch(REPLICA_SET, new, {"metadata": {"annotations": wanted}})

    async def _number(self, deployment: Doc, number: int) -> None:
        if rollout.revision(deployment) != number:
            await self._patch(KIND, deployment, {"metadata": {"annotations": {rollout.REVISION: str(number)}}})

    def _sizes(self, deployment: Doc, new: Doc, old: Sequence[Doc]) -> dict[str, int]:
        if deployment["spec"].get("strategy", {}).get("type") == "Recreate":
            return rollout.recreate(deployment, new, old, self._old_pods(old))
        return rollout.rolling(deployment, new, old)

    def _old_pods(self, old: Sequence[Doc]) -> int:
        uids = {each["metadata"]["uid"] for each in old}
        namespace = old[0]["metadata"]["namespace"] if old else ""
        controllers = (ownership.controller_of(pod) for pod in self._client.list(POD, namespace)) if old else ()
        return sum(ref is not None and ref["uid"] in uids for ref in controllers)

    async def _resize(self, deployment: Doc, sets: Sequence[Doc], sizes: dict[str, int]) -> None:
        for each in sets:
            before = each["spec"].get("replicas", 1)
            size = sizes.get(each["metadata"]["name"], before)
            if size != before:
                await self._patch(REPLICA_SET, each, {"spec": {"replicas": size}})
                await self._note_scale(deployment, each, before, size)

    async def _note_scale(self, deployment: Doc, each: Doc, before: int, size: int) -> None:
        word = "up" if size > before else "down"
        message = f"Scaled {word} replica set {each['metadata']['name']} from {before} to {size}"
        await self._client.event(deployment, "Normal", "ScalingReplicaSet", message, source="deployment-controller")

    async def _forget(self, deployment: Doc, old: Sequence[Doc]) -> None:
        """Delete the oldest empty sets beyond the history that is kept."""
        limit = deployment["spec"].get("revisionHistoryLimit", _HISTORY_LIMIT)
        empty = [each for each in old if not each["spec"].get("replicas") and not each["status"].get("replicas")]
        for each in sorted(empty, key=rollout.revision)[: max(0, len(empty) - limit)]:
            await self._client.delete(REPLICA_SET, each["metadata"]["namespace"], each["metadata"]["name"])

    async def _report(self, deployment: Doc, new: Doc | None) -> float | None:
        """Write the status from what the store holds now; look again when progress could time out."""
        latest = self._client.get(KIND, deployment["metadata"]["namespace"], deployment["metadata"]["name"])
        if latest is None:
            return None
        sets = self._client.list(REPLICA_SET, latest["metadata"]["namespace"])
        mine = [each for each in sets if ownership.owned(each, latest)]
        newest = next((each for each in mine if new and each["metadata"]["uid"] == new["metadata"]["uid"]), new)
        status, again_s = deployment_status.status(latest, newest, mine, self._now())
        await statuses.replace(self._client, KIND, latest, status)
        return again_s

    async def _patch(self, kind: Any, obj: Doc, patch: Doc) -> Doc:
        metadata = obj["metadata"]
        return await self._client.patch(kind, metadata["namespace"], metadata["name"], patch)


def _current(deployment: Doc, sets: Sequence[Doc]) -> Doc | None:
    """The set whose template is the deployment's; the oldest when there are several."""
    template = deployment["spec"]["template"]
    same = [each for each in sets if rollout.same_template(each["spec"]["template"], template)]
    return min(same, key=lambda each: str(each["metadata"]["creationTimestamp"]), default=None)


def _new_set(deployment: Doc, number: int) -> Doc:
    """The ReplicaSet of the current template, empty unless the deployment has no pods yet to keep."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    name = rollout.template_hash(spec["template"])
    template = copy.deepcopy(spec["template"])
    labels = {**template.setdefault("metadata", {}).get("labels", {}), rollout.HASH_LABEL: name}
    template["metadata"]["labels"] = labels
    selector = copy.deepcopy(spec["selector"])
    selector["matchLabels"] = {**selector.get("matchLabels", {}), rollout.HASH_LABEL: name}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{metadata['name']}-{name}",
            "namespace": metadata["namespace"],
            "labels": labels,
            "annotations": _annotations(deployment, number),
            "ownerReferences": [ownership.reference(deployment)],
        },
        "spec": {
            "replicas": 0,
            "minReadySeconds": spec.get("minReadySeconds", 0),
            "selector": selector,
            "template": template,
        },
    }


def _annotations(deployment: Doc, number: int) -> dict[str, str]:
    """What a set carries of its deployment; kubectl's `rollout history` and `undo` read it."""
    own_annotations = deployment["metadata"].get("annotations", {})
    copied = {key: value for key, value in own_annotations.items() if key not in _NOT_COPIED}
    wanted = deployment["spec"].get("replicas", 1)
    return copied | {
        rollout.REVISION: str(number),
        "deployment.kubernetes.io/desired-replicas": str(wanted),
        "deployment.kubernetes.io/max-replicas": str(rollout.bounds(deployment)[0] if wanted else 0),
    }
