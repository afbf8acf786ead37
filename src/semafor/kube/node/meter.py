"""How much the containers of pods use now: processor time between two readings, and memory.

Nothing is read while nobody asks. Who asks often measures from question to question; the first question waits a second.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple

from semafor.kube.api.node import Usage

Json = dict[str, Any]
Ask = Callable[[str], Awaitable[Json]]  # the containers of a pod, as `usage.read` tells them; raises when it is gone

_SHORTEST_S = 1.0  # a hundredth of a second is the smallest step of processor time
_LONGEST_S = 30.0  # a reading before that says little of now


class _Reading(NamedTuple):
    at: float
    containers: Mapping[str, Json]
    told: Mapping[str, Usage]


class Meter:
    """`now` is for tests."""

    def __init__(self, ask: Ask, now: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._now = now
        self._readings: dict[str, _Reading] = {}

    async def read(self, uids: Iterable[str]) -> Mapping[str, Mapping[str, Usage]]:
        """By the pods' uids and the containers' names; pods that do not run are left out."""
        wanted = tuple(uids)
        self._forget()
        unknown = [uid for uid in wanted if uid not in self._readings]
        if unknown:
            await asyncio.gather(*map(self._take, unknown))
            await asyncio.sleep(_SHORTEST_S)
        old = [uid for uid in wanted if uid in self._readings and self._age(uid) >= _SHORTEST_S]
        await asyncio.gather(*map(self._take, old))
        return {uid: self._readings[uid].told for uid in wanted if uid in self._readings}

    async def _take(self, uid: str) -> None:
        try:
            containers = (await self._ask(uid)).get("containers", {})
        except Exception:  # noqa: BLE001  (it has gone, or cannot be asked: then nothing is known of it)
            self._readings.pop(uid, None)
            return
        before, now = self._readings.get(uid), self._now()
        told = {name: _between(before, name, one, now) for name, one in containers.items()} if before else {}
        self._readings[uid] = _Reading(now, containers, told)

    def _age(self, uid: str) -> float:
        return self._now() - self._readings[uid].at

    def _forget(self) -> None:
        for uid in [uid for uid in self._readings if self._age(uid) > _LONGEST_S]:
            del self._readings[uid]


def _between(before: _Reading, name: str, one: Json, now: float) -> Usage:
    """A container that has started anew since then has used what it has used so far."""
    was = before.containers.get(name, {"cpu_s": 0.0})["cpu_s"]
    used = one["cpu_s"] - was if one["cpu_s"] >= was else one["cpu_s"]
    passed = max(now - before.at, _SHORTEST_S)
    return Usage(cores=used / passed, bytes=int(one["bytes"]), window_s=passed)
