"""HorizontalPodAutoscaler: measures, asks `autoscaling.py` how many, and scales."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from semafor.base import clock
from semafor.kube.api.client import Client
from semafor.kube.api.node import Usage
from semafor.kube.controllers import autoscaling, statuses
from semafor.kube.controllers.autoscaling import History, Sample, Unmeasured, Wish
from semafor.kube.controllers.reconcile import Key, Watch, own
from semafor.resources import selector
from semafor.resources.apps import deployment, replica_set, stateful_set
from semafor.resources.autoscaling.horizontal_pod_autoscaler import KIND
from semafor.resources.core import pod
from semafor.resources.kind import Kind

Doc = dict[str, Any]
Measure = Callable[[Sequence[Doc]], Awaitable[Mapping[str, Mapping[str, Usage]]]]

# How often is looked. Differs from Kubernetes (15 s): there is one machine to ask, and nobody likes to wait at it.
PERIOD_S = 5.0
# How long what a pod uses is taken for its start's. Kubernetes' word for it is the initialization period.
_START_S = 10.0
_KEPT_S = 3600.0  # the longest window that a behaviour may have
_TARGETS: Mapping[str, Kind] = {each.kind: each for each in (deployment.KIND, replica_set.KIND, stateful_set.KIND)}


class Autoscalers:
    """The controller. `now` is for tests."""

    def __init__(self, client: Client, measure: Measure, now: Callable[[], datetime] = clock.now) -> None:
        self.watches: tuple[Watch, ...] = (Watch(KIND, own),)
        self._client = client
        self._measure = measure
        self._now = now
        self._histories: dict[str, History] = {}
        self._looked: dict[str, tuple[int, float]] = {}  # by uid: the generation that was looked at, and when

    async def reconcile(self, key: Key) -> float | None:
        autoscaler = self._client.get(KIND, *key)
        if autoscaler is None:
            self._forget()
            return None
        meta, now = autoscaler["metadata"], self._now().timestamp()
        generation, at = self._looked.get(meta["uid"], (0, now - PERIOD_S))
        # Our own status changes it, too: that is no reason to look. The next look is waited for already.
        if generation == meta.get("generation") and 0 <= now - at < PERIOD_S * 0.8:
            return None
        self._looked[meta["uid"]] = (meta.get("generation", 0), now)
        await self._look(autoscaler)
        return PERIOD_S

    def _forget(self) -> None:
        known = {each["metadata"]["uid"] for each in self._client.list(KIND)}
        for kept in (self._histories, self._looked):
            for uid in kept.keys() - known:
                del kept[uid]

    async def _look(self, autoscaler: Doc) -> None:
        spec, namespace = autoscaler["spec"], autoscaler["metadata"]["namespace"]
        ref = spec["scaleTargetRef"]
        kind = _TARGETS.get(ref["kind"])
        target = self._client.get(kind, namespace, ref["name"]) if kind else None
        if kind is None or target is None:
            message = f"the HPA controller was unable to get the target's current scale: no {ref['kind']} {ref['name']}"
            await self._report(autoscaler, {}, able=("False", "FailedGetScale", message))
            return
        current = int(target["spec"].get("replicas", 1))
        counts = {"currentReplicas": int((target.get("status") or {}).get("replicas", 0)), "desiredReplicas": current}
        if current == 0:
            told = ("False", "ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
            await self._report(autoscaler, counts, active=told)
            return
        wishes, failed = await self._wishes(autoscaler, target, current)
        if not wishes:
            told = ("False", failed[0].reason, f"the HPA was unable to compute the replica count: {failed[0]}")
            await self._report(autoscaler, counts, active=told)
            await self._say(autoscaler, "Warning", failed[0].reason, str(failed[0]))
            return
        await self._scale(autoscaler, kind, target, wishes, cautious=bool(failed))

    async def _wishes(self, autoscaler: Doc, target: Doc, current: int) -> tuple[list[Wish], list[Unmeasured]]:
        chosen = target["spec"].get("selector")
        pods = [each for each in self._client.list(pod.KIND, target["metadata"]["namespace"]) if _lives(each)]
        mine = [each for each in pods if selector.matches(chosen, each["metadata"].get("labels") or {})]
        used = await self._measure(mine)
        samples = [
            Sample(pod=one, used=used.get(one["metadata"]["uid"], {}), ready=_is_ready(one, self._now()))
            for one in mine
        ]
        wishes, failed = [], []
        for metric in autoscaler["spec"].get("metrics") or ():
            try:
                wishes.append(autoscaling.wish(metric, samples, current))
            except Unmeasured as error:
                failed.append(error)
        return wishes, failed

    async def _scale(self, autoscaler: Doc, kind: Kind, target: Doc, wishes: list[Wish], *, cautious: bool) -> None:
        """`cautious`: a metric is not known, and might ask for more, so there shall not be fewer."""
        uid, now = autoscaler["metadata"]["uid"], self._now()
        current = int(target["spec"].get("replicas", 1))
        greatest = max(wishes, key=lambda each: each.replicas)
        wished = max(greatest.replicas, current) if cautious else greatest.replicas
        history = _kept(self._histories.get(uid, History()), now.timestamp())
        found = autoscaling.bounded(autoscaler["spec"], current, wished, history, now.timestamp())
        moment = now.timestamp()
        changes = history.changes
        more: Doc = {}
        if found.replicas != current:
            metadata = target["metadata"]
            change = {"spec": {"replicas": found.replicas}}
            await self._client.patch(kind, metadata["namespace"], metadata["name"], change)
            changes = (*changes, (moment, found.replicas - current))
            more["lastScaleTime"] = clock.stamp(now)
            above = "above" if found.replicas > current else "below"
            reason = f"New size: {found.replicas}; reason: {greatest.what} utilization {above} target"
            await self._say(autoscaler, "Normal", "SuccessfulRescale", reason)
        self._histories[uid] = History(wishes=(*history.wishes, (moment, wished)), changes=changes)
        counts = {
            "currentReplicas": int((target.get("status") or {}).get("replicas", 0)),
            "desiredReplicas": found.replicas,
            "currentMetrics": [each.current for each in wishes],
        }
        told = f"the HPA was able to successfully calculate a replica count from {greatest.what}"
        limited = ("True" if found.limited else "False", found.limited or "DesiredWithinRange", found.message)
        await self._report(autoscaler, {**counts, **more}, active=("True", "ValidMetricFound", told), limited=limited)

    async def _say(self, autoscaler: Doc, type_: str, reason: str, message: str) -> None:
        await self._client.event(autoscaler, type_, reason, message, source="horizontal-pod-autoscaler")

    async def _report(self, autoscaler: Doc, counts: Doc, **said: tuple[str, str, str]) -> None:
        """Write the status: the counts, and a condition for each thing that is said."""
        latest = self._client.get(KIND, autoscaler["metadata"]["namespace"], autoscaler["metadata"]["name"])
        if latest is None:
            return
        ready = ("True", "ReadyForNewScale", "recommended size matches current size, or has been set")
        words = {"AbleToScale": said.get("able", ready)}
        words |= {type_: said[name] for type_, name in _CONDITIONS.items() if name in said}
        before = {each["type"]: each for each in (latest.get("status") or {}).get("conditions") or ()}
        conditions = [_condition(type_, one, before.get(type_), self._now()) for type_, one in words.items()]
        kept = {key: value for key, value in (latest.get("status") or {}).items() if key == "lastScaleTime"}
        generation = {"observedGeneration": latest["metadata"].get("generation", 1)}
        empty = {"currentReplicas": 0, "desiredReplicas": 0}
        await statuses.replace(
            self._client, KIND, latest, {**empty, **kept, **generation, **counts, "conditions": conditions}
        )


_CONDITIONS = {"ScalingActive": "active", "ScalingLimited": "limited"}


def _condition(type_: str, said: tuple[str, str, str], before: Doc | None, now: datetime) -> Doc:
    status, reason, message = said
    since = clock.stamp(now)
    if before and before.get("status") == status:
        since = before.get("lastTransitionTime", since)
    return {"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": since}


def _kept(history: History, now: float) -> History:
    """What windows can still ask for. A clock that was set back forgets what lies ahead."""

    def lately(entries: tuple[tuple[float, int], ...]) -> tuple[tuple[float, int], ...]:
        return tuple(each for each in entries if 0 <= now - each[0] <= _KEPT_S)

    return History(wishes=lately(history.wishes), changes=lately(history.changes))


def _lives(each: Doc) -> bool:
    phase = (each.get("status") or {}).get("phase")
    return phase not in ("Succeeded", "Failed") and "deletionTimestamp" not in each["metadata"]


def _is_ready(each: Doc, now: datetime) -> bool:
    """Whether it has served long enough for what it uses to be the load's, and not its start's."""
    conditions = (each.get("status") or {}).get("conditions") or ()
    found = next((one for one in conditions if one.get("type") == "Ready" and one.get("status") == "True"), None)
    since = datetime.fromisoformat(found["lastTransitionTime"]) if found else None
    return since is not None and (now - since).total_seconds() >= _START_S
