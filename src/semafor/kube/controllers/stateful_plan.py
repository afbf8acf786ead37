"""Which of a StatefulSet's pods is made, deleted or waited for next. Pure.

    ordinals in order: make, replace what has ended, wait ─▶ pods beyond the end ─▶ old revisions, from the top

Source: Kubernetes' stateful_set_control.go and stateful_set_utils.go.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from semafor.kube.controllers import ownership, pods, revisions

Doc = dict[str, Any]

NAME_LABEL = "statefulset.kubernetes.io/pod-name"
_INDEX_LABEL = "apps.kubernetes.io/pod-index"
_NAME = re.compile(r"(.*)-(\d+)")


class Step(NamedTuple):
    """Make the pod of this ordinal, delete it, or look again after `again_s` seconds."""

    do: Literal["make", "delete", "wait"]
    ordinal: int = 0
    again_s: float | None = None


def ordinal(set_: Doc, pod: Doc) -> int | None:
    """The pod's number in the set; None when its name is not of the set."""
    found = _NAME.fullmatch(pod["metadata"]["name"])
    return int(found[2]) if found and found[1] == set_["metadata"]["name"] else None


def start(set_: Doc) -> int:
    return int((set_["spec"].get("ordinals") or {}).get("start", 0))


def steps(set_: Doc, own: Sequence[Doc], update: str, now: datetime) -> Iterator[Step]:
    """What to do now, in order. `update` names the newest revision."""
    by_ordinal = {at: pod for pod in own if (at := ordinal(set_, pod)) is not None}
    first = start(set_)
    wanted = range(first, first + set_["spec"].get("replicas", 1))
    one_by_one = set_["spec"].get("podManagementPolicy", "OrderedReady") == "OrderedReady"
    for at in wanted:
        step = _keep(set_, by_ordinal.get(at), at, now)
        if step is not None and (one_by_one or step.do != "wait"):
            yield step
            if one_by_one:
                return
    beyond = sorted((at for at in by_ordinal if at not in wanted), reverse=True)
    for at in beyond:
        if not ownership.leaving(by_ordinal[at]):
            yield Step("delete", at)
        if one_by_one:
            return
    if not beyond:
        yield from _replace(set_, {at: by_ordinal[at] for at in wanted if at in by_ordinal}, update, now)


def _keep(set_: Doc, pod: Doc | None, at: int, now: datetime) -> Step | None:
    """What the pod of a wanted ordinal needs; None when it is as it should be."""
    if pod is None:
        return Step("make", at)
    if ownership.leaving(pod):
        return Step("wait")
    if pods.is_finished(pod):
        return Step("delete", at)
    left_s = pods.available_in_s(pod, set_["spec"].get("minReadySeconds", 0), now)
    return None if left_s == 0 else Step("wait", again_s=left_s)


def _replace(set_: Doc, own: dict[int, Doc], update: str, now: datetime) -> Iterator[Step]:
    """Replace the highest pod of an old revision, once all above it are available."""
    strategy = set_["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return
    lowest = start(set_) + partition(set_)
    for at in sorted((at for at in own if at >= lowest), reverse=True):
        pod = own[at]
        if pod["metadata"].get("labels", {}).get(revisions.LABEL) != update:
            yield Step("wait") if ownership.leaving(pod) else Step("delete", at)
            return
        if (step := _keep(set_, pod, at, now)) is not None:
            yield step
            return


def partition(set_: Doc) -> int:
    rolling = (set_["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    return int(rolling.get("partition") or 0)


def keeps_old(set_: Doc, at: int) -> bool:
    """Whether a new pod of this ordinal is still made from the old revision: an update may stop at a partition."""
    strategy = (set_["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate")
    return strategy == "RollingUpdate" and at < start(set_) + partition(set_)


def new_pod(set_: Doc, at: int, template: Doc, revision: str) -> Doc:
    """The pod of this ordinal, with its lasting name and its claims."""
    metadata, given = set_["metadata"], template.get("metadata", {})
    name = f"{metadata['name']}-{at}"
    labels = {NAME_LABEL: name, _INDEX_LABEL: str(at), revisions.LABEL: revision}
    claimed = {each["metadata"]["name"]: each["metadata"]["name"] for each in _templates(set_)}
    rest = [each for each in template["spec"].get("volumes", ()) if each["name"] not in claimed]
    mounted = [{"name": each, "persistentVolumeClaim": {"claimName": claim_name(set_, each, at)}} for each in claimed]
    spec = {**template["spec"], "hostname": name}
    if set_["spec"].get("serviceName"):
        spec["subdomain"] = set_["spec"]["serviceName"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "labels": {**given.get("labels", {}), **labels},
            "annotations": dict(given.get("annotations", {})),
            "finalizers": list(given.get("finalizers", [])),
            "ownerReferences": [ownership.reference(set_)],
        },
        "spec": spec | ({"volumes": [*mounted, *rest]} if mounted or rest else {}),
    }


def claim_name(set_: Doc, template: str, at: int) -> str:
    return f"{template}-{set_['metadata']['name']}-{at}"


def new_claims(set_: Doc, at: int) -> Iterator[Doc]:
    """The claims of the pod of this ordinal. Nobody owns them: data outlives pods and sets."""
    for each in _templates(set_):
        given = each["metadata"]
        labels = {**given.get("labels", {}), **(set_["spec"]["selector"].get("matchLabels") or {})}
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": claim_name(set_, given["name"], at),
                "namespace": set_["metadata"]["namespace"],
                "labels": labels,
                "annotations": dict(given.get("annotations", {})),
            },
            "spec": each["spec"],
        }


def _templates(set_: Doc) -> Sequence[Doc]:
    return set_["spec"].get("volumeClaimTemplates") or ()


def status(set_: Doc, own: Sequence[Doc], update: str, now: datetime) -> Doc:
    """The status of a set with these pods; its revisions are one when an update has reached every pod."""
    told = set_.get("status", {}).get("currentRevision") or update
    live = [pod for pod in own if not ownership.leaving(pod)]
    min_ready_s = set_["spec"].get("minReadySeconds", 0)
    counts = {
        "readyReplicas": sum(map(pods.is_ready, own)),
        "availableReplicas": sum(pods.available_in_s(pod, min_ready_s, now) == 0 for pod in own),
        "currentReplicas": _of_revision(live, told),
        "updatedReplicas": _of_revision(live, update),
    }
    if told != update and counts["updatedReplicas"] == counts["readyReplicas"] == len(own):
        told, counts["currentReplicas"] = update, counts["updatedReplicas"]
    return {
        "observedGeneration": set_["metadata"]["generation"],
        "replicas": len(own),
        **{field: number for field, number in counts.items() if number},
        "availableReplicas": counts["availableReplicas"],
        "currentRevision": told,
        "updateRevision": update,
        "collisionCount": 0,
    }


def _of_revision(own: Sequence[Doc], name: str) -> int:
    return sum(pod["metadata"].get("labels", {}).get(revisions.LABEL) == name for pod in own)
