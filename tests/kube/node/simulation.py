"""A node in virtual time: pods whose processes and probes follow a script, so that a life is a table of text."""

import signal
from collections.abc import Callable
from typing import Any

import msgspec

from semafor.kube.node import lifecycle, observed, times
from semafor.kube.node.actions import (
    Drain,
    End,
    Finalize,
    MakeSandbox,
    NoteBackOff,
    PostStart,
    PreStop,
    Probe,
    RemoveSandbox,
    Signal,
    Start,
)
from semafor.kube.node.observed import Observed, Run

START = 1_000_000.0


def pod(*apps: dict[str, Any], inits: tuple[dict[str, Any], ...] = (), **spec: Any) -> dict[str, Any]:
    """A pod as stored, with plain containers `app` unless told otherwise."""
    return {
        "metadata": {"name": "web", "namespace": "default", "uid": "u1"},
        "spec": {
            "containers": [{"name": "app", "image": "app"}, *apps] if not apps else list(apps),
            **({"initContainers": list(inits)} if inits else {}),
            **spec,
        },
    }


class Life(msgspec.Struct):
    """One run of a process: how long it lives by itself, how it exits, how long it takes to obey SIGTERM."""

    seconds: float = 1e9
    code: int = 0
    on_term: float | None = 0.0  # None: SIGTERM is ignored


class World:
    """Runs `decide` against scripts. `log` has a line per action: `12.5 start app`."""

    def __init__(self, pod: dict[str, Any], lives: dict[str, list[Life]] | None = None) -> None:
        self.pod = pod
        self.lives = lives or {}
        self.probes: dict[tuple[str, str], Callable[[float], bool]] = {}
        self.hook_s = 1.0
        self.drain_s = 0.0
        self.now = START
        self.observed = Observed()
        self.log: list[str] = []
        self.status: dict[str, Any] = {}
        self._events: list[tuple[float, int, Callable[[], Observed]]] = []
        self._lives: dict[str, Life] = {}
        self._wake: float | None = None

    def run(self, seconds: float) -> "World":
        """Live until `seconds` after the start of the world."""
        end = START + seconds
        self._settle()
        while (due := self._next()) is not None and due <= end:
            self.now = max(self.now, due)
            for event in [event for event in self._events if event[0] <= self.now]:
                self._events.remove(event)
                self.observed = event[2]()
            self._settle()
        self.now = end
        self._settle()
        return self

    def delete(self, grace_s: float = 30) -> "World":
        stamp = times.text(self.now + grace_s)
        meta = {**self.pod["metadata"], "deletionTimestamp": stamp, "deletionGracePeriodSeconds": grace_s}
        self.pod = {**self.pod, "metadata": meta}
        return self

    @property
    def states(self) -> dict[str, Any]:
        """Container name -> its state's word: running, or the reason."""
        entries = [*self.status.get("initContainerStatuses", []), *self.status["containerStatuses"]]
        return {entry["name"]: _word(entry["state"]) for entry in entries}

    def condition(self, kind: str) -> str:
        return next(entry["status"] for entry in self.status["conditions"] if entry["type"] == kind)

    def _next(self) -> float | None:
        times_ = [event[0] for event in self._events] + ([self._wake] if self._wake else [])
        return min(times_) if times_ else None

    def _settle(self) -> None:
        for _ in range(100):
            decision = lifecycle.decide(self.pod, self.observed, self.now)
            self.status = decision.status
            self.pod = {**self.pod, "status": decision.status}
            self._wake = decision.wake_at
            if not decision.actions:
                return
            for action in decision.actions:
                self.observed = observed.taken(self.observed, action, self.now)
                self._perform(action)
        raise AssertionError(f"no rest at {self.now - START}: {decision.actions}")

    def _later(self, seconds: float, event: Callable[[], Observed]) -> None:
        self._events.append((self.now + seconds, len(self._events), event))

    def _say(self, words: str) -> None:
        self.log.append(f"{self.now - START:g} {words}")

    def _perform(self, action: lifecycle.Action) -> None:
        match action:
            case MakeSandbox():
                self._say("sandbox")
                self._later(0, lambda: observed.sandbox_made(self.observed, "10.244.0.7", self.now))
            case Start(container=name):
                self._say(f"start {name}")
                self._later(0, lambda: self._started(name, action.attempt))
            case Probe(container=name, kind=kind):
                succeeded = self.probes.get((name, kind), lambda _: True)(self.now - START)
                spec = next(c for c in self._specs() if c["name"] == name)[f"{kind}Probe"]
                self._later(0, lambda: observed.probed(self.observed, action, spec, succeeded=succeeded))
            case Drain():
                self._say("drain")
                self._later(self.drain_s, lambda: observed.drained(self.observed))
            case PostStart(container=name):
                self._say(f"postStart {name}")
                self._later(self.hook_s, lambda: observed.hooked(self.observed, name, "postStart", "done"))
            case PreStop(container=name):
                self._say(f"preStop {name}")
                self._later(self.hook_s, lambda: observed.hooked(self.observed, name, "preStop", "done"))
            case Signal(container=name, signal=number):
                self._say(f"{signal.Signals(number).name} {name}")
                self._signal(name, number)
            case RemoveSandbox():
                self._say("remove")
                self._later(0, lambda: observed.sandbox_removed(self.observed, self.now))
            case Finalize():
                self._say("finalize")
            case NoteBackOff(container=name):
                self._say(f"back-off {name}")
            case End(container=name):
                self._say(f"end {name}: {action.message}")

    def _specs(self) -> list[dict[str, Any]]:
        return [*self.pod["spec"].get("initContainers", []), *self.pod["spec"]["containers"]]

    def _started(self, name: str, attempt: int) -> Observed:
        lives = self.lives.get(name, [Life()])
        life = self._lives[name] = lives[min(attempt, len(lives) - 1)]
        run = Run(id=f"{name}-{attempt}", started_at=self.now)
        self._later(life.seconds, lambda: self._exited(name, run, life.code))
        return observed.started(self.observed, name, run)

    def _exited(self, name: str, run: Run, code: int) -> Observed:
        seen = self.observed.seen(name)
        if seen.run is None or seen.run.id != run.id:
            return self.observed
        return observed.exited(self.observed, name, code, self.now)

    def _signal(self, name: str, number: int) -> None:
        life, run = self._lives[name], self.observed.seen(name).run
        assert run is not None
        if number == signal.SIGKILL:
            self._later(0, lambda: self._exited(name, run, 137))
        elif life.on_term is not None:
            self._later(life.on_term, lambda: self._exited(name, run, 143))


def _word(state: dict[str, Any]) -> str:
    (kind, detail), *_ = state.items()
    return detail.get("reason", kind)
