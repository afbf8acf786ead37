"""A Job's pods: how one is made, what its index is, and which have ended since the Job last counted. Pure.

Source: Kubernetes' job controller (job_controller.go, indexed_job_utils.go).
"""

import copy
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from semafor.kube.controllers import ownership, pods

Doc = dict[str, Any]

FINALIZER = "batch.kubernetes.io/job-tracking"
NAME_LABEL = "batch.kubernetes.io/job-name"
INDEX = "batch.kubernetes.io/job-completion-index"
_LONGEST_NAME = 57  # with `-` and five random characters that is 63, as long as a host name may be


def is_indexed(job: Doc) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def index(pod: Doc) -> int | None:
    """The pod's completion index; None when it has none."""
    text = pod["metadata"].get("annotations", {}).get(INDEX, "")
    return int(text) if text.isdigit() else None


def is_tracked(pod: Doc) -> bool:
    """Whether the Job has not yet counted the pod's end."""
    return FINALIZER in pod["metadata"].get("finalizers", ())


def has_succeeded(pod: Doc) -> bool:
    return bool(pod.get("status", {}).get("phase") == "Succeeded")


def has_failed(job: Doc, pod: Doc) -> bool:
    """Whether the pod counts as failed: one that is deleted does at once, unless the Job waits for its end."""
    phase, leaving = pod.get("status", {}).get("phase"), ownership.leaving(pod)
    if job["spec"].get("podReplacementPolicy") == "Failed":
        return phase == "Failed" or (leaving and phase == "Pending")
    return phase == "Failed" or (leaving and phase != "Succeeded")


def is_terminating(pod: Doc) -> bool:
    return ownership.leaving(pod) and not pods.is_finished(pod)


def ended_at(pod: Doc) -> datetime:
    """When the last of its containers ended; when that is not told, when it was made."""
    status = pod.get("status", {})
    states = [each.get("state", {}).get("terminated") or {} for each in status.get("containerStatuses") or ()]
    times = [state["finishedAt"] for state in states if state.get("finishedAt")]
    return datetime.fromisoformat(max(times, default=pod["metadata"]["creationTimestamp"]))


def new_pod(job: Doc, at: int | None) -> Doc:
    """A pod from the Job's template; `at` is its index in an indexed Job."""
    template, metadata = job["spec"]["template"], job["metadata"]
    given = template.get("metadata", {})
    made = {"labels": dict(given.get("labels", {})), "annotations": dict(given.get("annotations", {}))}
    spec, stem = template["spec"], metadata["name"]
    if at is not None:
        for group in made.values():
            group[INDEX] = str(at)
        stem = f"{stem}-{at}"
        spec = _with_index({"hostname": stem, **spec})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{stem[:_LONGEST_NAME]}-",
            "namespace": metadata["namespace"],
            **made,
            "finalizers": [*given.get("finalizers", []), FINALIZER],
            "ownerReferences": [ownership.reference(job)],
        },
        "spec": spec,
    }


def _with_index(spec: Doc) -> Doc:
    """Every container is told the pod's index."""
    spec = copy.deepcopy(spec)
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.annotations['{INDEX}']"}}
    variable = {"name": "JOB_COMPLETION_INDEX", "valueFrom": source}
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        if all(each["name"] != variable["name"] for each in container.get("env", ())):
            container["env"] = [*container.get("env", ()), variable]
    return spec


def surplus(job: Doc, active: Sequence[Doc]) -> list[Doc]:
    """Pods of an indexed Job whose index is beyond its end, or taken by an older pod."""
    if not is_indexed(job):
        return []
    taken: set[int] = set()
    found = []
    for pod in sorted(active, key=lambda each: str(each["metadata"]["creationTimestamp"])):
        at = index(pod)
        if at is None or at in taken or at >= job["spec"]["completions"]:
            found.append(pod)
        else:
            taken.add(at)
    return found


def parse(indexes: str) -> set[int]:
    """`1,3-5` as numbers."""
    numbers: set[int] = set()
    for part in filter(None, indexes.split(",")):
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return numbers


def text(numbers: Iterable[int]) -> str:
    """The numbers as `1,3-5`. Two neighbours are written with a comma, as Kubernetes does."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)
