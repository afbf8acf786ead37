"""What kubectl does with a running pod: logs, exec, attach, port-forward. Implements `kube.api.node.Node`."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from semafor.kube.api.node import NodeError, Process, Usage
from semafor.kube.node import podspec
from semafor.kube.node.logs import View, read
from semafor.kube.node.meter import Meter
from semafor.kube.node.roles import Runtime
from semafor.kube.node.spec import RuntimeFailure
from semafor.kube.node.worker import PodWorker

Json = dict[str, Any]


class Access:
    """The way into this node's pods. `workers` is the kubelet's own table, by the pods' uids."""

    def __init__(self, runtime: Runtime, workers: Mapping[str, PodWorker]) -> None:
        self._runtime = runtime
        self._workers = workers
        self._meter = Meter(lambda uid: runtime.ask(uid, "usage", {}))

    async def usage(self, pods: Sequence[Json]) -> Mapping[str, Mapping[str, Usage]]:
        """What the containers of the pods use now."""
        return await self._meter.read(pod["metadata"]["uid"] for pod in pods)

    def logs(
        self,
        pod: Json,
        container: str,
        *,
        previous: bool,
        follow: bool,
        tail: int | None,
        since: datetime | None,
        timestamps: bool,
        limit_bytes: int | None,
    ) -> AsyncIterator[bytes]:
        """Yield the container's log. Raises NodeError at the first step when there is none."""
        view = View(tail=tail, since=since, timestamps=timestamps, limit_bytes=limit_bytes)
        return self._logs(pod, container, view, previous=previous, follow=follow)

    async def _logs(
        self, pod: Json, container: str, view: View, *, previous: bool, follow: bool
    ) -> AsyncIterator[bytes]:
        worker = self._worker(pod, container)
        attempt = worker.attempt(container, previous=previous)
        path = worker.folder.log(container, attempt) if attempt is not None else Path()
        if attempt is None or not path.is_file():
            raise NodeError(_no_log(worker, container, previous=previous))
        yield b""

        def ended() -> bool:
            seen = worker.observed.seen(container)
            return seen.has_ended or worker.attempt(container) != attempt or worker.observed.finalized

        async for chunk in read(path, view, ended if follow and not previous else None):
            yield chunk

    async def exec(self, pod: Json, container: str, argv: Sequence[str], *, tty: bool, stdin: bool) -> Process:
        """Start a program in a running container. Raises NodeError."""
        self._running(pod, container)
        try:
            return await self._runtime.exec(pod["metadata"]["uid"], container, argv, tty=tty, stdin=stdin)
        except (RuntimeFailure, OSError) as error:
            raise NodeError(str(error)) from error

    async def attach(self, pod: Json, container: str, *, tty: bool, stdin: bool) -> Process:
        """Join the container's own process. Raises NodeError."""
        self._running(pod, container)
        try:
            return await self._runtime.attach(pod["metadata"]["uid"], container, tty=tty, stdin=stdin)
        except (RuntimeFailure, OSError) as error:
            raise NodeError(str(error)) from error

    async def connect(
        self, pod: Json, port: int, host: str = "127.0.0.1"
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a TCP connection to the pod's own loopback, or to its address. Raises NodeError when nothing listens."""
        name = podspec.full_name(pod)
        try:
            connected = await self._runtime.connect(pod["metadata"]["uid"], host, port)
        except (RuntimeFailure, OSError) as error:
            raise NodeError(f"failed to connect to localhost:{port} inside pod {name}: {error}") from error
        connected.setblocking(False)  # noqa: FBT003
        return await asyncio.open_connection(sock=connected)

    def _worker(self, pod: Json, container: str) -> PodWorker:
        worker = self._workers.get(pod["metadata"]["uid"])
        if worker is None:
            raise NodeError(f'container "{container}" in pod "{pod["metadata"]["name"]}" is waiting to start: Pending')
        return worker

    def _running(self, pod: Json, container: str) -> None:
        worker = self._worker(pod, container)
        if not worker.observed.seen(container).is_running:
            raise NodeError(f'container not found ("{container}"): it is not running')


def _no_log(worker: PodWorker, container: str, *, previous: bool) -> str:
    name = worker.pod["metadata"]["name"]
    if previous:
        return f'previous terminated container "{container}" in pod "{name}" not found'
    status = worker.pod.get("status") or {}
    entries = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    states = [entry["state"] for entry in entries if entry["name"] == container]
    reason = next((state["waiting"]["reason"] for state in states if "waiting" in state), "ContainerCreating")
    message = next((state["waiting"].get("message", "") for state in states if "waiting" in state), "")
    words = f'container "{container}" in pod "{name}" is waiting to start: {reason}'
    return f"{words} ({message})" if message else words
