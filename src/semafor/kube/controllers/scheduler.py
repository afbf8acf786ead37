"""Scheduler of one node: binds every pod that may run here, and says why one may not. `unfit` is pure."""

from typing import Any

from semafor.kube.api.client import Client
from semafor.kube.controllers import claims
from semafor.kube.controllers.reconcile import Key, Watch, own
from semafor.resources.core.node import KIND as NODE
from semafor.resources.core.persistent_volume_claim import KIND as CLAIM
from semafor.resources.core.pod import KIND

Doc = dict[str, Any]

NAME = "default-scheduler"
_UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


class Scheduler:
    """The controller; `node` is the name of the one node."""

    def __init__(self, client: Client, node: str) -> None:
        self.watches: tuple[Watch, ...] = (
            Watch(KIND, _unbound),
            Watch(NODE, self._waiting),
            Watch(CLAIM, self._waiting),
        )
        self._client = client
        self._node = node

    async def reconcile(self, key: Key) -> None:
        pod, node = self._client.get(KIND, *key), self._client.get(NODE, "", self._node)
        if pod is None or not _unbound(pod):
            return
        why = (unfit(pod, node) if node else "no nodes available to schedule pods") or self._unclaimed(pod)
        if why:
            await self._refuse(pod, why)
            return
        bound = await self._client.patch(KIND, *key, {"spec": {"nodeName": self._node}})
        message = f"Successfully assigned {key.namespace}/{key.name} to {self._node}"
        await self._client.event(bound, "Normal", "Scheduled", message, source=NAME)

    def _unclaimed(self, pod: Doc) -> str:
        """Why the pod has to wait for its storage; "" when all its claims are bound."""
        for name in sorted(claims.claimed(pod)):
            claim = self._client.get(CLAIM, pod["metadata"]["namespace"], name)
            if claim is None:
                return f'0/1 nodes are available: persistentvolumeclaim "{name}" not found.'
            if claim["status"].get("phase") != "Bound":
                return "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
        return ""

    def _waiting(self, _: Doc) -> list[Key]:
        """A change of the node or of a claim may let pods in that did not fit."""
        return [key for pod in self._client.list(KIND) for key in _unbound(pod)]

    async def _refuse(self, pod: Doc, why: str) -> None:
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why}
        status = pod.get("status", {})
        if condition.items() <= next(iter(status.get("conditions") or [{}]), {}).items():
            return
        metadata = pod["metadata"]
        patch = {"status": {"conditions": [condition]}}
        await self._client.patch(KIND, metadata["namespace"], metadata["name"], patch, subresource="status")
        await self._client.event(pod, "Warning", "FailedScheduling", why, source=NAME)


def unfit(pod: Doc, node: Doc) -> str:
    """Why the pod may not run on the node, in Kubernetes' words; "" when it may."""
    spec, labels, place = pod["spec"], node["metadata"].get("labels", {}), node.get("spec") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
    tolerations = spec.get("tolerations") or ()
    for taint in place.get("taints") or ():
        if taint["effect"] != "PreferNoSchedule" and not any(_tolerates(t, taint) for t in tolerations):
            pair = f"{taint['key']}: {taint.get('value', '')}"
            return f"0/1 nodes are available: 1 node(s) had untolerated taint {{{pair}}}."
    if place.get("unschedulable") and not any(_tolerates(t, _UNSCHEDULABLE) for t in tolerations):
        return "0/1 nodes are available: 1 node(s) were unschedulable."
    return ""


def _tolerates(toleration: Doc, taint: Doc) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    same_key = bool(toleration.get("key") == taint["key"])
    return same_key and bool(toleration.get("value", "") == taint.get("value", ""))


def _unbound(pod: Doc) -> tuple[Key, ...]:
    """The pod's key while it waits for us; pods of another scheduler, or on their way out, do not."""
    spec = pod["spec"]
    ours = spec.get("schedulerName", NAME) == NAME and not spec.get("schedulingGates")
    waits = not spec.get("nodeName") and "deletionTimestamp" not in pod["metadata"]
    return own(pod) if ours and waits else ()
