"""Deployment, ReplicaSet, StatefulSet, DaemonSet, Job: the selector is for life."""

from collections.abc import Iterator
from typing import Any

from semafor.kube.api.rules.rules import Ground, Rules, at
from semafor.resources import errors
from semafor.resources.errors import FieldError

Doc = dict[str, Any]


def _check(new: Doc, old: Doc | None) -> Iterator[FieldError]:
    if old is not None and at(new, "spec.selector") != at(old, "spec.selector"):
        yield errors.invalid("spec.selector", at(new, "spec.selector"), "field is immutable")


RULES = Rules(check=_check)


_NAME_LABELS = ("batch.kubernetes.io/job-name", "job-name")
_UID_LABELS = ("batch.kubernetes.io/controller-uid", "controller-uid")
_FIXED = ("template", "completionMode", "podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "managedBy")


def _chosen(new: Doc, old: Doc | None, _: Ground) -> Doc:
    """A Job finds its pods by its own uid, unless it says that it brings a selector."""
    if old is not None:
        return new
    spec, metadata = new.get("spec", {}), new["metadata"]
    template = spec.get("template", {})
    labels = template.get("metadata", {}).get("labels", {})
    if not spec.get("manualSelector"):
        names, uids = dict.fromkeys(_NAME_LABELS, metadata["name"]), dict.fromkeys(_UID_LABELS, metadata["uid"])
        labels = names | uids | labels
        selector = spec.get("selector") or {}
        chosen = {_UID_LABELS[0]: metadata["uid"]} | selector.get("matchLabels", {})
        template = {**template, "metadata": {**template.get("metadata", {}), "labels": labels}}
        spec = {**spec, "selector": {**selector, "matchLabels": chosen}, "template": template}
    return {**new, "metadata": {**metadata, "labels": metadata.get("labels") or labels}, "spec": spec}


def _check_job(new: Doc, old: Doc | None) -> Iterator[FieldError]:
    yield from _check(new, old)
    if old is None:
        yield from _foreign(new)
        return
    fixed = list(_FIXED)
    if at(old, "spec.suspend") and not at(old, "status.startTime"):
        fixed.remove("template")  # nothing was made from it yet
    if at(new, "spec.completionMode") != "Indexed" or at(new, "spec.completions") != at(new, "spec.parallelism"):
        fixed.append("completions")
    for field in fixed:
        if at(new, f"spec.{field}") != at(old, f"spec.{field}"):
            yield errors.invalid(f"spec.{field}", at(new, f"spec.{field}"), "field is immutable")


def _foreign(new: Doc) -> Iterator[FieldError]:
    """Labels of another Job, as a document has that was read from the API."""
    if at(new, "spec.manualSelector"):
        return
    labels, uid = at(new, "spec.template.metadata.labels") or {}, new["metadata"]["uid"]
    for label in _UID_LABELS:
        if labels.get(label) != uid:
            yield errors.invalid(f"spec.template.metadata.labels[{label}]", labels.get(label, ""), f"must be '{uid}'")


JOB = Rules(complete=_chosen, check=_check_job)
