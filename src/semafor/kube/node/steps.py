"""Carrying out what `lifecycle` decides for one pod; every step ends by telling the cell what came of it."""

import asyncio
import hashlib
import signal
import time
from contextlib import suppress
from typing import Any, Literal

import msgspec

from semafor.kube.api.errors import StatusError
from semafor.kube.node import actions, claimed, drain, launch, netfiles, observed, podspec, probes
from semafor.kube.node.addresses import NoAddressError
from semafor.kube.node.cell import Cell
from semafor.kube.node.fields import ConfigError
from semafor.kube.node.launch import NotStartable
from semafor.kube.node.observed import Observed, Run, Trouble
from semafor.kube.node.payload import VolumeError
from semafor.kube.node.publisher import Publisher
from semafor.kube.node.spec import Exit, Gone, RuntimeFailure, Sandbox, StartError
from semafor.resources.core import pod as pods

Json = dict[str, Any]

RETRY_S = 5.0  # for what only the user can mend; changed ConfigMaps and Secrets are noticed at once
IMAGE_RETRY_S = 1.0  # images are built by other processes; to look for one costs a fraction of a millisecond


class Steps:
    """The steps of one pod."""

    def __init__(self, cell: Cell, publisher: Publisher) -> None:
        self._cell = cell
        self._machine = cell.machine
        self._publisher = publisher
        self._early_exits: dict[str, Exit] = {}

    async def take(self, action: actions.Action) -> None:
        """Carry out one action to its end."""
        match action:
            case actions.MakeSandbox():
                await self._make_sandbox()
            case actions.Start():
                await self._start(action.container, action.attempt)
            case actions.Probe():
                await self._probe(action)
            case actions.PostStart():
                await self._hook(action.container, "postStart", podspec.grace_s(self._cell.pod))
            case actions.PreStop():
                await self._hook(action.container, "preStop", self._left_s(action.container))
            case actions.Drain():
                await drain.wait(self._machine.api, self._machine.hooks, self._cell.pod)
                self._cell.apply(observed.drained)
            case actions.End():
                self._cell.say("Normal", "Killing", action.message)
            case actions.NoteBackOff():
                where = f"container {action.container} in pod {podspec.full_name(self._cell.pod)}"
                self._cell.say("Warning", "BackOff", f"Back-off restarting failed {where}")
            case actions.Signal():
                await self._signal(action)
            case actions.RemoveSandbox():
                await self._remove_sandbox()
            case actions.Finalize():
                await self._finalize()

    async def _signal(self, action: actions.Signal) -> None:
        """A polite end is what the image asks for (Dockerfile's STOPSIGNAL)."""
        wanted = self._cell.stop_signals.get(action.container, signal.SIGTERM)
        number = wanted if action.signal == signal.SIGTERM else action.signal
        with suppress(RuntimeFailure):  # it has just ended by itself
            await self._machine.runtime.signal(self._cell.uid, action.container, number)

    # The sandbox

    async def _make_sandbox(self) -> None:
        ip = ""
        try:
            ip = self._machine.addresses.allocate()
            await self._make_parts(ip)
        except (VolumeError, NoAddressError, RuntimeFailure, OSError) as error:
            await self._no_sandbox(ip, error)
        else:
            self._cell.apply(lambda seen: observed.sandbox_made(seen, ip, time.time()))

    async def _make_parts(self, ip: str) -> None:
        """Namespaces and volumes, side by side; both are waited for, so that neither is left half made."""
        pod, meta = self._cell.pod, self._cell.pod["metadata"]
        sandbox = Sandbox(
            uid=self._cell.uid,
            name=meta["name"],
            namespace=meta["namespace"],
            hostname=netfiles.hostname(pod),
            ip=ip,
            interception=self._machine.hooks.interception(pod),
        )
        parts = (self._prepare(ip), self._machine.runtime.create(sandbox))
        for outcome in await asyncio.gather(*parts, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        if pod["spec"].get("hostNetwork"):
            words = "hostNetwork is not available on this node: the pod has a network and an address of its own"
            self._cell.say("Warning", "HostNetworkNotSupported", words)

    async def _prepare(self, ip: str) -> None:
        machine = self._machine
        pod = claimed.resolved(machine.api, self._cell.pod)
        around = machine.surroundings(pod, ip)
        resolver = netfiles.resolver(pod, machine.options.network.dns, machine.options.resolver)
        self._cell.volumes = await asyncio.to_thread(
            self._cell.folder.prepare, pod, around, machine.token(pod), resolver
        )

    async def _no_sandbox(self, ip: str, error: Exception) -> None:
        if isinstance(error, VolumeError):
            reason, message = "FailedMount", str(error)
        else:
            reason, message = "FailedCreatePodSandBox", f"Failed to create pod sandbox: {error}"
        self._cell.say("Warning", reason, message)
        await self._free(ip)
        trouble = Trouble(reason=reason, message=message, retry_at=time.time() + RETRY_S)
        self._cell.apply(lambda seen: observed.sandbox_failed(seen, trouble))

    async def _remove_sandbox(self) -> None:
        await self._free(self._cell.observed.ip)
        self._cell.apply(lambda seen: observed.sandbox_removed(seen, time.time()))

    async def _free(self, ip: str) -> None:
        with suppress(RuntimeFailure):
            await self._machine.runtime.remove(self._cell.uid)
        if ip:
            self._machine.addresses.free(ip)

    async def _finalize(self) -> None:
        meta = self._cell.pod["metadata"]
        with suppress(StatusError):  # gone already, or another pod has its name
            await self._publisher.write()
            await self._machine.api.delete(
                pods.KIND, meta["namespace"], meta["name"], grace_period_s=0, uid=meta["uid"]
            )

    # Containers

    async def _start(self, name: str, attempt: int) -> None:
        spec = podspec.container(self._cell.pod, name)
        assert spec is not None
        try:
            await self._start_now(name, spec, attempt)
        except (NotStartable, ConfigError, VolumeError) as error:
            self._refused(name, error)
        except Gone:
            self._cell.say("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
            await self._remove_sandbox()
        except (RuntimeFailure, OSError) as error:
            self._failed(name, spec, attempt, error)
        if (exit_ := self._early_exits.pop(name, None)) is not None:
            self.ended(exit_)

    async def _start_now(self, name: str, spec: Json, attempt: int) -> None:
        cell = self._cell
        image = await launch.find_image(self._machine, spec.get("image", ""))
        cell.say("Normal", "Pulled", f'Container image "{spec["image"]}" already present on machine')
        container = launch.prepare(
            self._machine,
            cell.folder,
            cell.pod,
            spec,
            image=image,
            ip=cell.observed.ip,
            attempt=attempt,
            volume_paths=cell.volumes,
        )
        cell.attempts[name] = attempt
        cell.stop_signals[name] = launch.stop_signal(image)
        if container.uid and not self._machine.runtime.many_users:
            words = f"container {name} runs as the user who started the mesh: only root can give it uid {container.uid}"
            cell.say("Warning", "RunAsUserNotSupported", words)
        cell.say("Normal", "Created", f"Created container: {name}")
        await self._machine.runtime.run(cell.uid, container)
        cell.say("Normal", "Started", f"Started container {name}")
        run = Run(id=self._container_id(name, attempt), started_at=time.time(), image=spec["image"])
        cell.apply(lambda seen: observed.started(seen, name, run, image.id))

    def _container_id(self, name: str, attempt: int) -> str:
        return "semafor://" + hashlib.sha256(f"{self._cell.uid}/{name}/{attempt}".encode()).hexdigest()

    def _refused(self, name: str, error: NotStartable | ConfigError | VolumeError) -> None:
        """It cannot be started now. The user is told once, until the reason changes."""
        reason = error.reason if isinstance(error, NotStartable) else "CreateContainerConfigError"
        known = self._cell.observed.seen(name).trouble
        if known is None or known.message != str(error):
            if isinstance(error, NotStartable):
                self._cell.say("Warning", reason, str(error))
            self._cell.say("Warning", "Failed", f"Error: {reason if isinstance(error, NotStartable) else error}")
        retry_s = IMAGE_RETRY_S if isinstance(error, NotStartable) else RETRY_S
        trouble = Trouble(reason=reason, message=str(error), retry_at=time.time() + retry_s)
        self._cell.apply(lambda seen: observed.refused(seen, name, trouble))

    def _failed(self, name: str, spec: Json, attempt: int, error: Exception) -> None:
        """The process could not be made: a run that ended before it began, so that back-off applies."""
        self._cell.say("Warning", "Failed", f"Error: {error}")
        now = time.time()
        known = error if isinstance(error, StartError) else StartError("StartError", str(error))
        run = Run(
            id=self._container_id(name, attempt),
            image=spec.get("image", ""),
            started_at=now,
            finished_at=now,
            exit_code=known.code,
            reason=known.reason,
            message=known.message,
        )
        self._cell.apply(lambda seen: observed.started(seen, name, run))

    def ended(self, exit_: Exit) -> None:
        """A container's process has ended; perhaps before its start was told."""
        if self._cell.observed.seen(exit_.container).starting:
            self._early_exits[exit_.container] = exit_
        else:
            self._cell.apply(lambda seen: self._with_exit(seen, exit_))

    def _with_exit(self, seen: Observed, exit_: Exit) -> Observed:
        name = exit_.container
        seen = observed.exited(seen, name, exit_.code, exit_.finished_at, exit_.reason)
        run, spec = seen.seen(name).run, podspec.container(self._cell.pod, name)
        if run is None or spec is None:
            return seen
        message = self._cell.folder.termination_message(name, self._cell.attempts.get(name, 0), spec, exit_.code)
        return observed.change(seen, name, run=msgspec.structs.replace(run, message=message))

    # Probes and hooks

    async def _probe(self, action: actions.Probe) -> None:
        cell = self._cell
        spec = podspec.container(cell.pod, action.container)
        run = cell.observed.seen(action.container).run
        assert spec is not None
        probe = spec[f"{action.kind}Probe"]
        where = probes.target(cell.pod, spec, cell.observed.ip)
        verdict = await probes.probe(self._machine.runtime, where, probe)
        if cell.observed.seen(action.container).run != run:
            return  # it answered for a run that has ended
        if not verdict.ok and action.counted:
            cell.say("Warning", "Unhealthy", f"{action.kind.capitalize()} probe failed: {verdict.message}")
        cell.apply(lambda seen: observed.probed(seen, action, probe, succeeded=verdict.ok))

    def _left_s(self, container: str) -> float:
        ending = self._cell.observed.seen(container).ending
        return max(ending.kill_at - time.time(), 0.0) if ending else 0.0

    async def _hook(self, name: str, hook: Literal["postStart", "preStop"], timeout_s: float) -> None:
        spec = podspec.container(self._cell.pod, name)
        assert spec is not None
        where = probes.target(self._cell.pod, spec, self._cell.observed.ip)
        verdict = await probes.hook(self._machine.runtime, where, spec["lifecycle"][hook], timeout_s)
        if not verdict.ok:
            words = "PostStartHook" if hook == "postStart" else "PreStopHook"
            self._cell.say("Warning", f"Failed{words}", f"{words} failed: {verdict.message}")
        progress: Literal["done", "failed"] = "done" if verdict.ok else "failed"
        self._cell.apply(lambda seen: observed.hooked(seen, name, hook, progress))
