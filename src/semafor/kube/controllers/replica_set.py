"""ReplicaSet: as many pods as it says. Creates what is missing, deletes what is too much, counts the rest."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from semafor.base import clock
from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.kube.controllers import ownership, pods, statuses
from semafor.kube.controllers.reconcile import Key, Watch, own, owner
from semafor.resources.apps.replica_set import KIND
from semafor.resources.core.pod import KIND as POD

Doc = dict[str, Any]

_BURST = 500  # pods created or deleted in one go; Kubernetes' own limit


class ReplicaSets:
    """The controller. `now` is for tests."""

    def __init__(self, client: Client, now: Callable[[], datetime] = clock.now) -> None:
        self.watches: tuple[Watch, ...] = (Watch(KIND, own), Watch(POD, owner("ReplicaSet")))
        self._client = client
        self._now = now

    async def reconcile(self, key: Key) -> float | None:
        found = self._client.get(KIND, *key)
        if found is None:
            return None
        claimed = await ownership.claim(self._client, POD, found)
        active = [pod for pod in claimed if pods.is_active(pod)]
        failure = None if ownership.leaving(found) else await self._scaled(found, active)
        again_s = await self._count(found, active, failure)
        if failure is not None:
            raise failure  # to be tried again, later and later
        return again_s

    async def _scaled(self, owner_: Doc, active: Sequence[Doc]) -> StatusError | None:
        """Scale; return what kept a pod from being made, after telling the user."""
        try:
            await self._scale(owner_, active)
        except StatusError as error:
            event = f"Error creating: {error.message}"
            await self._client.event(owner_, "Warning", "FailedCreate", event, source="replicaset-controller")
            return error
        return None

    async def _scale(self, owner_: Doc, active: Sequence[Doc]) -> None:
        wanted = owner_["spec"].get("replicas", 1)
        for _ in range(min(wanted - len(active), _BURST)):
            await self._create(owner_)
        for pod in sorted(active, key=first_to_go)[: max(0, min(len(active) - wanted, _BURST))]:
            metadata = pod["metadata"]
            await self._client.delete(POD, metadata["namespace"], metadata["name"], uid=metadata["uid"])
            await self._note(owner_, "SuccessfulDelete", f"Deleted pod: {metadata['name']}")

    async def _create(self, owner_: Doc) -> None:
        pod = await self._client.create(POD, new_pod(owner_))
        await self._note(owner_, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")

    async def _note(self, owner_: Doc, reason: str, message: str) -> None:
        await self._client.event(owner_, "Normal", reason, message, source="replicaset-controller")

    async def _count(self, found: Doc, active: Sequence[Doc], failure: StatusError | None) -> float | None:
        """Write the status; look again when a ready pod will become available by waiting."""
        waits = [pods.available_in_s(pod, found["spec"].get("minReadySeconds", 0), self._now()) for pod in active]
        labels = found["spec"]["template"]["metadata"].get("labels", {})
        counts = {
            "fullyLabeledReplicas": sum(labels.items() <= pod["metadata"].get("labels", {}).items() for pod in active),
            "readyReplicas": sum(pods.is_ready(pod) for pod in active),
            "availableReplicas": sum(wait == 0 for wait in waits),
        }
        status: Doc = {
            "replicas": len(active),
            **{field: value for field, value in counts.items() if value},
            "observedGeneration": found["metadata"]["generation"],
        }
        if failure is not None:
            status["conditions"] = [_failed(found, failure, self._now())]
        await statuses.replace(self._client, KIND, found, status)
        return min((wait for wait in waits if wait), default=None)


def _failed(found: Doc, failure: StatusError, now: datetime) -> Doc:
    """The condition that tells why pods are missing."""
    before = pods.condition(found, "ReplicaFailure")
    since = before.get("lastTransitionTime") or clock.stamp(now)
    words = {"reason": "FailedCreate", "message": failure.message}
    return {"type": "ReplicaFailure", "status": "True", "lastTransitionTime": since, **words}


def new_pod(owner_: Doc) -> Doc:
    """A pod from the set's template, owned by it."""
    template, metadata = owner_["spec"]["template"], owner_["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{metadata['name']}-",
            "namespace": metadata["namespace"],
            "labels": dict(template["metadata"].get("labels", {})),
            "annotations": dict(template["metadata"].get("annotations", {})),
            "finalizers": list(template["metadata"].get("finalizers", [])),
            "ownerReferences": [ownership.reference(owner_)],
        },
        "spec": template["spec"],
    }


def first_to_go(pod: Doc) -> tuple[bool, bool, bool, int, float]:
    """Order of deletion: unscheduled, pending, not ready, cheapest to delete, youngest first. Source: ActivePods."""
    status, metadata = pod.get("status", {}), pod["metadata"]
    restarts = sum(container.get("restartCount", 0) for container in status.get("containerStatuses") or ())
    cost = int(metadata.get("annotations", {}).get("controller.kubernetes.io/pod-deletion-cost", "0"))
    born = datetime.fromisoformat(metadata["creationTimestamp"]).timestamp()
    scheduled, running = bool(pod["spec"].get("nodeName")), status.get("phase") == "Running"
    return (scheduled, running, pods.is_ready(pod), cost - restarts, -born)
