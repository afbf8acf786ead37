"""DaemonSet: one pod on the one node, replaced when its template changes. `due` and `status` are pure.

Source: Kubernetes' daemon_controller.go and update.go.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from semafor.base import clock
from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.kube.controllers import ownership, pods, replica_set, revisions, scheduler, statuses
from semafor.kube.controllers.reconcile import Key, Watch, own, owner
from semafor.resources.apps.daemon_set import KIND
from semafor.resources.core.node import KIND as NODE
from semafor.resources.core.pod import KIND as POD

Doc = dict[str, Any]

_HASH = "controller.kubernetes.io/hash"
_PREFIX = "node.kubernetes.io"
# What a daemon bears of its node, since it is there to serve it. Source: Kubernetes' page on DaemonSets.
_TOLERATED = (
    *(("NoExecute", condition) for condition in ("not-ready", "unreachable")),
    *(("NoSchedule", condition) for condition in ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")),
)


class DaemonSets:
    """The controller; `node` is the name of the one node, `now` is for tests."""

    def __init__(self, client: Client, node: str, now: Callable[[], datetime] = clock.now) -> None:
        self.watches: tuple[Watch, ...] = (
            Watch(KIND, own),
            Watch(POD, owner("DaemonSet")),
            Watch(NODE, lambda _: [key for each in client.list(KIND) for key in own(each)]),
        )
        self._client = client
        self._node = node
        self._now = now

    async def reconcile(self, key: Key) -> float | None:
        found, node = self._client.get(KIND, *key), self._client.get(NODE, "", self._node)
        if found is None or node is None or ownership.leaving(found):
            return None
        update, known = await revisions.current(self._client, found)
        name = update["metadata"]["labels"][_HASH]
        wanted = not scheduler.unfit(new_pod(found, name), node)
        mine = await ownership.claim(self._client, POD, found)
        failure = await self._taken(found, mine, name, wanted=wanted)
        mine = [pod for pod in self._client.list(POD, key.namespace) if ownership.owned(pod, found)]
        told = status(found, mine, name, self._now(), wanted=wanted)
        await statuses.replace(self._client, KIND, found, told)
        hashes = {pod["metadata"].get("labels", {}).get(revisions.LABEL, "") for pod in mine}
        used = {each["metadata"]["name"] for each in known if each["metadata"]["labels"][_HASH] in {*hashes, name}}
        await revisions.forget(self._client, found, known, used)
        if failure is not None:
            raise failure  # to be tried again, later and later
        waits = [pods.available_in_s(pod, found["spec"].get("minReadySeconds", 0), self._now()) for pod in mine]
        return min((wait for wait in waits if wait), default=None)

    async def _taken(self, found: Doc, mine: Sequence[Doc], update: str, *, wanted: bool) -> StatusError | None:
        """Make or delete the pod; return what kept it from being made, after telling the user."""
        for pod in due(found, mine, update, wanted=wanted):
            metadata = pod["metadata"]
            await self._client.delete(POD, metadata["namespace"], metadata["name"], uid=metadata["uid"])
            await self._note(found, "Normal", "SuccessfulDelete", f"Deleted pod: {metadata['name']}")
        if not wanted or mine:
            return None
        try:
            pod = await self._client.create(POD, new_pod(found, update))
        except StatusError as error:
            await self._note(found, "Warning", "FailedCreate", f"Error creating: {error.message}")
            return error
        await self._note(found, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        return None

    async def _note(self, found: Doc, type_: str, reason: str, message: str) -> None:
        await self._client.event(found, type_, reason, message, source="daemonset-controller")


def due(found: Doc, mine: Sequence[Doc], update: str, *, wanted: bool) -> list[Doc]:
    """The pods that have to go: ended ones, those of an old template, and all when the node is not meant."""
    live = [pod for pod in mine if not ownership.leaving(pod)]
    if not wanted:
        return live
    replaces = (found["spec"].get("updateStrategy") or {}).get("type") != "OnDelete"
    ended = [pod for pod in live if pods.is_finished(pod)]
    rest = sorted((pod for pod in live if pod not in ended), key=lambda pod: not _is_new(pod, update))
    return [*ended, *rest[1:], *(pod for pod in rest[:1] if replaces and not _is_new(pod, update))]


def _is_new(pod: Doc, update: str) -> bool:
    return bool(pod["metadata"].get("labels", {}).get(revisions.LABEL) == update)


def new_pod(found: Doc, update: str) -> Doc:
    """The pod of the present template."""
    pod = replica_set.new_pod(found)
    pod["metadata"]["labels"] |= {revisions.LABEL: update}
    borne = [
        {"key": f"{_PREFIX}/{condition}", "operator": "Exists", "effect": effect} for effect, condition in _TOLERATED
    ]
    return {**pod, "spec": {**pod["spec"], "tolerations": [*pod["spec"].get("tolerations", ()), *borne]}}


def status(found: Doc, mine: Sequence[Doc], update: str, now: datetime, *, wanted: bool) -> Doc:
    """The status of a set with these pods, of which the oldest counts."""
    live = [pod for pod in mine if pods.is_active(pod)][:1]
    min_ready_s = found["spec"].get("minReadySeconds", 0)
    scheduled = live if wanted else []
    available = sum(pods.available_in_s(pod, min_ready_s, now) == 0 for pod in scheduled)
    optional = {
        "updatedNumberScheduled": sum(_is_new(pod, update) for pod in scheduled),
        "numberAvailable": available,
        "numberUnavailable": int(wanted) - available,
    }
    return {
        "currentNumberScheduled": len(scheduled),
        "numberMisscheduled": 0 if wanted else len(live),
        "desiredNumberScheduled": int(wanted),
        "numberReady": sum(map(pods.is_ready, scheduled)),
        "observedGeneration": found["metadata"]["generation"],
        **{field: number for field, number in optional.items() if number},
    }
