"""The life of a pod, decided without I/O: what to do now, what to tell the API, and when to look again.

    absent ─MakeSandbox─▶ init containers in order ─▶ apps ─▶ ended? sidecars in reverse ─RemoveSandbox─▶ absent
                          └ a sidecar must have started before the next one

`decide` is called after every event. It is a function of the pod's document, of what the node has observed, and of
the time; the shell performs the actions and feeds back what happens (see `observed`).
"""

import signal
from collections.abc import Iterator
from typing import Any

from semafor.base.struct import Value
from semafor.kube.node import podspec, schedule, status
from semafor.kube.node.actions import (
    Action,
    Drain,
    End,
    Finalize,
    MakeSandbox,
    NoteBackOff,
    PostStart,
    PreStop,
    RemoveSandbox,
    Signal,
    Start,
)
from semafor.kube.node.observed import Observed, Seen

Json = dict[str, Any]

OVERDUE_S = 5.0  # after the grace period, whatever does not answer is removed with its namespaces


class At(Value):
    """Look again at this time."""

    when: float


class Decision(Value):
    """`status` is the whole new status document; `wake_at` is None when only an event can change anything."""

    actions: tuple[Action, ...]
    status: Json
    wake_at: float | None


def decide(pod: Json, observed: Observed, now: float) -> Decision:
    """What to do for `pod` at `now` (seconds since the epoch)."""
    steps = list(_steps(pod, observed, now))
    times = [step.when for step in steps if isinstance(step, At)]
    return Decision(
        actions=tuple(step for step in steps if not isinstance(step, At)),
        status=status.render(pod, observed, now),
        wake_at=min(times) if times else None,
    )


def _steps(pod: Json, observed: Observed, now: float) -> Iterator[Action | At]:
    if observed.sandbox == "absent":
        yield from _without_sandbox(pod, observed, now)
    elif observed.sandbox == "making":
        yield from _overdue(pod, now)
    elif observed.sandbox == "ready":
        if message := _reason_to_end(pod, observed, now):
            yield from _wind_down(pod, observed, now, message)
        else:
            yield from _keep_running(pod, observed, now)


def _without_sandbox(pod: Json, observed: Observed, now: float) -> Iterator[Action | At]:
    if podspec.end_by(pod) is not None:
        if not observed.finalized:
            yield Finalize()
    elif not podspec.is_terminal(pod) and status.outcome(pod, observed, now) is None:
        retry_at = observed.trouble.retry_at if observed.trouble else now
        yield MakeSandbox() if now >= retry_at else At(when=retry_at)


def _overdue(pod: Json, now: float) -> Iterator[Action | At]:
    end_by = podspec.end_by(pod)
    if end_by is not None:
        limit = end_by + OVERDUE_S
        yield RemoveSandbox() if now >= limit else At(when=limit)


def _reason_to_end(pod: Json, observed: Observed, now: float) -> str:
    """Why the whole pod has to end; empty while it shall live."""
    if podspec.end_by(pod) is not None:
        return "Stopping container {}"
    if podspec.is_terminal(pod) or status.outcome(pod, observed, now) is not None:
        return "Stopping container {}"
    return ""


# Running


def _keep_running(pod: Json, observed: Observed, now: float) -> Iterator[Action | At]:
    limit = status.deadline(pod)
    if limit is not None:
        yield At(when=limit)
    was_initialized = status.is_initialized(pod, observed)
    for spec in podspec.init_containers(pod):
        seen = observed.seen(spec["name"])
        if was_initialized and not podspec.is_sidecar(spec):
            continue
        if not (seen.has_ended and status.init_passed(spec, seen)):
            yield from _container(pod, spec, seen, now)
        if not was_initialized and not status.init_passed(spec, seen):
            return
    for spec in podspec.app_containers(pod):
        yield from _container(pod, spec, observed.seen(spec["name"]), now)


def _container(pod: Json, spec: Json, seen: Seen, now: float) -> Iterator[Action | At]:
    name = spec["name"]
    if seen.starting:
        return
    if seen.is_running:
        yield from _running(pod, spec, seen, now)
    elif seen.trouble is not None and now < seen.trouble.retry_at:
        yield At(when=seen.trouble.retry_at)
    elif seen.run is None:
        yield Start(container=name, attempt=seen.restarts + (seen.last is not None))
    elif status.restarts(pod, spec, seen.run):
        yield from _restart(name, seen, now)


def _restart(name: str, seen: Seen, now: float) -> Iterator[Action | At]:
    assert seen.run is not None
    when = status.restart_at(seen)
    if when is None or now >= when:
        yield Start(container=name, attempt=seen.restarts + 1)
        return
    if not seen.back_off_noted:
        yield NoteBackOff(container=name)
    yield At(when=when)


def _running(pod: Json, spec: Json, seen: Seen, now: float) -> Iterator[Action | At]:
    name = spec["name"]
    if seen.ending is not None:
        yield from _end(spec, seen, now)
    elif seen.run is not None and seen.run.image not in ("", spec.get("image")):
        words = f"Container {name} definition changed, will be restarted"
        yield End(container=name, message=words, grace_s=podspec.grace_s(pod))
    elif "postStart" in (spec.get("lifecycle") or {}) and seen.post_start in ("none", "running"):
        if seen.post_start == "none":
            yield PostStart(container=name)
    elif seen.post_start == "failed":
        yield End(container=name, message="FailedPostStartHook", grace_s=podspec.grace_s(pod))
    else:
        yield from _probes(pod, spec, seen, now)


def _probes(pod: Json, spec: Json, seen: Seen, now: float) -> Iterator[Action | At]:
    assert seen.run is not None
    name = spec["name"]
    for kind, probe in schedule.kinds(spec, seen):
        tries = getattr(seen, kind)
        if kind != "readiness" and tries.passed is False:
            grace_s = float(probe.get("terminationGracePeriodSeconds") or podspec.grace_s(pod))
            yield End(
                container=name, message=f"Container {name} failed {kind} probe, will be restarted", grace_s=grace_s
            )
            return
        if tries.running:
            continue
        when = schedule.next_try(kind, probe, tries, seen.run)
        yield schedule.probe(name, kind, probe, seen, now) if now >= when else At(when=when)


# Ending


def _wind_down(pod: Json, observed: Observed, now: float, message: str) -> Iterator[Action | At]:
    """End the app containers, then the sidecars in reverse order, then remove what is left."""
    yield from _overdue(pod, now)
    if _must_drain(pod, observed):
        if observed.drain == "none":
            yield Drain()
        end_by = podspec.end_by(pod)
        if end_by is None or now < end_by:
            yield At(when=end_by or now)
            return
    others = [spec for spec in podspec.containers(pod) if not podspec.is_sidecar(spec)]
    for group in ([*others], *([spec] for spec in reversed(podspec.sidecars(pod)))):
        live = [spec for spec in group if observed.seen(spec["name"]).is_live]
        for spec in live:
            yield from _end_one(pod, spec, observed.seen(spec["name"]), message, now)
        if live:
            return
    yield RemoveSandbox()


def _must_drain(pod: Json, observed: Observed) -> bool:
    """Only a deleted pod whose app runs can still be sent requests; a finished one has nobody to take them."""
    running = any(observed.seen(spec["name"]).is_running for spec in podspec.app_containers(pod))
    return podspec.end_by(pod) is not None and running and observed.drain != "done"


def _end_one(pod: Json, spec: Json, seen: Seen, message: str, now: float) -> Iterator[Action | At]:
    if seen.starting:
        return
    if seen.ending is None:
        end_by = podspec.end_by(pod)
        grace_s = podspec.grace_s(pod) if end_by is None else max(end_by - now, 0.0)
        yield End(container=spec["name"], message=message.format(spec["name"]), grace_s=grace_s)
    else:
        yield from _end(spec, seen, now)


def _end(spec: Json, seen: Seen, now: float) -> Iterator[Action | At]:
    """preStop hook, SIGTERM, SIGKILL: the next step of a container that is being ended."""
    assert seen.ending is not None
    name, ending = spec["name"], seen.ending
    has_hook = "preStop" in (spec.get("lifecycle") or {})
    if ending.killed:
        return
    if now >= ending.kill_at and ending.termed:
        yield Signal(container=name, signal=signal.SIGKILL)
        return
    if not ending.termed:
        in_time = now < ending.kill_at
        if has_hook and ending.hook == "none" and in_time:
            yield PreStop(container=name)
        elif not (has_hook and ending.hook in ("none", "running") and in_time):
            yield Signal(container=name, signal=signal.SIGTERM)
            return
    yield At(when=ending.kill_at)
