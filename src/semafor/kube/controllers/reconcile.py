"""The loop that every controller shares: watch, collect the keys that changed, reconcile them one after the other."""

import asyncio
import heapq
import logging
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.resources.kind import Kind

Doc = dict[str, Any]

log = logging.getLogger(__name__)

_FIRST_RETRY_S = 0.02
_LAST_RETRY_S = 30.0


class Key(NamedTuple):
    """An object to reconcile, by namespace and name; its kind is the controller's."""

    namespace: str
    name: str


class Watch(NamedTuple):
    """A kind whose changes matter, and the keys that a change of one object concerns."""

    kind: Kind
    keys: Callable[[Doc], Iterable[Key]]


class Controller(Protocol):
    """One part of the cluster's behaviour."""

    @property
    def watches(self) -> tuple[Watch, ...]: ...

    async def reconcile(self, key: Key) -> float | None:
        """Make it so. Return after how many seconds to look again without a change, or None."""


def own(obj: Doc) -> tuple[Key, ...]:
    """The key of the object itself."""
    return (Key(obj["metadata"].get("namespace", ""), obj["metadata"]["name"]),)


def owner(kind: str) -> Callable[[Doc], tuple[Key, ...]]:
    """The key of the object's controlling owner, when that is of this kind."""

    def keys(obj: Doc) -> tuple[Key, ...]:
        metadata = obj["metadata"]
        return tuple(
            Key(metadata.get("namespace", ""), reference["name"])
            for reference in metadata.get("ownerReferences", ())
            if reference.get("controller") and reference["kind"] == kind
        )

    return keys


async def run(controller: Controller, client: Client) -> None:
    """Keep the controller's part of the cluster as it should be, for ever."""
    work = _Work()
    async with asyncio.TaskGroup() as tasks:
        for watch in controller.watches:
            tasks.create_task(_feed(watch, client, work))
        tasks.create_task(_drain(controller, work))


async def _feed(watch: Watch, client: Client, work: "_Work") -> None:
    async for _, obj in client.watch(watch.kind):
        work.add(watch.keys(obj))


async def _drain(controller: Controller, work: "_Work") -> None:
    while True:
        key = await work.next()
        try:
            again_s = await controller.reconcile(key)
        except StatusError as error:
            again_s = work.failed(key)
            if not _passes(error):
                log.warning("%s %s: %s", type(controller).__name__, "/".join(key), error)
        except Exception:
            log.exception("%s %s", type(controller).__name__, "/".join(key))
            again_s = work.failed(key)
        else:
            work.succeeded(key)
        if again_s is not None:
            work.later(key, again_s)


def _passes(error: StatusError) -> bool:
    """Whether the refusal is part of everyday life: someone else was faster, or the namespace is being emptied."""
    causes = error.details.get("causes") or []
    ending = any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
    return ending or error.reason in ("Conflict", "NotFound", "AlreadyExists")


class _Work:
    """Keys that wait, each once: at once, or at a time."""

    def __init__(self) -> None:
        self._dirty: dict[Key, None] = {}
        self._later: list[tuple[float, Key]] = []
        self._failures: dict[Key, int] = {}
        self._wake = asyncio.Event()

    def add(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._dirty[key] = None
        self._wake.set()

    def later(self, key: Key, delay_s: float) -> None:
        heapq.heappush(self._later, (_now() + delay_s, key))

    def failed(self, key: Key) -> float:
        """The delay before the next try: doubles from 20 ms to 30 s."""
        count = self._failures[key] = self._failures.get(key, 0) + 1
        return min(_FIRST_RETRY_S * 2.0 ** (count - 1), _LAST_RETRY_S)

    def succeeded(self, key: Key) -> None:
        self._failures.pop(key, None)

    async def next(self) -> Key:
        """Wait for a key."""
        while True:
            while self._later and self._later[0][0] <= _now():
                self._dirty[heapq.heappop(self._later)[1]] = None
            if self._dirty:
                key = next(iter(self._dirty))
                del self._dirty[key]
                return key
            self._wake.clear()
            delay_s = self._later[0][0] - _now() if self._later else None
            try:
                async with asyncio.timeout(delay_s):
                    await self._wake.wait()
            except TimeoutError:
                continue


def _now() -> float:
    return asyncio.get_running_loop().time()
