"""The life of one pod on this node: asks `lifecycle.decide`, carries out its actions, and feeds back what happens."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Literal

import msgspec

from semafor.base.aio import Latest
from semafor.kube.api.errors import StatusError
from semafor.kube.node import actions, drain, launch, lifecycle, netfiles, observed, podspec, probes, times
from semafor.kube.node.conditions import OURS
from semafor.kube.node.fields import ConfigError
from semafor.kube.node.launch import NotStartable
from semafor.kube.node.machine import Machine
from semafor.kube.node.observed import Observed, Run, Trouble
from semafor.kube.node.payload import VolumeError
from semafor.kube.node.pod_folder import PodFolder
from semafor.kube.node.spec import Exit, RuntimeFailure, Sandbox, StartError
from semafor.resources.core import pod as pods

Json = dict[str, Any]
Change = Callable[[Observed], Observed]

RETRY_S = 2.0  # for what only the user can mend; changed ConfigMaps, Secrets and images are noticed at once
log = logging.getLogger(__name__)


class PodWorker:
    """Runs one pod until it is gone from the API and from the machine."""

    def __init__(self, machine: Machine, pod: Json) -> None:
        self._machine = machine
        self._pod = pod
        self._observed = observed.recalled(pod, time.time(), machine.options.network.address)
        self._folder = PodFolder(machine.options.folder / pod["metadata"]["uid"], machine.options.memory)
        self._volumes: dict[str, str] = {}
        self._attempts: dict[str, int] = {}
        self._early_exits: dict[str, Exit] = {}
        self._changed = asyncio.Event()
        self._status: Latest[Json] = Latest({})
        self._tasks: set[asyncio.Task[None]] = set()

    # What the kubelet and the API may ask

    @property
    def pod(self) -> Json:
        return self._pod

    @property
    def observed(self) -> Observed:
        return self._observed

    @property
    def folder(self) -> PodFolder:
        return self._folder

    def attempt(self, container: str, *, previous: bool = False) -> int | None:
        """The number of a container's present run, or of the one before; None when there was none."""
        seen = self._observed.seen(container)
        if seen.run is None and seen.last is None:
            return None
        present = self._attempts.get(container, seen.restarts)
        number = present - 1 if previous and seen.run is not None else present
        return number if number >= 0 else None

    def updated(self, pod: Json) -> None:
        """The API's object has changed."""
        labels_changed = pod["metadata"].get("labels") != self._pod["metadata"].get("labels")
        self._pod = {**pod, "status": self._merged(pod.get("status") or {})}
        if labels_changed:
            self.refresh()
        self._changed.set()

    def deleted(self) -> None:
        """The object has gone from the API: end at once what still runs."""
        meta = {**self._pod["metadata"], "deletionTimestamp": times.text(time.time()), "deletionGracePeriodSeconds": 0}
        self._pod = {**self._pod, "metadata": meta}
        self._changed.set()

    def ended(self, exit_: Exit) -> None:
        """A container's process has ended."""
        if self._observed.seen(exit_.container).starting:
            self._early_exits[exit_.container] = exit_
        else:
            self._apply(lambda seen: self._with_exit(seen, exit_))

    def refresh(self) -> None:
        """A ConfigMap or Secret of the namespace, an image or a token may have changed: look again."""
        for name, seen in self._observed.containers.items():
            if seen.trouble is not None:
                sooner = msgspec.structs.replace(seen.trouble, retry_at=0.0)
                self._observed = observed.change(self._observed, name, trouble=sooner)
        if self._observed.trouble is not None:
            sooner = msgspec.structs.replace(self._observed.trouble, retry_at=0.0)
            self._observed = msgspec.structs.replace(self._observed, trouble=sooner)
        if self._observed.sandbox == "ready" and self._tasks is not None:
            self._begin(self._refresh_volumes())
        self._changed.set()

    def refers_to(self, name: str) -> bool:
        """Whether the pod's spec may name this ConfigMap or Secret."""
        return f'"{name}"' in msgspec.json.encode(self._pod["spec"]).decode()

    # The loop

    async def run(self) -> None:
        """Live until the pod is gone."""
        publisher = asyncio.create_task(self._publish())
        try:
            while not self._observed.finalized or self._tasks:
                wake_at = self._settle()
                await self._wait(wake_at)
        finally:
            for task in (publisher, *self._tasks):
                task.cancel()
            await asyncio.gather(publisher, *self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._folder.delete)

    def _settle(self) -> float | None:
        """Decide and begin, until nothing is left to begin."""
        while True:
            self._changed.clear()
            now = time.time()
            decision = lifecycle.decide(self._pod, self._observed, now)
            self._pod = {**self._pod, "status": decision.status}
            self._status.set(decision.status)
            if not decision.actions:
                return decision.wake_at
            for action in decision.actions:
                self._observed = observed.taken(self._observed, action, now)
                self._begin(self._perform(action))

    async def _wait(self, wake_at: float | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(None if wake_at is None else max(0.0, wake_at - time.time()) + 0.001):
                await self._changed.wait()

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Future[None]") -> None:
        self._tasks.discard(task)
        self._changed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("pod %s: %s", podspec.full_name(self._pod), error, exc_info=error)

    def _apply(self, change: Change) -> None:
        self._observed = change(self._observed)
        self._changed.set()

    def _say(self, type_: str, reason: str, message: str) -> None:
        self._machine.event(self._pod, type_, reason, message)

    # Actions

    async def _perform(self, action: actions.Action) -> None:
        match action:
            case actions.MakeSandbox():
                await self._make_sandbox()
            case actions.Start():
                await self._start(action)
            case actions.Probe():
                await self._probe(action)
            case actions.PostStart():
                await self._hook(action.container, "postStart", podspec.grace_s(self._pod))
            case actions.PreStop():
                ending = self._observed.seen(action.container).ending
                left_s = ending.kill_at - time.time() if ending else 0.0
                await self._hook(action.container, "preStop", max(left_s, 0.0))
            case actions.Drain():
                await drain.wait(self._machine.api, self._machine.hooks, self._pod)
                self._apply(observed.drained)
            case actions.End():
                self._say("Normal", "Killing", action.message)
            case actions.NoteBackOff():
                where = f"container {action.container} in pod {podspec.full_name(self._pod)}"
                self._say("Warning", "BackOff", f"Back-off restarting failed {where}")
            case actions.Signal():
                with suppress(RuntimeFailure):  # it has just ended by itself
                    await self._machine.runtime.signal(self._uid, action.container, action.signal)
            case actions.RemoveSandbox():
                await self._remove_sandbox()
            case actions.Finalize():
                await self._finalize()

    @property
    def _uid(self) -> str:
        uid: str = self._pod["metadata"]["uid"]
        return uid

    async def _make_sandbox(self) -> None:
        machine, meta = self._machine, self._pod["metadata"]
        ip = machine.addresses.allocate()
        sandbox = Sandbox(
            uid=self._uid,
            name=meta["name"],
            namespace=meta["namespace"],
            hostname=netfiles.hostname(self._pod),
            ip=ip,
            interception=machine.hooks.interception(self._pod),
        )
        try:
            made, prepared = await asyncio.gather(
                machine.runtime.create(sandbox), self._prepare(ip), return_exceptions=True
            )
            for outcome in (prepared, made):
                if isinstance(outcome, BaseException):
                    raise outcome
        except (VolumeError, RuntimeFailure, OSError) as error:
            await self._no_sandbox(ip, error)
        else:
            self._apply(lambda seen: observed.sandbox_made(seen, ip, time.time()))

    async def _prepare(self, ip: str) -> None:
        machine = self._machine
        around = machine.surroundings(self._pod, ip)
        resolver = netfiles.resolver(self._pod, machine.options.network.dns, machine.options.resolver)
        self._volumes = await asyncio.to_thread(
            self._folder.prepare, self._pod, around, machine.token(self._pod), resolver
        )

    async def _no_sandbox(self, ip: str, error: Exception) -> None:
        if isinstance(error, VolumeError):
            reason, message = "FailedMount", str(error)
        else:
            reason, message = "FailedCreatePodSandBox", f"Failed to create pod sandbox: {error}"
        self._say("Warning", reason, message)
        with suppress(RuntimeFailure):
            await self._machine.runtime.remove(self._uid)
        self._machine.addresses.free(ip)
        trouble = Trouble(reason=reason, message=message, retry_at=time.time() + RETRY_S)
        self._apply(lambda seen: observed.sandbox_failed(seen, trouble))

    async def _start(self, action: actions.Start) -> None:
        name = action.container
        spec = podspec.container(self._pod, name)
        assert spec is not None
        try:
            await self._start_now(name, spec, action.attempt)
        except (NotStartable, ConfigError, VolumeError) as error:
            self._refused(name, error)
        except (RuntimeFailure, OSError) as error:
            self._failed(name, action.attempt, error)
        if (exit_ := self._early_exits.pop(name, None)) is not None:
            self.ended(exit_)

    async def _start_now(self, name: str, spec: Json, attempt: int) -> None:
        image = await launch.find_image(self._machine, spec.get("image", ""))
        self._say("Normal", "Pulled", f'Container image "{spec["image"]}" already present on machine')
        container = launch.prepare(
            self._machine,
            self._folder,
            self._pod,
            spec,
            image=image,
            ip=self._observed.ip,
            attempt=attempt,
            volume_paths=self._volumes,
        )
        self._attempts[name] = attempt
        self._say("Normal", "Created", f"Created container: {name}")
        await self._machine.runtime.run(self._uid, container)
        self._say("Normal", "Started", f"Started container {name}")
        run = Run(id=self._container_id(name, attempt), started_at=time.time())
        self._apply(lambda seen: observed.started(seen, name, run, image.id))

    def _container_id(self, name: str, attempt: int) -> str:
        return "semafor://" + hashlib.sha256(f"{self._uid}/{name}/{attempt}".encode()).hexdigest()

    def _refused(self, name: str, error: NotStartable | ConfigError | VolumeError) -> None:
        reason = error.reason if isinstance(error, NotStartable) else "CreateContainerConfigError"
        known = self._observed.seen(name).trouble
        if known is None or known.message != str(error):
            if isinstance(error, NotStartable):
                self._say("Warning", reason, str(error))
            self._say("Warning", "Failed", f"Error: {reason if isinstance(error, NotStartable) else error}")
        trouble = Trouble(reason=reason, message=str(error), retry_at=time.time() + RETRY_S)
        self._apply(lambda seen: observed.refused(seen, name, trouble))

    def _failed(self, name: str, attempt: int, error: Exception) -> None:
        """The process could not be made: a run that ended before it began, so that back-off applies."""
        self._say("Warning", "Failed", f"Error: {error}")
        now = time.time()
        started = isinstance(error, StartError)
        run = Run(
            id=self._container_id(name, attempt),
            started_at=now,
            finished_at=now,
            exit_code=error.code if isinstance(error, StartError) else 128,
            reason=error.reason if isinstance(error, StartError) else "StartError",
            message=error.message if started and isinstance(error, StartError) else str(error),
        )
        self._apply(lambda seen: observed.started(seen, name, run))

    async def _probe(self, action: actions.Probe) -> None:
        spec = podspec.container(self._pod, action.container)
        run = self._observed.seen(action.container).run
        assert spec is not None
        probe = spec[f"{action.kind}Probe"]
        verdict = await probes.probe(self._machine.runtime, probes.target(self._pod, spec, self._observed.ip), probe)
        if self._observed.seen(action.container).run != run:
            return  # it answered for a run that has ended
        if not verdict.ok and action.counted:
            self._say("Warning", "Unhealthy", f"{action.kind.capitalize()} probe failed: {verdict.message}")
        self._apply(lambda seen: observed.probed(seen, action, probe, succeeded=verdict.ok))

    async def _hook(self, name: str, hook: Literal["postStart", "preStop"], timeout_s: float) -> None:
        spec = podspec.container(self._pod, name)
        assert spec is not None
        where = probes.target(self._pod, spec, self._observed.ip)
        verdict = await probes.hook(self._machine.runtime, where, spec["lifecycle"][hook], timeout_s)
        if not verdict.ok:
            words = "PostStartHook" if hook == "postStart" else "PreStopHook"
            self._say("Warning", f"Failed{words}", f"{words} failed: {verdict.message}")
        self._apply(lambda seen: observed.hooked(seen, name, hook, "done" if verdict.ok else "failed"))

    async def _remove_sandbox(self) -> None:
        with suppress(RuntimeFailure):
            await self._machine.runtime.remove(self._uid)
        if self._observed.ip:
            self._machine.addresses.free(self._observed.ip)
        self._apply(lambda seen: observed.sandbox_removed(seen, time.time()))

    async def _finalize(self) -> None:
        meta = self._pod["metadata"]
        with suppress(StatusError):  # gone already
            await self._write(self._status.value)
            await self._machine.api.delete(
                pods.KIND, meta["namespace"], meta["name"], grace_period_s=0, uid=meta["uid"]
            )

    def _with_exit(self, seen: Observed, exit_: Exit) -> Observed:
        name = exit_.container
        seen = observed.exited(seen, name, exit_.code, exit_.finished_at, exit_.reason)
        run, spec = seen.seen(name).run, podspec.container(self._pod, name)
        if run is None or spec is None:
            return seen
        message = self._folder.termination_message(name, self._attempts.get(name, 0), spec, exit_.code)
        return observed.change(seen, name, run=msgspec.structs.replace(run, message=message))

    async def _refresh_volumes(self) -> None:
        around = self._machine.surroundings(self._pod, self._observed.ip)
        await asyncio.to_thread(self._folder.refresh, self._pod, around, self._machine.token(self._pod))

    # The status in the API

    async def _publish(self) -> None:
        version = 0
        while True:
            version, status = await self._status.newer_than(version)
            try:
                await self._write(status)
            except StatusError as error:
                log.debug("status of %s: %s", podspec.full_name(self._pod), error)

    async def _write(self, status: Json) -> None:
        """Replace the status. A merge patch keeps what it does not name, so what has gone is named with null."""
        meta = self._pod["metadata"]
        stored = self._machine.api.get(pods.KIND, meta["namespace"], meta["name"])
        if stored is None or stored["metadata"]["uid"] != meta["uid"]:
            return
        gone = {key: None for key in stored.get("status") or {} if key not in status}
        await self._machine.api.patch(
            pods.KIND, meta["namespace"], meta["name"], {"status": {**gone, **status}}, subresource="status"
        )

    def _merged(self, stored: Json) -> Json:
        """Our own newest status, with the conditions that others have written."""
        own = self._status.value
        if not own:
            return stored
        others = [entry for entry in stored.get("conditions") or [] if entry["type"] not in OURS]
        ours = [entry for entry in own.get("conditions") or [] if entry["type"] in OURS]
        return {**own, "conditions": ours + others}
