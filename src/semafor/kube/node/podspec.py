"""Reading a pod's document: which containers it has, what each is, and Kubernetes' defaults for what is left out."""

from collections.abc import Iterator
from typing import Any

from semafor.kube.node import times

Json = dict[str, Any]

DEFAULT_GRACE_S = 30.0


def init_containers(pod: Json) -> list[Json]:
    found: list[Json] = pod["spec"].get("initContainers") or []
    return found


def app_containers(pod: Json) -> list[Json]:
    found: list[Json] = pod["spec"].get("containers") or []
    return found


def containers(pod: Json) -> Iterator[Json]:
    """Init containers, then app containers, in the order of the spec."""
    yield from init_containers(pod)
    yield from app_containers(pod)


def container(pod: Json, name: str) -> Json | None:
    return next((found for found in containers(pod) if found["name"] == name), None)


def is_sidecar(spec: Json) -> bool:
    """A restartable init container: starts before the app, ends after it. App containers have no such field."""
    return bool(spec.get("restartPolicy") == "Always")


def sidecars(pod: Json) -> list[Json]:
    return [spec for spec in init_containers(pod) if is_sidecar(spec)]


def restart_policy(pod: Json) -> str:
    policy: str = pod["spec"].get("restartPolicy") or "Always"
    return policy


def grace_s(pod: Json) -> float:
    """How long the pod may take to end: what the deletion asked for, else what its spec says."""
    for asked in (pod["metadata"].get("deletionGracePeriodSeconds"), pod["spec"].get("terminationGracePeriodSeconds")):
        if asked is not None:
            return float(asked)
    return DEFAULT_GRACE_S


def end_by(pod: Json) -> float | None:
    """When a pod that is being deleted must be gone; None when nobody deletes it."""
    stamp = pod["metadata"].get("deletionTimestamp")
    return None if stamp is None else times.seconds(stamp)


def full_name(pod: Json) -> str:
    """`name_namespace(uid)`, as the kubelet's messages name a pod."""
    meta = pod["metadata"]
    return f"{meta['name']}_{meta['namespace']}({meta['uid']})"


def is_terminal(pod: Json) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
