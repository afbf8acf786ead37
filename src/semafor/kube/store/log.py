"""The shared log of one resource's changes, and the cursors that follow it.

One list for all readers instead of a queue for each: a slow reader costs no memory, it only learns that it is too late.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal, NamedTuple

from semafor.kube.store.errors import Expired

MAX_EVENTS = 1_024  # per resource; a pod is some 20 KB in memory, so that 20 MB is the worst


class Event(NamedTuple):
    """One change. `object` is the document after it (for DELETED: the last one, with the deletion's version).

    `previous` is the document before it, None for ADDED: a filtered watch needs it to see objects leave the filter.
    `body` is `object` in JSON.
    """

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: dict[str, Any]
    resource_version: int
    previous: dict[str, Any] | None
    body: bytes


class Log:
    """The newest events of one resource, in order of their versions.

    Every event with a version above `floor` is here.
    """

    def __init__(self, floor: int, *, max_events: int = MAX_EVENTS) -> None:
        self.floor = floor
        self._max_events = max_events
        self._events: list[Event] = []
        self._dropped = 0
        self._grown = asyncio.Event()

    def append(self, event: Event) -> None:
        self._events.append(event)
        if len(self._events) >= self._max_events * 5 // 4:  # not at every event, so that it costs little on average
            self._trim()
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    def _trim(self) -> None:
        surplus = len(self._events) - self._max_events
        self.floor = self._events[surplus - 1].resource_version
        del self._events[:surplus]
        self._dropped += surplus

    def position_after(self, version: int) -> int:
        """The place of the first event above `version`. Raises Expired when some of those are gone."""
        if version < self.floor:
            raise Expired(f"too old resource version: {version} ({self.floor})")
        low, high = 0, len(self._events)
        while low < high:
            middle = (low + high) // 2
            if self._events[middle].resource_version <= version:
                low = middle + 1
            else:
                high = middle
        return self._dropped + low

    def read(self, position: int) -> list[Event]:
        """All events from a place on. Raises Expired when the log has moved past it."""
        if position < self._dropped:
            raise Expired(f"too old resource version: the watch fell {self._dropped - position} events behind")
        return self._events[position - self._dropped :]

    async def wait(self) -> None:
        """Return after the next append."""
        await self._grown.wait()


class Watch:
    """A cursor over a log. A cancelled `__anext__` or `wait` loses nothing: iteration may go on afterwards."""

    def __init__(self, log: Log, since: int, namespace: str | None) -> None:
        self._log = log
        self._namespace = namespace
        self._position = log.position_after(since)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        while True:
            for event in self._log.read(self._position):
                self._position += 1
                if self._wants(event):
                    return event
            await self._log.wait()

    def ready(self) -> list[Event]:
        """The events that can be had without waiting, at once. Raises Expired."""
        events = self._log.read(self._position)
        self._position += len(events)
        return [event for event in events if self._wants(event)]

    async def wait(self) -> None:
        """Return when `ready` may have something."""
        if not self._log.read(self._position):
            await self._log.wait()

    def _wants(self, event: Event) -> bool:
        return self._namespace is None or event.object["metadata"].get("namespace", "") == self._namespace
