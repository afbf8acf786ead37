"""A Deployment's arithmetic: which ReplicaSet is the new one, and how many pods each should have next. Pure.

Source: Kubernetes' deployment controller (rolling.go, util/deployment_util.go).
"""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any

Doc = dict[str, Any]

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
# Kubernetes' alphabet for generated names: no vowels, so that no words come about.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def template_hash(template: Doc) -> str:
    """A name for the template, 9 characters; equal templates have equal names."""
    digest = int.from_bytes(hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()[:8], "big")
    letters = []
    for _ in range(9):
        digest, index = divmod(digest, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return "".join(letters)


def same_template(one: Doc, other: Doc) -> bool:
    """Whether two templates are equal but for the hash that the controller adds to a set's own."""
    return _bare(one) == _bare(other)


def _bare(template: Doc) -> Doc:
    metadata = template.get("metadata", {})
    labels = {key: value for key, value in metadata.get("labels", {}).items() if key != HASH_LABEL}
    plain = {key: value for key, value in metadata.items() if key != "creationTimestamp"}
    return {**template, "metadata": {**plain, "labels": labels}}


def revision(obj: Doc) -> int:
    return int(obj["metadata"].get("annotations", {}).get(REVISION, "0"))


def bounds(deployment: Doc) -> tuple[int, int]:
    """(most pods, fewest available pods) that a rolling update allows."""
    spec = deployment["spec"]
    replicas = spec.get("replicas", 1)
    rolling = spec.get("strategy", {}).get("rollingUpdate") or {}
    surge = _share(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = _share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1  # else nothing could ever move
    return replicas + surge, max(0, replicas - unavailable)


def _share(value: int | str, whole: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    exact = int(value.rstrip("%")) * whole / 100
    return math.ceil(exact) if up else math.floor(exact)


def recreate(deployment: Doc, new: Doc, old: Sequence[Doc], old_pods: int) -> dict[str, int]:
    """Replicas by set name for strategy Recreate: the old pods have to be gone before the first new one."""
    sizes = {each["metadata"]["name"]: 0 for each in old}
    sizes[new["metadata"]["name"]] = 0 if old_pods else deployment["spec"].get("replicas", 1)
    return sizes


def rolling(deployment: Doc, new: Doc, old: Sequence[Doc]) -> dict[str, int]:
    """Replicas by set name for the next step of a rolling update."""
    most, fewest = bounds(deployment)
    wanted = deployment["spec"].get("replicas", 1)
    sizes = {each["metadata"]["name"]: _size(each) for each in (new, *old)}
    room = most - sum(sizes.values())
    name = new["metadata"]["name"]
    grown = min(wanted, sizes[name] + max(0, room)) if sizes[name] < wanted else wanted
    sizes |= _shrink_old(new, old, fewest)
    sizes[name] = grown
    return sizes


def _shrink_old(new: Doc, old: Sequence[Doc], fewest: int) -> dict[str, int]:
    """How far the old sets may shrink: first by pods that are not available, then by what availability allows."""
    sizes = {each["metadata"]["name"]: _size(each) for each in old}
    unavailable_new = max(0, _size(new) - _available(new))
    spare = sum(sizes.values()) + _size(new) - fewest - unavailable_new
    for each in sorted(old, key=_born):
        name = each["metadata"]["name"]
        broken = min(sizes[name] - min(_available(each), sizes[name]), max(0, spare))
        sizes[name] -= broken
        spare -= broken
    spare = min(spare, _available(new) + sum(_available(each) for each in old) - fewest)
    for each in sorted(old, key=_born):
        name = each["metadata"]["name"]
        fewer = min(sizes[name], max(0, spare))
        sizes[name] -= fewer
        spare -= fewer
    return sizes


def proportional(deployment: Doc, sets: Sequence[Doc]) -> dict[str, int]:
    """Replicas by set name when a deployment is scaled in the middle of a rollout or while paused."""
    active = [each for each in sets if _size(each)]
    most = bounds(deployment)[0] if deployment["spec"].get("replicas", 1) else 0
    if len(active) <= 1:
        return {each["metadata"]["name"]: deployment["spec"].get("replicas", 1) for each in active or sets[:1]}
    total = sum(_size(each) for each in active)
    sizes = {each["metadata"]["name"]: round(_size(each) * most / total) for each in active}
    largest = max(active, key=_size)["metadata"]["name"]
    sizes[largest] = max(0, sizes[largest] + most - sum(sizes.values()))
    return sizes


def _size(replica_set: Doc) -> int:
    size = replica_set["spec"].get("replicas", 1)
    assert isinstance(size, int)
    return size


def _available(replica_set: Doc) -> int:
    return int(replica_set.get("status", {}).get("availableReplicas", 0))


def _born(obj: Doc) -> str:
    return str(obj["metadata"]["creationTimestamp"])
