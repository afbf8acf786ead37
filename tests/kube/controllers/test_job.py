"""Jobs: from their pods' ends to their own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.kube.controllers.world import World, world

from semafor.kube.controllers import job_failure, job_pods, job_progress
from semafor.resources.batch import job
from semafor.resources.core import event, pod

Json = dict[str, Any]
LONG_AGO = "2026-01-01T00:00:00Z"


def sums(restart: str = "Never", **spec: Any) -> Json:
    template = {"spec": {"restartPolicy": restart, "containers": [{"name": "app", "image": "sums"}]}}
    meta = {"name": "sums", "namespace": "default"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": template, **spec}}


async def end(it: World, phase: str, code: int = 0, number: int = 1) -> None:
    """End this many of the Job's pods, as soon as they are there."""
    live = await it.eventually(lambda: found if len(found := running(it)) >= number else None)
    for each in live[:number]:
        state = {"terminated": {"exitCode": code, "finishedAt": LONG_AGO}}
        ended = [{"name": "app", "image": "", "imageID": "", "ready": False, "restartCount": 0, "state": state}]
        await it.make_ready(each, phase=phase, containerStatuses=ended, conditions=[])


def running(it: World) -> list[Json]:
    return [each for each in it.client.list(pod.KIND, "default") if each["status"]["phase"] == "Pending"]


def conditions(found: Json) -> dict[str, str]:
    return {entry["type"]: entry.get("reason", "") for entry in found.get("status", {}).get("conditions", ())}


def has(kind: str) -> Callable[[Json], bool]:
    return lambda found: kind in conditions(found)


def idle(it: World) -> World:
    it.ready = lambda _: False
    return it


async def test_a_job_is_complete_when_its_pod_has_succeeded() -> None:
    async with world() as it:
        await idle(it).client.create(job.KIND, sums())
        await end(it, "Succeeded")
        found = await it.until(job.KIND, "sums", has("Complete"))
        assert conditions(found) == dict.fromkeys(("SuccessCriteriaMet", "Complete"), "CompletionsReached")
        status = found["status"]
        assert {key: status.get(key) for key in ("active", "ready", "succeeded", "failed")} == {
            "active": None,
            "ready": 0,
            "succeeded": 1,
            "failed": None,
        }
        assert status["startTime"] <= status["completionTime"]
        await it.eventually(lambda: "Completed" in {each["reason"] for each in it.client.list(event.KIND)})


async def test_a_job_and_its_pods_are_labelled_by_its_name_and_uid() -> None:
    async with world() as it:
        made = await idle(it).client.create(job.KIND, sums())
        uid = made["metadata"]["uid"]
        assert made["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
        (found,) = await it.eventually(lambda: running(it))
        assert found["metadata"]["labels"] == made["metadata"]["labels"]
        assert found["metadata"]["labels"] == {
            "batch.kubernetes.io/controller-uid": uid,
            "batch.kubernetes.io/job-name": "sums",
            "controller-uid": uid,
            "job-name": "sums",
        }


async def test_a_job_runs_no_more_pods_at_a_time_than_its_parallelism() -> None:
    async with world() as it:
        await idle(it).client.create(job.KIND, sums(completions=5, parallelism=2))
        await end(it, "Succeeded", number=2)
        await it.until(job.KIND, "sums", lambda found: found["status"].get("succeeded") == 2)
        await end(it, "Succeeded", number=2)
        await end(it, "Succeeded")
        found = await it.until(job.KIND, "sums", has("Complete"))
        assert found["status"]["succeeded"] == 5
        assert max(pods for pods, _ in it.seen) == 5  # those that have ended stay


async def test_a_job_fails_after_its_back_off_limit() -> None:
    async with world() as it:
        await idle(it).client.create(job.KIND, sums(backoffLimit=1, completions=4, parallelism=2))
        await end(it, "Failed", code=1)
        await end(it, "Failed", code=1)
        found = await it.until(job.KIND, "sums", has("Failed"))
        assert conditions(found)["Failed"] == "BackoffLimitExceeded"
        assert "active" not in found["status"]
        assert found["status"]["failed"] >= 2


async def test_a_pod_that_somebody_deletes_is_counted_all_the_same() -> None:
    async with world() as it:
        await idle(it).client.create(job.KIND, sums(completions=2))
        await end(it, "Succeeded")
        (done,) = [each for each in it.client.list(pod.KIND) if each["status"]["phase"] == "Succeeded"]
        await it.client.delete(pod.KIND, "default", done["metadata"]["name"])
        await end(it, "Succeeded")
        await it.until(job.KIND, "sums", has("Complete"))


async def test_each_index_succeeds_once() -> None:
    async with world() as it:
        await idle(it).client.create(job.KIND, sums(completions=3, parallelism=2, completionMode="Indexed"))
        first = await it.eventually(lambda: found if len(found := running(it)) == 2 else None)
        assert [each["metadata"]["annotations"][job_pods.INDEX] for each in first] == ["0", "1"]
        assert [each["spec"]["hostname"] for each in first] == ["sums-0", "sums-1"]
        assert "JOB_COMPLETION_INDEX" in {entry["name"] for entry in first[0]["spec"]["containers"][0]["env"]}
        await end(it, "Succeeded", number=2)
        await end(it, "Succeeded")
        found = await it.until(job.KIND, "sums", has("Complete"))
        assert (found["status"]["completedIndexes"], found["status"]["succeeded"]) == ("0-2", 3)


async def test_a_suspended_job_has_no_pods_and_counts_none_as_failed() -> None:
    async with world() as it:
        await idle(it).client.create(job.KIND, sums(backoffLimit=0))
        await it.eventually(lambda: running(it))
        await it.client.patch(job.KIND, "default", "sums", {"spec": {"suspend": True}})
        await it.until(job.KIND, "sums", lambda found: conditions(found) == {"Suspended": "JobSuspended"})
        await it.eventually(lambda: not it.client.list(pod.KIND))
        await it.client.patch(job.KIND, "default", "sums", {"spec": {"suspend": False}})
        await end(it, "Succeeded")
        found = await it.until(job.KIND, "sums", has("Complete"))
        assert conditions(found)["Suspended"] == "JobResumed"
        assert "failed" not in found["status"]


async def test_a_finished_job_is_deleted_after_its_time_to_live() -> None:
    async with world() as it:
        await idle(it).client.create(job.KIND, sums(ttlSecondsAfterFinished=0))
        await end(it, "Succeeded")
        await it.eventually(lambda: not it.client.list(job.KIND) and not it.client.list(pod.KIND))


async def test_with_a_job_go_its_pods() -> None:
    async with world() as it:
        await idle(it).client.create(job.KIND, sums())
        await it.eventually(lambda: running(it))
        await it.client.delete(job.KIND, "default", "sums")
        await it.eventually(lambda: not it.client.list(pod.KIND))


async def test_orphaned_pods_are_not_held() -> None:
    async with world() as it:
        await idle(it).client.create(job.KIND, sums())
        await it.eventually(lambda: running(it))
        await it.client.delete(job.KIND, "default", "sums", propagation="Orphan")
        await it.eventually(lambda: not it.client.list(job.KIND))
        (left,) = await it.eventually(lambda: running(it))
        await it.client.delete(pod.KIND, "default", left["metadata"]["name"])
        await it.eventually(lambda: not it.client.list(pod.KIND))


async def test_a_deadline_ends_a_job() -> None:
    async with world() as it:
        await idle(it).client.create(job.KIND, sums(activeDeadlineSeconds=1))
        found = await it.until(job.KIND, "sums", has("Failed"))
        assert conditions(found)["Failed"] == "DeadlineExceeded"
        await it.eventually(lambda: not running(it))


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ended(phase: str, seconds_ago: int, code: int = 0) -> Json:
    finished = (NOW - timedelta(seconds=seconds_ago)).isoformat()
    state = {"terminated": {"exitCode": code, "finishedAt": finished}}
    meta = {"name": "sums-1", "namespace": "default", "creationTimestamp": LONG_AGO}
    return {"metadata": meta, "status": {"phase": phase, "containerStatuses": [{"name": "app", "state": state}]}}


@pytest.mark.parametrize(
    ("own", "wait_s"),
    [
        ([], 0),
        ([ended("Failed", 4)], 6),
        ([ended("Failed", 30), ended("Failed", 4)], 16),
        ([ended("Failed", 90), ended("Failed", 30), ended("Failed", 4)], 36),
        ([ended("Failed", 30), ended("Succeeded", 20), ended("Failed", 4)], 6),
        ([ended("Failed", 11)], 0),
        ([ended("Failed", 1)] * 50, 599),
    ],
)
def test_the_back_off_doubles_from_ten_seconds(own: list[Json], wait_s: int) -> None:
    assert job_progress.wait_s(own, NOW) == wait_s


def test_restarts_in_place_count_against_the_limit() -> None:
    live = {
        "metadata": {"name": "a", "uid": "u"},
        "status": {"phase": "Running", "containerStatuses": [{"restartCount": 2}]},
    }
    for limit, over in ((2, True), (3, False)):
        wanted = {**sums("OnFailure", backoffLimit=limit), "status": {}}
        counted = job_progress.count(wanted, [live])
        assert (job_progress.verdict(wanted, [live], counted, NOW) is not None) is over


@pytest.mark.parametrize(
    ("rule", "action"),
    [
        ({"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}, "FailJob"),
        ({"action": "Ignore", "onExitCodes": {"operator": "NotIn", "values": [1, 2]}}, "Ignore"),
        ({"action": "Ignore", "onExitCodes": {"operator": "In", "values": [42], "containerName": "b"}}, "Count"),
        ({"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}, "Count"),
    ],
)
def test_a_failure_means_what_the_policy_says(rule: Json, action: str) -> None:
    found = job_failure.meaning(sums(podFailurePolicy={"rules": [rule]}), ended("Failed", 0, code=42))
    assert found.action == action
    if action == "FailJob":
        assert found.message == (
            "Container app for pod default/sums-1 failed with exit code 42 matching FailJob rule at index 0"
        )


def test_indexes_are_written_as_kubernetes_does() -> None:
    assert job_pods.text({1, 3, 4, 6, 7, 8}) == "1,3,4,6-8"
    assert job_pods.parse("1,3,4,6-8") == {1, 3, 4, 6, 7, 8}


def test_a_success_policy_needs_no_more_than_it_says() -> None:
    policy = {"rules": [{"succeededIndexes": "0,2-3", "succeededCount": 2}]}
    wanted = {**sums(completions=5, completionMode="Indexed", successPolicy=policy), "status": {}}
    for done, reason in (("0,1", None), ("0,3", "SuccessPolicy")):
        wanted["status"] = {"completedIndexes": done}
        found = job_progress.verdict(wanted, [], job_progress.count(wanted, []), NOW)
        assert (found and found.reason) == reason
