"""The status of a pod in Kubernetes' exact words: phase, conditions and container statuses. Pure.

Source: the kubelet's pkg/kubelet/kubelet_pods.go and pkg/kubelet/status/generate.go.
"""

from typing import Any

from semafor.kube.node import backoff, podspec, times
from semafor.kube.node.conditions import conditions
from semafor.kube.node.observed import Observed, Run, Seen, restarts_after

Json = dict[str, Any]


# Questions that decisions and words share


def restarts(pod: Json, spec: Json, run: Run) -> bool:
    """Whether a container runs again after `run` ended."""
    if podspec.is_sidecar(spec):
        return True
    policy = podspec.restart_policy(pod)
    if any(spec is init for init in podspec.init_containers(pod)) and policy == "Always":
        policy = "OnFailure"
    return restarts_after(policy, run.exit_code)


def restart_at(seen: Seen) -> float | None:
    """When the container may run again; None while it has not ended."""
    if seen.run is None or seen.run.finished_at is None:
        return None
    return backoff.restart_at(seen.back_off, seen.run.finished_at)


def has_started(spec: Json, seen: Seen) -> bool:
    """Whether a running container has passed its postStart hook and startup probe."""
    hooked = seen.post_start == "done" or "postStart" not in (spec.get("lifecycle") or {})
    return seen.is_running and hooked and (seen.startup.passed is True or "startupProbe" not in spec)


def is_ready(spec: Json, seen: Seen) -> bool:
    return has_started(spec, seen) and (seen.readiness.passed is True or "readinessProbe" not in spec)


def init_passed(spec: Json, seen: Seen) -> bool:
    """Whether the next container in line may start: an init container has ended well, a sidecar has started."""
    if podspec.is_sidecar(spec):
        return has_started(spec, seen)
    return seen.has_ended and seen.run is not None and seen.run.exit_code == 0


def is_initialized(pod: Json, observed: Observed) -> bool:
    """Whether the line of init containers has been passed in the pod's present sandbox."""
    apps = [observed.seen(spec["name"]) for spec in podspec.app_containers(pod)]
    if any(seen.starting or (seen.run is not None and seen.run.started_at >= observed.sandbox_at) for seen in apps):
        return observed.sandbox_at > 0
    return all(init_passed(spec, observed.seen(spec["name"])) for spec in podspec.init_containers(pod))


def deadline(pod: Json) -> float | None:
    """When spec.activeDeadlineSeconds runs out."""
    limit_s = pod["spec"].get("activeDeadlineSeconds")
    started = (pod.get("status") or {}).get("startTime")
    return None if limit_s is None or not started else times.seconds(started) + float(limit_s)


def outcome(pod: Json, observed: Observed, now: float) -> str | None:
    """How the pod has ended, or must end now: Succeeded, Failed; None while it may still run."""
    limit = deadline(pod)
    if limit is not None and now >= limit:
        return "Failed"
    for spec in podspec.init_containers(pod):
        seen = observed.seen(spec["name"])
        if seen.has_ended and seen.run and seen.run.exit_code and not restarts(pod, spec, seen.run):
            return "Failed"
    runs = []
    for spec in podspec.app_containers(pod):
        seen = observed.seen(spec["name"])
        if not seen.has_ended or seen.run is None or restarts(pod, spec, seen.run):
            return None
        runs.append(seen.run)
    return "Succeeded" if all(run.exit_code == 0 for run in runs) else "Failed"


# The document


def render(pod: Json, observed: Observed, now: float) -> Json:
    """The whole status. What others have written there (conditions of other controllers) is kept."""
    old: Json = pod.get("status") or {}
    words = _Words(pod, observed)
    phase = _phase(pod, observed, now)
    kept = (*_KEPT, *_KEPT_AT_THE_END) if phase in ("Succeeded", "Failed") else _KEPT
    inits = [words.container(spec) for spec in podspec.init_containers(pod)]
    apps = [words.container(spec) for spec in podspec.app_containers(pod)]
    status: Json = {
        **{key: old[key] for key in kept if key in old},
        "phase": phase,
        "conditions": conditions(pod, observed, phase, inits, apps, now),
        "startTime": old.get("startTime") or times.text(now),
        "containerStatuses": apps,
        "qosClass": qos_class(pod),
    }
    if inits:
        status["initContainerStatuses"] = inits
    if observed.host_ip:
        status.update(hostIP=observed.host_ip, hostIPs=[{"ip": observed.host_ip}])
    if observed.ip:
        status.update(podIP=observed.ip, podIPs=[{"ip": observed.ip}])
    limit = deadline(pod)
    if phase == "Failed" and not podspec.is_terminal(pod) and limit is not None and now >= limit:
        status.update(reason="DeadlineExceeded", message=_DEADLINE_WORDS)
    return status


_KEPT = ("nominatedNodeName", "ephemeralContainerStatuses", "reason", "message")
_KEPT_AT_THE_END = ("podIP", "podIPs")  # a finished pod still shows the address that it had
_DEADLINE_WORDS = "Pod was active on the node longer than the specified deadline"


def _phase(pod: Json, observed: Observed, now: float) -> str:
    if podspec.is_terminal(pod):
        phase: str = pod["status"]["phase"]
        return phase
    ended = outcome(pod, observed, now)
    if ended is not None:
        live = any(observed.seen(spec["name"]).is_live for spec in podspec.containers(pod))
        return "Running" if live else ended
    if not is_initialized(pod, observed):
        return "Pending"
    apps = [observed.seen(spec["name"]) for spec in podspec.app_containers(pod)]
    return "Pending" if any(seen.run is None and seen.last is None for seen in apps) else "Running"


class _Words:
    """The statuses of one pod's containers."""

    def __init__(self, pod: Json, observed: Observed) -> None:
        self._pod = pod
        self._observed = observed

    def container(self, spec: Json) -> Json:
        """One entry of containerStatuses."""
        seen = self._observed.seen(spec["name"])
        in_back_off = self._in_back_off(spec, seen)
        state = self._state(spec, seen, in_back_off=in_back_off)
        last = seen.run if "waiting" in state and seen.run else seen.last
        known_id = seen.run or seen.last
        return {
            "name": spec["name"],
            "state": state,
            "lastState": {"terminated": _terminated(last)} if last else {},
            "ready": self._ready(spec, seen),
            "restartCount": seen.restarts,
            "image": spec.get("image", ""),
            "imageID": seen.image_id,
            **({"containerID": known_id.id} if known_id else {}),
            "started": has_started(spec, seen),
        }

    def _ready(self, spec: Json, seen: Seen) -> bool:
        is_init = any(spec is init for init in podspec.init_containers(self._pod))
        if is_init and not podspec.is_sidecar(spec):
            return init_passed(spec, seen)
        return is_ready(spec, seen)

    def _in_back_off(self, spec: Json, seen: Seen) -> bool:
        if seen.starting or not seen.has_ended or seen.run is None:
            return False
        return seen.back_off_noted and restarts(self._pod, spec, seen.run)

    def _state(self, spec: Json, seen: Seen, *, in_back_off: bool) -> Json:
        if in_back_off:
            delay = times.go_duration(seen.back_off.delay_s)
            where = f"container={spec['name']} pod={podspec.full_name(self._pod)}"
            return _waiting("CrashLoopBackOff", f"back-off {delay} restarting failed {where}")
        if seen.trouble is not None and not seen.is_running:
            return _waiting(seen.trouble.reason, seen.trouble.message)
        if seen.is_running and seen.run is not None:
            return {"running": {"startedAt": times.text(seen.run.started_at)}}
        if seen.run is not None:
            return {"terminated": _terminated(seen.run)}
        return _waiting("PodInitializing" if podspec.init_containers(self._pod) else "ContainerCreating")


def _waiting(reason: str, message: str = "") -> Json:
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


def _terminated(run: Run) -> Json:
    return {
        "exitCode": run.exit_code,
        "reason": run.reason,
        **({"message": run.message} if run.message else {}),
        "startedAt": times.text(run.started_at),
        "finishedAt": times.text(run.finished_at or run.started_at),
        "containerID": run.id,
    }


def qos_class(pod: Json) -> str:
    """BestEffort, Burstable or Guaranteed. Source: k8s.io/kubernetes/pkg/apis/core/v1/helper/qos."""
    resources = [spec.get("resources") or {} for spec in podspec.containers(pod)]
    if not any(entry.get("requests") or entry.get("limits") for entry in resources):
        return "BestEffort"
    return "Guaranteed" if all(_is_guaranteed(entry) for entry in resources) else "Burstable"


def _is_guaranteed(entry: Json) -> bool:
    limits, requests = entry.get("limits") or {}, entry.get("requests") or {}
    return all(name in limits and requests.get(name, limits[name]) == limits[name] for name in ("cpu", "memory"))
