"""Job: pods until enough of them have succeeded, or too many have failed. `job_progress` decides, `job_status` tells.

Each pod carries a finalizer until its end is in the Job's status, so that none is counted twice or not at all, whoever
deletes it. Source: Kubernetes' job controller and its TTL controller.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from semafor.base import clock
from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.kube.controllers import job_pods, job_progress, job_status, ownership, pods, replica_set, statuses
from semafor.kube.controllers.job_progress import Count, Verdict
from semafor.kube.controllers.reconcile import Key, Watch, own, owner
from semafor.resources.batch.job import KIND
from semafor.resources.core.pod import KIND as POD

Doc = dict[str, Any]

_BURST = 500  # pods created in one go; Kubernetes' own limit
_CONTROLLER = "kubernetes.io/job-controller"
_TOLD = {"Suspended": "Job suspended", "Resumed": "Job resumed"}


class Jobs:
    """The controller. `now` is for tests."""

    def __init__(self, client: Client, now: Callable[[], datetime] = clock.now) -> None:
        self.watches: tuple[Watch, ...] = (Watch(KIND, own), Watch(POD, _of_pod))
        self._client = client
        self._now = now

    async def reconcile(self, key: Key) -> float | None:
        job = self._client.get(KIND, *key)
        await self._release(pod for pod in self._named(key) if job is None or not ownership.owned(pod, job))
        if job is None or not _is_ours(job):
            return None
        if ownership.leaving(job) or job_status.is_over(job):
            await self._release(pod for pod in self._named(key) if ownership.owned(pod, job))
            return await self._expire(job)
        return await self._continue(job, await ownership.claim(self._client, POD, job))

    async def _continue(self, job: Doc, mine: Sequence[Doc]) -> float | None:
        """Bring a Job that runs a step further."""
        counted = job_progress.count(job, mine)
        verdict = job_progress.verdict(job, mine, counted, self._now())
        active = [pod for pod in mine if pods.is_active(pod)]
        again_s, failure = None, None
        if verdict:
            await self._delete(job, active)
        else:
            again_s, failure = await self._resized(job, mine, counted)
        latest = [pod for pod in self._client.list(POD, job["metadata"]["namespace"]) if ownership.owned(pod, job)]
        active = [pod for pod in latest if pods.is_active(pod)]
        verdict = verdict or job_progress.completion(job, counted, len(active))
        await self._tell(job, job_status.status(job, latest, counted, verdict, self._now()), verdict)
        await self._release(counted.ended)
        if failure is not None:
            raise failure  # to be tried again, later and later
        waits = (again_s, None if verdict else job_progress.deadline_s(job, self._now()))
        return min((wait for wait in waits if wait is not None), default=None)

    async def _resized(self, job: Doc, mine: Sequence[Doc], counted: Count) -> tuple[float | None, StatusError | None]:
        """Scale; return when to look again, and what kept a pod from being made, after telling the user."""
        try:
            return await self._resize(job, mine, counted), None
        except StatusError as error:
            await self._note(job, "Warning", "FailedCreate", f"Error creating: {error.message}")
            return None, error

    async def _resize(self, job: Doc, mine: Sequence[Doc], counted: Count) -> float | None:
        active = [pod for pod in mine if pods.is_active(pod)]
        wanted = job_progress.wanted(job, counted, len(active))
        surplus = job_pods.surplus(job, active)
        rest = [pod for pod in active if pod not in surplus]
        surplus += sorted(rest, key=replica_set.first_to_go)[: max(0, len(rest) - wanted)]
        await self._release(surplus)  # what the Job itself ends is no failure
        await self._delete(job, surplus)
        lacking = wanted - len(rest)
        if job["spec"].get("podReplacementPolicy") == "Failed":
            lacking -= sum(map(job_pods.is_terminating, mine))
        if lacking <= 0:
            return None
        if wait_s := job_progress.wait_s(mine, self._now()):
            return wait_s
        await self._create(job, rest, counted, min(lacking, _BURST))
        return None

    async def _create(self, job: Doc, active: Sequence[Doc], counted: Count, number: int) -> None:
        indexes: Sequence[int | None] = [None] * number
        if job_pods.is_indexed(job):
            indexes = job_progress.missing_indexes(job, counted, active)[:number]
        for at in indexes:
            pod = await self._client.create(POD, job_pods.new_pod(job, at))
            await self._note(job, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")

    async def _delete(self, job: Doc, those: Iterable[Doc]) -> None:
        for pod in those:
            metadata = pod["metadata"]
            await self._client.delete(POD, metadata["namespace"], metadata["name"], uid=metadata["uid"])
            await self._note(job, "Normal", "SuccessfulDelete", f"Deleted pod: {metadata['name']}")

    async def _tell(self, job: Doc, status: Doc, verdict: Verdict | None) -> None:
        """Write the status, and an event for what has changed in it."""
        await statuses.replace(self._client, KIND, job, status)
        after = {"status": status}
        was, holds = (pods.condition(each, "Suspended").get("status") for each in (job, after))
        if holds and was != holds:
            reason = "Suspended" if holds == "True" else "Resumed"
            await self._note(job, "Normal", reason, _TOLD[reason])
        if verdict and job_status.is_over(after):
            if verdict.end == "Complete":
                await self._note(job, "Normal", "Completed", "Job completed")
            else:
                await self._note(job, "Warning", verdict.reason, verdict.message)

    async def _release(self, those: Iterable[Doc]) -> None:
        """Let pods go whose end needs no counting any more."""
        for pod in those:
            if job_pods.is_tracked(pod):
                metadata = pod["metadata"]
                rest = [each for each in metadata["finalizers"] if each != job_pods.FINALIZER]
                patch = {"metadata": {"uid": metadata["uid"], "finalizers": rest}}
                try:
                    await self._client.patch(POD, metadata["namespace"], metadata["name"], patch)
                except StatusError as error:
                    if error.reason != "NotFound":
                        raise

    async def _expire(self, job: Doc) -> float | None:
        """Delete a Job whose ttlSecondsAfterFinished has passed; return how long that is to come."""
        ttl_s = job["spec"].get("ttlSecondsAfterFinished")
        if ttl_s is None or ownership.leaving(job):
            return None
        left_s = (job_status.over_since(job) + timedelta(seconds=ttl_s) - self._now()).total_seconds()
        if left_s > 0:
            return left_s
        metadata = job["metadata"]
        where = (metadata["namespace"], metadata["name"])
        await self._client.delete(KIND, *where, propagation="Foreground", uid=metadata["uid"])
        return None

    def _named(self, key: Key) -> list[Doc]:
        """The pods that say they are this Job's, whoever owns them now."""
        return self._client.list(POD, key.namespace, labels={job_pods.NAME_LABEL: key.name})

    async def _note(self, job: Doc, type_: str, reason: str, message: str) -> None:
        await self._client.event(job, type_, reason, message, source="job-controller")


def _is_ours(job: Doc) -> bool:
    """Whether we run the Job. One without a selector was stored by a version to which Jobs were but documents."""
    return "selector" in job["spec"] and job["spec"].get("managedBy", _CONTROLLER) == _CONTROLLER


def _of_pod(pod: Doc) -> tuple[Key, ...]:
    """A pod's Job, by its owner; one that was orphaned still has its label."""
    metadata = pod["metadata"]
    name = metadata.get("labels", {}).get(job_pods.NAME_LABEL)
    labelled = (Key(metadata["namespace"], name),) if name and job_pods.is_tracked(pod) else ()
    return tuple(dict.fromkeys((*owner("Job")(pod), *labelled)))
