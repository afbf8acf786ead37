"""How far a Job is: what has ended, whether the Job is over, and how many pods it wants next. Pure.

    pods ─▶ count (what has ended, once each) ─▶ verdict (over? why?) ─▶ wanted, wait_s (how many, and when)

Source: Kubernetes' job controller (job_controller.go, backoff_utils.go, success_policy.go).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from semafor.kube.controllers import job_failure, job_pods, pods

Doc = dict[str, Any]

_FIRST_BACK_OFF_S = 10.0
_LAST_BACK_OFF_S = 600.0
_COMPLETE = ("CompletionsReached", "Reached expected number of succeeded pods")


class Count(NamedTuple):
    """What has ended. A pod's end is noted by its uid until its finalizer is gone, and then only in the number.

    `ended` are the pods that may go, now that they are noted.
    """

    succeeded: int
    failed: int
    noted_succeeded: tuple[str, ...]
    noted_failed: tuple[str, ...]
    completed: frozenset[int]
    ended: tuple[Doc, ...]

    @property
    def all_succeeded(self) -> int:
        return self.succeeded + len(self.noted_succeeded)

    @property
    def all_failed(self) -> int:
        return self.failed + len(self.noted_failed)


class Verdict(NamedTuple):
    """That the Job is over: as `Complete` or `Failed`, and why."""

    end: str
    reason: str
    message: str

    @property
    def interim(self) -> str:
        """The condition that tells the verdict while pods are still ending."""
        return "SuccessCriteriaMet" if self.end == "Complete" else "FailureTarget"


def count(job: Doc, own: Sequence[Doc]) -> Count:
    """Count the ends of the Job's pods that were not counted yet."""
    status = job.get("status", {})
    noted = status.get("uncountedTerminatedPods") or {}
    tracked = {pod["metadata"]["uid"]: pod for pod in own if job_pods.is_tracked(pod)}
    succeeded, failed = ([uid for uid in noted.get(end, ()) if uid in tracked] for end in ("succeeded", "failed"))
    flushed = [len(noted.get(end, ())) - len(rest) for end, rest in (("succeeded", succeeded), ("failed", failed))]
    completed = job_pods.parse(status.get("completedIndexes", ""))
    ended = []
    for uid, pod in tracked.items():
        if job_pods.has_succeeded(pod) and uid not in failed:
            if job_pods.is_indexed(job):
                completed |= _valid(job, pod)
            elif uid not in succeeded:
                succeeded.append(uid)
        elif not job_pods.has_failed(job, pod):
            continue
        elif uid not in failed and job_failure.meaning(job, pod).action != "Ignore":
            failed.append(uid)
        ended.append(pod)
    return Count(
        succeeded=len(completed) if job_pods.is_indexed(job) else status.get("succeeded", 0) + flushed[0],
        failed=status.get("failed", 0) + flushed[1],
        noted_succeeded=tuple(succeeded),
        noted_failed=tuple(failed),
        completed=frozenset(completed),
        ended=tuple(ended),
    )


def _valid(job: Doc, pod: Doc) -> set[int]:
    at = job_pods.index(pod)
    return {at} if at is not None and at < job["spec"]["completions"] else set()


def verdict(job: Doc, own: Sequence[Doc], counted: Count, now: datetime) -> Verdict | None:
    """Whether the Job is over, which it stays once it has said so."""
    return _told(job) or _failure(job, own, counted, now) or _early_success(job, counted)


def _told(job: Doc) -> Verdict | None:
    for end, interim in (("Complete", "SuccessCriteriaMet"), ("Failed", "FailureTarget")):
        told = pods.condition(job, interim)
        if told.get("status") == "True":
            return Verdict(end, told["reason"], told["message"])
    return None


def _failure(job: Doc, own: Sequence[Doc], counted: Count, now: datetime) -> Verdict | None:
    meanings = (job_failure.meaning(job, pod) for pod in own if job_pods.is_tracked(pod))
    fatal = next((each for each in meanings if each.action == "FailJob"), None)
    if fatal:
        return Verdict("Failed", "PodFailurePolicy", fatal.message)
    if counted.all_failed > job["spec"].get("backoffLimit", 6) or _restarts_too_often(job, own):
        return Verdict("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    left_s = deadline_s(job, now)
    if left_s is not None and left_s <= 0:
        return Verdict("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
    return None


def _restarts_too_often(job: Doc, own: Sequence[Doc]) -> bool:
    """With restartPolicy OnFailure a container's restarts count against the limit."""
    if job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    limit = job["spec"].get("backoffLimit", 6)
    return bool(sum(map(_restarts, own)) >= max(limit, 1))


def _restarts(pod: Doc) -> int:
    status = pod.get("status", {})
    if pods.is_finished(pod):
        return 0
    containers = (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
    return sum(each.get("restartCount", 0) for each in containers)


def deadline_s(job: Doc, now: datetime) -> float | None:
    """Seconds until activeDeadlineSeconds runs out; None when nothing limits the Job."""
    limit_s, started = job["spec"].get("activeDeadlineSeconds"), job.get("status", {}).get("startTime")
    if limit_s is None or job["spec"].get("suspend"):
        return None
    begin = datetime.fromisoformat(started) if started else now
    return (begin + timedelta(seconds=limit_s) - now).total_seconds()


def _early_success(job: Doc, counted: Count) -> Verdict | None:
    """Whether a rule of successPolicy holds."""
    for number, rule in enumerate((job["spec"].get("successPolicy") or {}).get("rules", ())):
        indexes = job_pods.parse(rule.get("succeededIndexes") or f"0-{job['spec']['completions'] - 1}")
        wanted = rule.get("succeededCount") or len(indexes)
        if len(indexes & counted.completed) >= wanted:
            return Verdict("Complete", "SuccessPolicy", f"Matched rules at index {number}")
    return None


def completion(job: Doc, counted: Count, active: int) -> Verdict | None:
    """Whether the Job has all that it asked for. Without `completions` any pod that succeeds stands for all."""
    wanted = job["spec"].get("completions")
    enough = counted.all_succeeded > 0 if wanted is None else counted.all_succeeded >= wanted
    return Verdict("Complete", *_COMPLETE) if enough and not active else None


def wanted(job: Doc, counted: Count, active: int) -> int:
    """How many pods should run at present."""
    spec = job["spec"]
    most = spec.get("parallelism", 1)
    if spec.get("suspend"):
        return 0
    if spec.get("completions") is None:
        return min(int(most), active) if counted.all_succeeded else int(most)
    return int(max(0, min(most, spec["completions"] - counted.all_succeeded)))


def wait_s(own: Sequence[Doc], now: datetime) -> float:
    """Seconds to wait before the next pod: 10 after a failure, twice as long after each further one in a row."""
    successes = [job_pods.ended_at(pod) for pod in own if job_pods.has_succeeded(pod)]
    failures = [job_pods.ended_at(pod) for pod in own if pod.get("status", {}).get("phase") == "Failed"]
    since = [moment for moment in failures if not successes or moment > max(successes)]
    if not since:
        return 0.0
    delay_s = min(_FIRST_BACK_OFF_S * 2.0 ** min(len(since) - 1, 10), _LAST_BACK_OFF_S)
    return max(0.0, delay_s - (now - max(since)).total_seconds())


def missing_indexes(job: Doc, counted: Count, active: Sequence[Doc]) -> list[int]:
    """The indexes of an indexed Job that have neither succeeded nor a pod, the first ones first."""
    taken = {job_pods.index(pod) for pod in active}
    return [at for at in range(job["spec"]["completions"]) if at not in counted.completed and at not in taken]
