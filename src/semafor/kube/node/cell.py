"""The state of one pod on this node, shared by its worker, its steps and its publisher."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from semafor.kube.node import observed, times
from semafor.kube.node.conditions import OURS
from semafor.kube.node.machine import Machine
from semafor.kube.node.observed import Observed
from semafor.kube.node.pod_folder import PodFolder

Json = dict[str, Any]
Change = Callable[[Observed], Observed]


class Cell:
    """`pod` is the API's document with our own newest status; `changed` is set when a new decision is due."""

    def __init__(self, machine: Machine, pod: Json) -> None:
        self.machine = machine
        self.pod = pod
        self.observed = observed.recalled(pod, time.time(), machine.options.network.address)
        self.folder = PodFolder(machine.options.folder / pod["metadata"]["uid"], machine.options.memory)
        self.volumes: dict[str, str] = {}  # name -> path on the host
        self.attempts: dict[str, int] = {}  # container -> the number of its present run
        self.stop_signals: dict[str, int] = {}  # container -> what its image wants to be ended by
        self.changed = asyncio.Event()

    @property
    def uid(self) -> str:
        uid: str = self.pod["metadata"]["uid"]
        return uid

    def apply(self, change: Change) -> None:
        """Something has been observed."""
        self.observed = change(self.observed)
        self.changed.set()

    def say(self, type_: str, reason: str, message: str) -> None:
        """Tell the user, as an event about the pod."""
        self.machine.event(self.pod, type_, reason, message)

    def take(self, pod: Json) -> None:
        """The API has another version of the pod. Our status is newer than the API's; others' conditions are not."""
        stored, own = pod.get("status") or {}, self.pod.get("status") or {}
        others = [entry for entry in stored.get("conditions") or [] if entry["type"] not in OURS]
        ours = [entry for entry in own.get("conditions") or [] if entry["type"] in OURS]
        self.pod = {**pod, "status": {**own, "conditions": ours + others}}
        self.changed.set()

    def end_now(self) -> None:
        """The pod has gone from the API: what still runs has no time left."""
        meta = {**self.pod["metadata"], "deletionTimestamp": times.text(time.time()), "deletionGracePeriodSeconds": 0}
        self.pod = {**self.pod, "metadata": meta}
        self.changed.set()
