"""What the node knows about one pod, as values, and how each event changes it. No I/O, no clock.

The shell keeps one `Observed` per pod and replaces it: `taken` when it begins an action, and the other functions
when something has happened (a process ended, a probe answered).
"""

import signal
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from semafor.base.struct import Value
from semafor.kube.node import actions, backoff, podspec, times
from semafor.kube.node.backoff import BackOff

Json = dict[str, Any]
Progress = Literal["none", "running", "done", "failed"]

MINIMUM_GRACE_S = 2.0  # after a preStop hook that used up the grace period; Kubernetes' minimumGracePeriodInSeconds
LOST_EXIT_CODE = 255  # what containerd reports for a process that ended while nobody watched


class Run(Value):
    """One life of a container's process. `finished_at` is None while it runs, `image` is the spec's word."""

    id: str
    image: str = ""
    started_at: float = 0.0
    finished_at: float | None = None
    exit_code: int = 0
    reason: str = ""
    message: str = ""


class Trouble(Value):
    """Why something could not be started, in Kubernetes' words, and when it is worth trying again."""

    reason: str
    message: str
    retry_at: float


class Tries(Value):
    """The record of one probe since the container's start. `passed` is None until the first verdict.

    `found` says whether a try has ever succeeded; `successes` and `failures` count those in a row.
    """

    last_at: float = 0.0
    counted_at: float = 0.0
    successes: int = 0
    failures: int = 0
    found: bool = False
    passed: bool | None = None
    running: bool = False


class Ending(Value):
    """A container that is being ended: preStop hook, then SIGTERM, then SIGKILL at `kill_at`."""

    message: str
    kill_at: float
    hook: Progress = "none"
    termed: bool = False
    killed: bool = False


class Seen(Value):
    """Everything known about one container: its current or last run, the run before, and its hooks and probes."""

    run: Run | None = None
    last: Run | None = None
    restarts: int = 0
    starting: bool = False
    trouble: Trouble | None = None
    back_off: BackOff = BackOff()
    back_off_noted: bool = False
    post_start: Progress = "none"
    startup: Tries = Tries()
    readiness: Tries = Tries()
    liveness: Tries = Tries()
    ending: Ending | None = None
    image_id: str = ""

    @property
    def is_running(self) -> bool:
        return self.run is not None and self.run.finished_at is None

    @property
    def is_live(self) -> bool:
        return self.starting or self.is_running

    @property
    def has_ended(self) -> bool:
        return not self.starting and self.run is not None and self.run.finished_at is not None


class Observed(Value):
    """Everything known about one pod. `sandbox_at` is when its namespaces were made, `host_ip` the node's address."""

    sandbox: Literal["absent", "making", "ready", "removing"] = "absent"
    sandbox_at: float = 0.0
    ip: str = ""
    host_ip: str = ""
    trouble: Trouble | None = None
    drain: Progress = "none"
    finalized: bool = False
    containers: Mapping[str, Seen] = {}

    def seen(self, name: str) -> Seen:
        return self.containers.get(name) or Seen()


def change(observed: Observed, name: str, **fields: Any) -> Observed:
    """The same with some fields of one container replaced."""
    seen = msgspec.structs.replace(observed.seen(name), **fields)
    return msgspec.structs.replace(observed, containers={**observed.containers, name: seen})


def recalled(pod: Json, now: float, host_ip: str = "") -> Observed:
    """What the stored status still tells after a restart of the node: counts and last states; every process is gone."""
    status = pod.get("status") or {}
    past = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    containers = {entry["name"]: _recalled_container(pod, entry, now) for entry in past}
    return Observed(host_ip=host_ip, containers=containers)


def _recalled_container(pod: Json, entry: Json, now: float) -> Seen:
    state = entry.get("state") or {}
    run = _run_of(entry, state, now)
    last = _run_of(entry, entry.get("lastState") or {}, now)
    spec = podspec.container(pod, entry["name"]) or {}
    restarts = entry.get("restartCount", 0)
    is_app = any(spec is app for app in podspec.app_containers(pod))
    if run is not None and is_app and not restarts_after(podspec.restart_policy(pod), run.exit_code):
        return Seen(run=run, last=last, restarts=restarts)
    return Seen(last=run or last, restarts=restarts)


def _run_of(entry: Json, state: Json, now: float) -> Run | None:
    run_id = entry.get("containerID", "")
    if ended := state.get("terminated"):
        return Run(
            id=ended.get("containerID", run_id),
            started_at=times.seconds(ended["startedAt"]) if ended.get("startedAt") else now,
            finished_at=times.seconds(ended["finishedAt"]) if ended.get("finishedAt") else now,
            exit_code=ended.get("exitCode", 0),
            reason=ended.get("reason", ""),
            message=ended.get("message", ""),
        )
    if running := state.get("running"):
        started_at = times.seconds(running["startedAt"])
        return Run(id=run_id, started_at=started_at, finished_at=now, exit_code=LOST_EXIT_CODE, reason="Unknown")
    return None


def restarts_after(policy: str, exit_code: int) -> bool:
    """Whether a container with this restart policy runs again after such an end."""
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def taken(observed: Observed, action: actions.Action, now: float) -> Observed:
    """The state once the shell has begun `action`, so that no decision asks for it twice."""
    match action:
        case actions.MakeSandbox():
            return msgspec.structs.replace(observed, sandbox="making", trouble=None)
        case actions.RemoveSandbox():
            return msgspec.structs.replace(observed, sandbox="removing")
        case actions.Drain():
            return msgspec.structs.replace(observed, drain="running")
        case actions.Finalize():
            return msgspec.structs.replace(observed, finalized=True)
        case actions.Start():
            return change(observed, action.container, starting=True)
        case actions.Probe():
            tries = msgspec.structs.replace(_tries(observed, action), running=True, last_at=now)
            if action.counted:
                tries = msgspec.structs.replace(tries, counted_at=now)
            return change(observed, action.container, **{action.kind: tries})
        case _:
            return _hook_or_end(observed, action, now)


def _tries(observed: Observed, action: actions.Probe) -> Tries:
    tries: Tries = getattr(observed.seen(action.container), action.kind)
    return tries


def _hook_or_end(
    observed: Observed,
    action: actions.PostStart | actions.End | actions.PreStop | actions.Signal | actions.NoteBackOff,
    now: float,
) -> Observed:
    ending = observed.seen(action.container).ending
    match action:
        case actions.PostStart():
            return change(observed, action.container, post_start="running")
        case actions.NoteBackOff():
            return change(observed, action.container, back_off_noted=True)
        case actions.End():
            ending = Ending(message=action.message, kill_at=now + action.grace_s)
        case actions.PreStop():
            ending = msgspec.structs.replace(ending or _at_once(now), hook="running")
        case actions.Signal():
            ending = _signalled(ending or _at_once(now), action.signal, now)
    return change(observed, action.container, ending=ending)


def _at_once(now: float) -> Ending:
    return Ending(message="", kill_at=now)


def _signalled(ending: Ending, number: int, now: float) -> Ending:
    if number == signal.SIGKILL:
        return msgspec.structs.replace(ending, termed=True, killed=True)
    return msgspec.structs.replace(ending, termed=True, kill_at=max(ending.kill_at, now + MINIMUM_GRACE_S))


def sandbox_made(observed: Observed, ip: str, now: float) -> Observed:
    return msgspec.structs.replace(observed, sandbox="ready", sandbox_at=now, ip=ip, trouble=None)


def sandbox_failed(observed: Observed, trouble: Trouble) -> Observed:
    return msgspec.structs.replace(observed, sandbox="absent", trouble=trouble)


def sandbox_removed(observed: Observed, now: float) -> Observed:
    """Nothing of the pod runs any more; a container that was still running ended with its namespace."""
    for name, seen in observed.containers.items():
        if seen.is_live:
            observed = exited(change(observed, name, starting=False), name, 128 + signal.SIGKILL, now)
    return msgspec.structs.replace(observed, sandbox="absent")


def drained(observed: Observed) -> Observed:
    return msgspec.structs.replace(observed, drain="done")


def started(observed: Observed, name: str, run: Run, image_id: str = "") -> Observed:
    """The container's process runs (or has just failed to: a run that is finished already)."""
    seen = observed.seen(name)
    previous = seen.run or seen.last
    return change(
        observed,
        name,
        run=run,
        last=previous,
        restarts=seen.restarts + (previous is not None),
        starting=False,
        trouble=None,
        back_off=_next_back_off(seen, run.started_at),
        back_off_noted=False,
        post_start="none",
        startup=Tries(),
        readiness=Tries(),
        liveness=Tries(),
        ending=None,
        image_id=image_id or seen.image_id,
    )


def _next_back_off(seen: Seen, now: float) -> BackOff:
    if seen.run is None or seen.run.finished_at is None:
        return seen.back_off
    return backoff.restarted(seen.back_off, seen.run.finished_at, now)


def untroubled(observed: Observed) -> Observed:
    """What stood in the way may be gone: whatever waits for its next try is tried now."""
    for name, seen in observed.containers.items():
        if seen.trouble is not None:
            observed = change(observed, name, trouble=msgspec.structs.replace(seen.trouble, retry_at=0.0))
    if observed.trouble is None:
        return observed
    return msgspec.structs.replace(observed, trouble=msgspec.structs.replace(observed.trouble, retry_at=0.0))


def refused(observed: Observed, name: str, trouble: Trouble) -> Observed:
    """The container could not be started, and no process was made."""
    return change(observed, name, starting=False, trouble=trouble)


def exited(observed: Observed, name: str, exit_code: int, now: float, reason: str = "") -> Observed:
    """The container's process has ended. `exit_code` is 128 + the signal's number when a signal ended it."""
    seen = observed.seen(name)
    if seen.run is None or seen.run.finished_at is not None:
        return observed
    words = reason or ("Completed" if exit_code == 0 else "Error")
    run = msgspec.structs.replace(seen.run, finished_at=now, exit_code=exit_code, reason=words)
    return change(observed, name, run=run, ending=None)


def hooked(observed: Observed, name: str, hook: Literal["postStart", "preStop"], progress: Progress) -> Observed:
    """A lifecycle hook has ended."""
    if hook == "postStart":
        return change(observed, name, post_start=progress)
    ending = observed.seen(name).ending
    return change(observed, name, ending=None if ending is None else msgspec.structs.replace(ending, hook=progress))


def probed(observed: Observed, probe: actions.Probe, spec: Json, *, succeeded: bool) -> Observed:
    """One probe has answered; thresholds of `spec` turn tries into a verdict."""
    tries = msgspec.structs.replace(_tries(observed, probe), running=False)
    if succeeded:
        tries = _succeeded(tries, spec.get("successThreshold", 1))
    elif probe.counted:
        tries = _failed(tries, spec.get("failureThreshold", 3))
    return change(observed, probe.container, **{probe.kind: tries})


def _succeeded(tries: Tries, threshold: int) -> Tries:
    count = tries.successes + 1
    passed = True if count >= threshold else tries.passed
    return msgspec.structs.replace(
        tries, successes=count, failures=0, found=True, passed=passed, counted_at=tries.last_at
    )


def _failed(tries: Tries, threshold: int) -> Tries:
    count = tries.failures + 1
    passed = False if count >= threshold else tries.passed
    return msgspec.structs.replace(tries, successes=0, failures=count, passed=passed)
