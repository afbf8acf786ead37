"""What a Job says of itself: counts, times and conditions. Pure. `kubectl wait` and `kubectl get jobs` read these."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from semafor.base import clock
from semafor.kube.controllers import job_pods, pods
from semafor.kube.controllers.job_progress import Count, Verdict

Doc = dict[str, Any]


def is_over(job: Doc) -> bool:
    """Whether the Job has ended and said so."""
    return any(pods.condition(job, end).get("status") == "True" for end in ("Complete", "Failed"))


def over_since(job: Doc) -> datetime:
    """When the Job ended."""
    ends = (pods.condition(job, end) for end in ("Complete", "Failed"))
    return datetime.fromisoformat(next(end["lastTransitionTime"] for end in ends if end.get("status") == "True"))


def status(job: Doc, own: Sequence[Doc], counted: Count, verdict: Verdict | None, now: datetime) -> Doc:
    """The status of a Job with these pods."""
    active = [pod for pod in own if pods.is_active(pod)]
    ending = sum(job_pods.is_terminating(pod) for pod in own)
    rest = {"succeeded": list(counted.noted_succeeded), "failed": list(counted.noted_failed)}
    counts = {"active": len(active), "succeeded": counted.succeeded, "failed": counted.failed}
    result: Doc = {
        **{field: number for field, number in counts.items() if number},
        "ready": sum(pods.is_ready(pod) for pod in active),
        "terminating": ending,
        **_times(job, now),
    }
    if any(rest.values()):
        result["uncountedTerminatedPods"] = rest  # both, since a merge patch keeps what it does not name
    if job_pods.is_indexed(job):
        result["completedIndexes"] = job_pods.text(counted.completed)
    conditions = _conditions(job, verdict, now)
    if verdict and not any(rest.values()) and not ending and not active:
        conditions.append(_condition(job, verdict.end, "True", (verdict.reason, verdict.message), now))
        if verdict.end == "Complete":
            result["completionTime"] = clock.stamp(now)
    return result | ({"conditions": conditions} if conditions else {})


def _times(job: Doc, now: datetime) -> Doc:
    """The Job starts when it is not suspended, and anew when it is resumed: its deadline counts from there."""
    started = job.get("status", {}).get("startTime")
    if job["spec"].get("suspend"):
        return {"startTime": started} if started else {}
    resumed = pods.condition(job, "Suspended").get("status") == "True"
    return {"startTime": started if started and not resumed else clock.stamp(now)}


def _conditions(job: Doc, verdict: Verdict | None, now: datetime) -> list[Doc]:
    found = []
    suspended = pods.condition(job, "Suspended")
    if job["spec"].get("suspend") and verdict is None:
        found.append(_condition(job, "Suspended", "True", ("JobSuspended", "Job suspended"), now))
    elif suspended and verdict is None:
        found.append(_condition(job, "Suspended", "False", ("JobResumed", "Job resumed"), now))
    elif suspended:
        found.append(suspended)
    if verdict:
        found.append(_condition(job, verdict.interim, "True", (verdict.reason, verdict.message), now))
    return found


def _condition(job: Doc, kind: str, holds: str, words: tuple[str, str], now: datetime) -> Doc:
    before = pods.condition(job, kind)
    if before.get("status") == holds:
        return before
    reason, message = words
    times = {"lastProbeTime": clock.stamp(now), "lastTransitionTime": clock.stamp(now)}
    return {"type": kind, "status": holds, **times, "reason": reason, "message": message}
