"""What a Deployment says of itself: counts, and the conditions Available and Progressing. Pure.

`kubectl rollout status` and `kubectl wait` read these; the words are Kubernetes' own.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from semafor.base import clock
from semafor.kube.controllers import pods, rollout

Doc = dict[str, Any]

_DEADLINE_S = 600  # Kubernetes' default of progressDeadlineSeconds
_NO_DEADLINE = 2**31 - 1


def status(deployment: Doc, new: Doc | None, sets: Sequence[Doc], now: datetime) -> tuple[Doc, float | None]:
    """The status, and after how many seconds progress may have timed out."""
    counts = _counts(new, sets)
    before = deployment.get("status", {})
    wanted = deployment["spec"].get("replicas", 1)
    kept = {key: before[key] for key in ("collisionCount",) if key in before}
    result = {
        **kept,
        "observedGeneration": deployment["metadata"]["generation"],
        **{key: value for key, value in counts.items() if value},
    }
    missing = max(counts["replicas"], wanted) - counts["availableReplicas"]
    if missing > 0:
        result["unavailableReplicas"] = missing
    progressing, again_s = _progressing(deployment, new, counts, now)
    available = _available(deployment, counts["availableReplicas"])
    failing = _failing(new, sets)
    conditions = (available, progressing, *failing)
    result["conditions"] = [_dated(deployment, condition, now) for condition in conditions]
    return result, again_s


def _failing(new: Doc | None, sets: Sequence[Doc]) -> tuple[Doc, ...]:
    """Why pods cannot be made: what the new set says of it, else any other."""
    found = [pods.condition(each, "ReplicaFailure") for each in ((new,) if new else ()) + tuple(sets)]
    words = next((condition for condition in found if condition.get("status") == "True"), None)
    if words is None:
        return ()
    return (_condition("ReplicaFailure", "True", words["reason"], words.get("message", "")),)


def _counts(new: Doc | None, sets: Sequence[Doc]) -> dict[str, int]:
    def total(field: str) -> int:
        return sum(each.get("status", {}).get(field, 0) for each in sets)

    return {
        "replicas": total("replicas"),
        "updatedReplicas": new.get("status", {}).get("replicas", 0) if new else 0,
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": total("availableReplicas"),
    }


def _available(deployment: Doc, available: int) -> Doc:
    fewest = rollout.bounds(deployment)[1]
    if available >= fewest:
        return _condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    message = "Deployment does not have minimum availability."
    return _condition("Available", "False", "MinimumReplicasUnavailable", message)


def _progressing(deployment: Doc, new: Doc | None, counts: dict[str, int], now: datetime) -> tuple[Doc, float | None]:
    name = deployment["metadata"]["name"]
    before = pods.condition(deployment, "Progressing")
    if deployment["spec"].get("paused"):
        return _condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused"), None
    what = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{name}"'
    if _complete(deployment, counts):
        return _condition("Progressing", "True", "NewReplicaSetAvailable", f"{what} has successfully progressed."), None
    fresh = _condition("Progressing", "True", "ReplicaSetUpdated", f"{what} is progressing.")
    deadline_s = deployment["spec"].get("progressDeadlineSeconds", _DEADLINE_S)
    if deadline_s == _NO_DEADLINE or _moved(deployment, before, counts):
        return fresh, None if deadline_s == _NO_DEADLINE else float(deadline_s)
    left_s = (datetime.fromisoformat(before["lastUpdateTime"]) + timedelta(seconds=deadline_s) - now).total_seconds()
    if left_s <= 0:
        return _condition(
            "Progressing", "False", "ProgressDeadlineExceeded", f"{what} has timed out progressing."
        ), None
    return fresh, left_s + 0.1


def _complete(deployment: Doc, counts: dict[str, int]) -> bool:
    wanted = deployment["spec"].get("replicas", 1)
    return bool(counts["updatedReplicas"] == counts["replicas"] == counts["availableReplicas"] == wanted)


def _moved(deployment: Doc, before: Doc, counts: dict[str, int]) -> bool:
    """Whether there has been progress since the status was last written: a new template, or other counts."""
    old = deployment.get("status", {})
    changed = any(
        old.get(field, 0) != counts[field] for field in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    fewer_old = old.get("replicas", 0) - old.get("updatedReplicas", 0) > counts["replicas"] - counts["updatedReplicas"]
    unseen = old.get("observedGeneration") != deployment["metadata"]["generation"]
    return not before or before["reason"] == "NewReplicaSetAvailable" or changed or fewer_old or unseen


def _condition(kind: str, holds: Literal["True", "False", "Unknown"], reason: str, message: str) -> Doc:
    return {"type": kind, "status": holds, "reason": reason, "message": message}


def _dated(deployment: Doc, condition: Doc, now: datetime) -> Doc:
    """The condition with its times: kept while it says the same, and the progress of a rollout refreshed."""
    before = pods.condition(deployment, condition["type"])
    text = clock.stamp(now)
    same_status = before.get("status") == condition["status"]
    same = same_status and (before["reason"], before["message"]) == (condition["reason"], condition["message"])
    still = same and not (condition["reason"] == "ReplicaSetUpdated" and _seen_progress(deployment))
    return condition | {
        "lastUpdateTime": before["lastUpdateTime"] if still else text,
        "lastTransitionTime": before["lastTransitionTime"] if same_status else text,
    }


def _seen_progress(deployment: Doc) -> bool:
    return bool(deployment.get("status", {}).get("observedGeneration") != deployment["metadata"]["generation"])
