"""Which pods are read, where, and with which labels. Pure.

Sources: Istio's sample Prometheus configuration (job kubernetes-pods) for annotations and labels, Istio's
documentation of its Prometheus integration.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from semafor.app import merged_metrics, proxies
from semafor.envoy.bootstrap import ADMIN_PORT, STATS_PORT

Pod = dict[str, Any]

PODS: Final = "kubernetes-pods"
OWN: Final = "semafor"
ENVOY_PATH: Final = "/stats/prometheus?usedonly"
# Of Envoy's own histograms (how long its configuration took, and the like) sum and count are enough: their buckets
# would be half of all series.
_ENVOYS_BUCKETS: Final = re.compile(r"envoy_\w+_bucket\{")
_NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9_]")
_MAX_LABELS: Final = 60  # of a pod's that become labels of its series


@dataclass(frozen=True, slots=True)
class Target:
    """One place to read: `uid` is the pod's, "" for the daemon. `host` is as the pod's own network has it."""

    key: str
    uid: str
    host: str
    port: int
    path: str
    labels: tuple[tuple[str, str], ...]
    shown: str
    https: bool = False
    drop: re.Pattern[str] | None = None  # series that are not kept


def of_pods(pods: list[Pod]) -> Iterator[Target]:
    """The proxies of pods, and the pods that ask for it by annotation."""
    for pod in pods:
        status = pod.get("status") or {}
        if status.get("phase") not in ("Running", "Pending") or not status.get("podIP"):
            continue
        if _has_started(pod, proxy=True) and proxies.role(pod) in ("sidecar", "router"):
            yield _proxy(pod)
        app = _annotated(pod)
        if app is not None and status.get("phase") == "Running":
            yield app


def _has_started(pod: Pod, *, proxy: bool) -> bool:
    status = pod["status"]
    images = {each["name"] for each in _containers(pod) if proxies.is_proxy(each) == proxy}
    known = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return any("running" in (each.get("state") or {}) for each in known if each["name"] in images)


def _containers(pod: Pod) -> list[Pod]:
    return [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]


def _proxy(pod: Pod) -> Target:
    ip = pod["status"]["podIP"]
    return Target(
        key=f"proxy/{pod['metadata']['uid']}",
        uid=pod["metadata"]["uid"],
        host="127.0.0.1",
        port=ADMIN_PORT,
        path=ENVOY_PATH,
        labels=_labels(pod, f"{ip}:{STATS_PORT}"),
        shown=f"http://{ip}:{STATS_PORT}/stats/prometheus",
        drop=_ENVOYS_BUCKETS,
    )


def _annotated(pod: Pod) -> Target | None:
    """The application itself, where it asks for it: others read both at one port."""
    asked = merged_metrics.asked(pod)
    if asked is None:
        return None
    ip = pod["status"]["podIP"]
    return Target(
        key=f"pod/{pod['metadata']['uid']}",
        uid=pod["metadata"]["uid"],
        host=ip,
        port=asked.port,
        path=asked.path,
        labels=_labels(pod, f"{ip}:{asked.port}"),
        shown=f"http://{ip}:{asked.port}{asked.path}",
        https=asked.https,
    )


def _labels(pod: Pod, instance: str) -> tuple[tuple[str, str], ...]:
    """The pod's own labels, and what tells it apart from others, which wins."""
    metadata = pod["metadata"]
    own = sorted((metadata.get("labels") or {}).items())[:_MAX_LABELS]
    labels = {_name(name): value for name, value in own}
    labels |= {"job": PODS, "instance": instance, "namespace": metadata["namespace"], "pod": metadata["name"]}
    if node := pod["spec"].get("nodeName"):
        labels["node"] = node
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def _name(label: str) -> str:
    """The name of a pod's label as Prometheus takes it."""
    name = _NOT_IN_A_NAME.sub("_", label)
    return f"_{name}" if name[:1].isdigit() else name
