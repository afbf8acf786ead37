"""The conditions of a pod, in Kubernetes' words and order. Pure."""

from typing import Any

from semafor.kube.node import podspec, times
from semafor.kube.node.observed import Observed

Json = dict[str, Any]

OURS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


def conditions(
    pod: Json, observed: Observed, phase: str, inits: list[Json], apps: list[Json], now: float
) -> list[Json]:
    """The conditions list: ours in Kubernetes' order, then what others have put there.

    `inits` and `apps` are the entries of initContainerStatuses and containerStatuses.
    """
    old = {entry["type"]: entry for entry in (pod.get("status") or {}).get("conditions") or []}
    counted = [entry for entry in inits if _is_sidecar(pod, entry)] + apps
    containers_ready = _containers_ready(phase, counted)
    verdicts = {
        "PodReadyToStartContainers": _verdict(observed.sandbox == "ready"),
        "Initialized": _initialized(pod, phase, inits),
        "Ready": _gated(pod, containers_ready, old),
        "ContainersReady": containers_ready,
        "PodScheduled": _verdict(ok=True),
    }
    ours = [_stamped(kind, verdict, old.get(kind), now) for kind, verdict in verdicts.items()]
    return ours + [entry for kind, entry in old.items() if kind not in OURS]


def _is_sidecar(pod: Json, entry: Json) -> bool:
    return podspec.is_sidecar(podspec.container(pod, entry["name"]) or {})


def _verdict(ok: bool, reason: str = "", message: str = "") -> Json:  # noqa: FBT001 (a condition is a truth value)
    words = {"reason": reason, "message": message}
    return {"status": "True" if ok else "False", **{key: text for key, text in words.items() if text}}


def _stamped(kind: str, verdict: Json, old: Json | None, now: float) -> Json:
    unchanged = old is not None and old.get("status") == verdict["status"]
    since = old["lastTransitionTime"] if old and unchanged else times.text(now)
    return {"type": kind, "lastProbeTime": None, "lastTransitionTime": since, **verdict}


def _initialized(pod: Json, phase: str, inits: list[Json]) -> Json:
    if phase == "Succeeded":
        return _verdict(ok=True, reason="PodCompleted")
    missing = [entry["name"] for entry in inits if not _init_done(pod, entry)]
    if not missing:
        return _verdict(ok=True)
    return _verdict(
        ok=False,
        reason="ContainersNotInitialized",
        message=f"containers with incomplete status: [{' '.join(missing)}]",
    )


def _init_done(pod: Json, entry: Json) -> bool:
    return bool(entry["started"] if _is_sidecar(pod, entry) else entry["ready"])


def _containers_ready(phase: str, entries: list[Json]) -> Json:
    if phase == "Succeeded":
        return _verdict(ok=False, reason="PodCompleted")
    if phase == "Failed":
        return _verdict(ok=False, reason="PodFailed")
    unready = [entry["name"] for entry in entries if not entry["ready"]]
    if not unready:
        return _verdict(ok=True)
    return _verdict(
        ok=False, reason="ContainersNotReady", message=f"containers with unready status: [{' '.join(unready)}]"
    )


def _gated(pod: Json, containers_ready: Json, old: dict[str, Json]) -> Json:
    """Readiness gates are conditions that other controllers set and that Ready waits for."""
    if containers_ready["status"] == "False":
        return containers_ready
    gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or []]
    closed = [gate for gate in gates if (old.get(gate) or {}).get("status") != "True"]
    if not closed:
        return containers_ready
    words = [f'corresponding condition of pod readiness gate "{gate}" does not exist.' for gate in closed]
    return _verdict(ok=False, reason="ReadinessGatesNotReady", message=", ".join(words))
