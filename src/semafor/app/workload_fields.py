"""Fields of workloads that have no effect on one machine, or not yet, by name. Pure."""

from collections.abc import Iterator
from typing import Any

from semafor.base.problem import ObjectRef, Problem
from semafor.resources.apps import daemon_set, stateful_set
from semafor.resources.batch import job
from semafor.resources.kind import Kind

Doc = dict[str, Any]

# kind -> field of the spec -> why it has no effect, or what to use in its place
_IGNORED: dict[Kind, dict[str, str]] = {
    job.KIND: {
        "backoffLimitPerIndex": "failures count against backoffLimit, whatever their index",
        "maxFailedIndexes": "failures count against backoffLimit, whatever their index",
    },
}
_RETENTION = ("whenDeleted", "whenScaled")


def problems(kind: Kind, workload: Doc) -> Iterator[Problem]:
    """One for each field that is set and has no effect."""
    metadata, spec = workload["metadata"], workload.get("spec", {})
    ref = ObjectRef(kind=kind.kind, name=metadata["name"], namespace=metadata.get("namespace", ""), group=kind.group)
    for field, why in _IGNORED.get(kind, {}).items():
        if field in spec:
            yield _problem(ref, f"spec.{field}", why)
    for index, rule in enumerate((spec.get("podFailurePolicy") or {}).get("rules", ())):
        if rule["action"] == "FailIndex":
            yield _problem(ref, f"spec.podFailurePolicy.rules[{index}].action", "it counts as Count does")
    if kind is stateful_set.KIND:
        yield from _of_set(ref, spec)
    surge = ((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("maxSurge", 0)
    if kind is daemon_set.KIND and surge not in (0, "0%"):
        yield _problem(ref, "spec.updateStrategy.rollingUpdate.maxSurge", "the old pod goes before the new one comes")


def _of_set(ref: ObjectRef, spec: Doc) -> Iterator[Problem]:
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    if rolling.get("maxUnavailable", 1) != 1:
        yield _problem(ref, "spec.updateStrategy.rollingUpdate.maxUnavailable", "pods are replaced one at a time")
    policy = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for field in _RETENTION:
        if policy.get(field) == "Delete":
            path = f"spec.persistentVolumeClaimRetentionPolicy.{field}"
            yield _problem(ref, path, "claims stay until somebody deletes them")


def _problem(ref: ObjectRef, path: str, why: str) -> Problem:
    return Problem(ref=ref, path=path, reason="NotSupported", message=f"it has no effect here: {why}")
