"""Reads every target, again and again.

Each target has its own moment within the interval, by its name, so that hundreds are not read at once; at most a few
are under way at the same time. A target that hangs costs its own timeout and nothing else.
"""

import asyncio
import functools
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from semafor.app.monitoring import fetch, own, targets
from semafor.app.monitoring.settings import Settings
from semafor.app.monitoring.targets import Target
from semafor.app.monitoring.thread import Thread
from semafor.resources.core import pod as pod_kind

if TYPE_CHECKING:
    from semafor.kube.api.client import Client
    from semafor.telemetry.api import TargetView
    from semafor.telemetry.ingest import Outcome
    from semafor.telemetry.ingest import Target as Reader
    from semafor.telemetry.promql import Engine
    from semafor.telemetry.series import Store

Pod = dict[str, Any]
Connect = Callable[[Pod, str, int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

log = logging.getLogger(__name__)

_AT_ONCE: Final = 8
_SAY_AGAIN_S: Final = 600.0  # the same complaint, at most


@dataclass(slots=True)
class State:
    """What is known of a target: its reader, which lives in the store's thread, and how the last scrape went."""

    target: Target
    reader: "Reader"
    due: float
    outcome: "Outcome | None" = None
    at: float | None = None
    said: float = field(default=-_SAY_AGAIN_S)


class Scraper:
    """`connect` opens a connection within a pod's network. `statement` gives the daemon's own metrics as text."""

    def __init__(
        self, client: "Client", thread: Thread, connect: Connect, statement: Callable[[], Awaitable[str]]
    ) -> None:
        self._client = client
        self._thread = thread
        self._connect = connect
        self._statement = statement
        self.settings = Settings()
        self._states: dict[str, State] = {}
        self._limit = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Read for ever."""
        seen, pods = -1, dict[str, Pod]()
        async with asyncio.TaskGroup() as tasks:
            while True:
                now = time.monotonic()
                _, version = self._client.changes(pod_kind.KIND, seen)
                if version != seen or seen < 0:
                    seen = version
                    pods = {pod["metadata"]["uid"]: pod for pod in self._client.list(pod_kind.KIND)}
                    await self._renew(pods, now)
                for state in self._states.values():
                    if state.due <= now:
                        interval_s = self.settings.interval_s
                        state.due += interval_s * max(1, int((now - state.due) // interval_s) + 1)
                        tasks.create_task(self._scrape(state, pods.get(state.target.uid)), name=state.target.key)
                soonest = min((state.due for state in self._states.values()), default=now + 1)
                await asyncio.sleep(min(max(soonest - time.monotonic(), 0.05), 1.0))

    async def _renew(self, pods: dict[str, Pod], now: float) -> None:
        """Take up new targets, end the series of those that are gone."""
        wanted = {target.key: target for target in (own.target(), *targets.of_pods(list(pods.values())))}
        gone = [key for key, state in self._states.items() if wanted.get(key) != state.target]
        for key in gone:
            state = self._states.pop(key)
            await self._thread.run(functools.partial(_end, state.reader))
        for key, target in wanted.items():
            if key not in self._states:
                from semafor.telemetry.ingest import Target as Reader

                group = f"{key} {dict(target.labels)['instance']}"
                reader = Reader(group, target.labels, drop=target.drop)
                self._states[key] = State(target, reader, now + _moment(key) * self.settings.interval_s)

    async def _scrape(self, state: State, pod: Pod | None) -> None:
        async with self._limit:
            began = time.monotonic()
            try:
                async with asyncio.timeout(self.settings.timeout_s):
                    body, error = await self._read(state.target, pod), ""
            except TimeoutError:
                body, error = "", f"context deadline exceeded: no answer within {self.settings.timeout_s:g} s"
            except (OSError, fetch.Failed) as failed:
                body, error = "", str(failed)
            at, took = time.time(), time.monotonic() - began
            reader, time_ms = state.reader, round(at * 1000)
            if error:
                state.outcome = await self._thread.run(lambda store, _: reader.fail(store, time_ms, error, took))
            else:
                state.outcome = await self._thread.run(lambda store, _: reader.take(store, time_ms, body, took))
            state.at = at
            self._complain(state)

    async def _read(self, target: Target, pod: Pod | None) -> str:
        if not target.uid:
            return await self._statement()
        if pod is None:
            raise fetch.Failed("the pod is gone")
        if target.https:
            raise fetch.Failed("https is not read within a pod's network; write prometheus.io/scheme: http")
        streams = await self._connect(pod, target.host, target.port)
        return await fetch.get(streams, f"{target.host}:{target.port}", target.path)

    def _complain(self, state: State) -> None:
        """A target that shows more series than there is room for is named, now and then."""
        outcome, now = state.outcome, time.monotonic()
        if outcome is not None and outcome.refused and now - state.said >= _SAY_AGAIN_S:
            state.said = now
            words = "%s: %d of %d series found no room in the store; see semafor_series_limit and the labels it uses"
            log.warning(words, state.target.shown, outcome.refused, outcome.samples)

    def views(self) -> "Iterator[TargetView]":
        """The targets as Prometheus's API shows them."""
        from semafor.telemetry.api import TargetView

        for state in self._states.values():
            target, outcome = state.target, state.outcome
            yield TargetView(
                pool=dict(target.labels)["job"],
                url=target.shown,
                labels=target.labels,
                discovered={"__address__": dict(target.labels)["instance"], "__metrics_path__": target.path},
                interval_s=self.settings.interval_s,
                timeout_s=self.settings.timeout_s,
                error=outcome.error if outcome else "",
                last_scrape=state.at,
                duration_s=outcome.duration_s if outcome else 0.0,
                metadata=state.reader.metadata,
            )


def _end(reader: "Reader", store: "Store", _: "Engine") -> None:
    reader.end(store, round(time.time() * 1000))


def _moment(key: str) -> float:
    """Where in the interval a target is read, from 0 to 1: the same for each name, anywhere for different ones."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32
