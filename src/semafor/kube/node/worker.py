"""The life of one pod on this node: asks `lifecycle.decide`, has its steps taken, and hears what happens."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import msgspec

from semafor.kube.node import lifecycle, observed, podspec
from semafor.kube.node.cell import Cell
from semafor.kube.node.machine import Machine
from semafor.kube.node.observed import Observed
from semafor.kube.node.pod_folder import PodFolder
from semafor.kube.node.publisher import Publisher
from semafor.kube.node.spec import Exit
from semafor.kube.node.steps import Steps

Json = dict[str, Any]

ROUNDING_S = 0.001  # timers may fire a little early; then nothing would be due yet
log = logging.getLogger(__name__)


class PodWorker:
    """Runs one pod until it is gone from the API and from the machine."""

    def __init__(self, machine: Machine, pod: Json) -> None:
        self._cell = Cell(machine, pod)
        self._publisher = Publisher(machine.api, pod)
        self._steps = Steps(self._cell, self._publisher)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def pod(self) -> Json:
        return self._cell.pod

    @property
    def observed(self) -> Observed:
        return self._cell.observed

    @property
    def folder(self) -> PodFolder:
        return self._cell.folder

    def attempt(self, container: str, *, previous: bool = False) -> int | None:
        """The number of a container's present run, or of the one that lastState tells of; None when there was none."""
        seen = self.observed.seen(container)
        present = self._cell.attempts.get(container, seen.restarts)
        waits = seen.back_off_noted or seen.trouble is not None or seen.run is None
        if previous and not waits:
            return present - 1 if seen.last is not None else None
        return present if seen.run is not None or seen.last is not None else None

    # What the kubelet tells

    def updated(self, pod: Json) -> None:
        """The API's object has changed."""
        shown = ("labels", "annotations")  # what a downwardAPI volume may show
        changed = any(pod["metadata"].get(part) != self.pod["metadata"].get(part) for part in shown)
        self._cell.take(pod)
        if changed:
            self.refresh()

    def deleted(self) -> None:
        """The object has gone from the API."""
        self._cell.end_now()

    def ended(self, exit_: Exit) -> None:
        """A container's process has ended."""
        self._steps.ended(exit_)

    def refers_to(self, name: str) -> bool:
        """Whether the pod's spec may name this ConfigMap or Secret."""
        return f'"{name}"' in msgspec.json.encode(self.pod["spec"]).decode()

    def refresh(self) -> None:
        """A ConfigMap or Secret of the namespace, an image or a token may have changed: look again."""
        self._cell.apply(observed.untroubled)
        if self.observed.sandbox == "ready":
            self._begin(self._refresh_volumes())

    # The loop

    async def run(self) -> None:
        """Live until the pod is gone."""
        publishing = asyncio.create_task(self._publisher.run())
        try:
            while not self.observed.finalized or self._tasks:
                await self._wait(self._settle())
        finally:
            tasks = (publishing, *self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(self.folder.delete)

    def _settle(self) -> float | None:
        """Decide and begin, until nothing is left to begin; return when to look again."""
        cell = self._cell
        while True:
            cell.changed.clear()
            now = time.time()
            decision = lifecycle.decide(cell.pod, cell.observed, now)
            cell.pod = {**cell.pod, "status": decision.status}
            self._publisher.put(decision.status)
            if not decision.actions:
                return decision.wake_at
            for action in decision.actions:
                cell.observed = observed.taken(cell.observed, action, now)
                self._begin(self._steps.take(action))

    async def _wait(self, wake_at: float | None) -> None:
        limit_s = None if wake_at is None else max(0.0, wake_at - time.time()) + ROUNDING_S
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._cell.changed.wait()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._cell.changed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("pod %s: %s", podspec.full_name(self.pod), error, exc_info=error)

    async def _refresh_volumes(self) -> None:
        machine = self._cell.machine
        around = machine.surroundings(self.pod, self.observed.ip)
        await asyncio.to_thread(self.folder.refresh, self.pod, around, machine.token(self.pod))
