"""When a container's probes are due: Kubernetes' rules, and early tries that make a pod ready sooner. Pure.

Kubernetes waits a random part of the period before the first try. Here startup and readiness probes are also tried
in between, often at first and less often later, until the first success. The failure of such an early try counts
for nothing, so thresholds mean what they mean in Kubernetes; `initialDelaySeconds` is always waited for.
"""

from collections.abc import Iterator
from typing import Any

from semafor.kube.node.actions import Probe, ProbeKind
from semafor.kube.node.observed import Run, Seen, Tries

Json = dict[str, Any]

EAGER: tuple[ProbeKind, ...] = ("startup", "readiness")
SOONEST_S = 0.025  # a connection attempt inside the pod costs about a millisecond
SOONEST_EXEC_S = 0.25  # a process costs tens of milliseconds
EASING = 10  # the pause grows with the time already waited, so a slow app is found at most a tenth late


def kinds(spec: Json, seen: Seen) -> Iterator[tuple[ProbeKind, Json]]:
    """The probes that apply now: the startup probe alone until it has passed, then the other two."""
    if "startupProbe" in spec and seen.startup.passed is not True:
        yield "startup", spec["startupProbe"]
        return
    if "readinessProbe" in spec:
        yield "readiness", spec["readinessProbe"]
    if "livenessProbe" in spec:
        yield "liveness", spec["livenessProbe"]


def next_try(kind: ProbeKind, probe: Json, tries: Tries, run: Run) -> float:
    """When the next try is due."""
    first = run.started_at + _delay_s(probe)
    if tries.last_at < run.started_at:
        return first
    if not _is_eager(kind, tries):
        return max(tries.counted_at, first) + _period_s(probe)
    pause = max((tries.last_at - first) / EASING, SOONEST_EXEC_S if "exec" in probe else SOONEST_S)
    return min(tries.last_at + pause, _counted_from(tries, first) + _period_s(probe))


def probe(container: str, kind: ProbeKind, probe_: Json, seen: Seen, now: float) -> Probe:
    """The try to make now."""
    tries: Tries = getattr(seen, kind)
    if not _is_eager(kind, tries) or seen.run is None:
        return Probe(container=container, kind=kind, counted=True)
    first = seen.run.started_at + _delay_s(probe_)
    return Probe(container=container, kind=kind, counted=now >= _counted_from(tries, first) + _period_s(probe_))


def _is_eager(kind: ProbeKind, tries: Tries) -> bool:
    return kind in EAGER and not tries.found


def _counted_from(tries: Tries, first: float) -> float:
    return max(tries.counted_at, first)


def _period_s(probe_: Json) -> float:
    return float(probe_.get("periodSeconds") or 10)


def _delay_s(probe_: Json) -> float:
    return float(probe_.get("initialDelaySeconds") or 0)
