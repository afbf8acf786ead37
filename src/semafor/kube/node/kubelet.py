"""The node agent: one worker per pod that is bound to this node, and the loops that feed them.

In: the API's pods, ConfigMaps and Secrets, and the runtime's exits. Out: processes, the pods' status, events, and the
Node object. Decisions are made in `lifecycle`; this file only connects.
"""

import asyncio
import logging
import time
from typing import Any

from semafor.kube.api.errors import StatusError
from semafor.kube.node import pod_folder, registration
from semafor.kube.node.access import Access
from semafor.kube.node.machine import Machine, Options
from semafor.kube.node.roles import Api, Images, Runtime
from semafor.kube.node.worker import PodWorker
from semafor.resources.core import config_map, pod, secret
from semafor.resources.kind import Kind

Json = dict[str, Any]

TOKEN_REFRESH_S = 480.0  # 80 % of 600 s, the shortest life that a service-account token may have
RESTART_S = 1.0  # before a pod's worker that failed in a way nobody foresaw is started again
log = logging.getLogger(__name__)


class Kubelet:
    """Runs the pods of one node. `access` is what the API's logs, exec, attach and port-forward go through."""

    def __init__(self, options: Options, api: Api, runtime: Runtime, images: Images) -> None:
        self._machine = Machine(options, api, runtime, images)
        self._workers: dict[str, PodWorker] = {}
        self.access = Access(runtime, self._workers)

    async def run(self) -> None:
        """Run pods until cancelled. The runtime must have been started; it ends the processes when it stops."""
        machine = self._machine
        await asyncio.to_thread(self._sweep)
        await registration.register(machine.api, machine.options, time.time())
        async with asyncio.TaskGroup() as group:
            group.create_task(machine.write_events())
            group.create_task(self._watch_exits())
            group.create_task(self._watch_sources(config_map.KIND))
            group.create_task(self._watch_sources(secret.KIND))
            group.create_task(self._beat())
            group.create_task(self._refresh_tokens())
            await self._watch_pods(group)

    def _sweep(self) -> None:
        """Delete the folders of pods that are no longer known, for instance after a crash."""
        options = self._machine.options
        options.folder.mkdir(parents=True, exist_ok=True)
        known = {found["metadata"]["uid"] for found in self._machine.api.list(pod.KIND)}
        for folder in filter(None, (options.folder, options.memory)):
            for entry in folder.iterdir() if folder.exists() else ():
                if entry.name not in known or folder is options.memory:
                    pod_folder.remove(entry)

    async def _watch_pods(self, group: asyncio.TaskGroup) -> None:
        async for change, found in self._machine.api.watch(pod.KIND):
            if found["spec"].get("nodeName") != self._machine.options.name:
                continue
            uid = found["metadata"]["uid"]
            worker = self._workers.get(uid)
            if worker is None and change != "DELETED":
                self._workers[uid] = PodWorker(self._machine, found)
                group.create_task(self._live(uid), name=f"pod {found['metadata']['name']}")
            elif worker is not None and change == "DELETED":
                worker.deleted()
            elif worker is not None:
                worker.updated(found)

    async def _live(self, uid: str) -> None:
        """Run one worker to its end. A fault in one pod's worker is told, and must not end the others."""
        try:
            while True:
                if await self._lived(self._workers[uid]):
                    return
                await asyncio.sleep(RESTART_S)
        finally:
            del self._workers[uid]

    async def _lived(self, worker: PodWorker) -> bool:
        try:
            await worker.run()
        except Exception:
            log.exception("the worker of pod %s failed and is started again", worker.pod["metadata"]["name"])
            return False
        return True

    async def _watch_exits(self) -> None:
        async for exit_ in self._machine.runtime.exits():
            if (worker := self._workers.get(exit_.uid)) is not None:
                worker.ended(exit_)

    async def _watch_sources(self, kind: Kind) -> None:
        async for _, found in self._machine.api.watch(kind):
            meta = found["metadata"]
            for worker in self._workers.values():
                if worker.pod["metadata"]["namespace"] == meta["namespace"] and worker.refers_to(meta["name"]):
                    worker.refresh()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(registration.HEARTBEAT_S)
            try:
                await registration.beat(self._machine.api, self._machine.options, time.time())
            except StatusError as error:  # a full disk, for instance; the pods go on
                log.warning("the node's lease could not be renewed: %s", error)

    async def _refresh_tokens(self) -> None:
        while True:
            await asyncio.sleep(TOKEN_REFRESH_S)
            for worker in self._workers.values():
                worker.refresh()
