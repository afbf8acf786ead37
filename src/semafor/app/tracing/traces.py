"""The store of traces, behind a queue with a bound and a thread of its own: SQLite never stops the loop."""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from semafor.telemetry.traces.span import Span
from semafor.telemetry.traces.store import Store

log = logging.getLogger("semafor.traces")

P = ParamSpec("P")
T = TypeVar("T")

MAX_WAITING = 5_000  # spans that are not written yet: a second of a very busy machine
_BATCH_S = 0.2


class Traces:
    """What reporters tell, as far as it can be written. `kept` and `dropped` count spans since the start."""

    def __init__(self, path: Path, *, max_waiting: int = MAX_WAITING) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="traces")
        self._waiting: deque[Span] = deque()
        self._max_waiting = max_waiting
        self._news = asyncio.Event()
        self._store: Store | None = None
        self._is_failing = False
        self.kept = 0
        self.dropped = 0

    def take(self, spans: list[Span]) -> int:
        """Queue the spans; return how many found no room."""
        room = max(0, self._max_waiting - len(self._waiting))
        self._waiting.extend(spans[:room])
        self._news.set()
        dropped = max(0, len(spans) - room)
        self.dropped += dropped
        return dropped

    async def run(self) -> None:
        """Write what is queued, until cancelled."""
        try:
            while True:
                await self._news.wait()
                await asyncio.sleep(_BATCH_S)  # one transaction for what comes together
                await self._write()
        finally:
            self._thread.submit(self._close)
            self._thread.shutdown()

    async def ask(self, question: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The store's answer; it knows all that was taken before. Raises sqlite3.Error."""
        await self._write()
        return await self._in_thread(lambda store: question(store, *args, **kwargs))

    async def _write(self) -> None:
        self._news.clear()
        batch, self._waiting = self._waiting, deque()
        if not batch:
            return
        try:
            self.kept += await self._in_thread(lambda store: store.add(batch))
        except sqlite3.Error as error:
            self.dropped += len(batch)
            if not self._is_failing:
                log.warning("traces cannot be written and are dropped until they can: %s: %s", self._path, error)
            self._is_failing = True
        else:
            self._is_failing = False

    async def _in_thread(self, work: Callable[[Store], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._opened()))

    def _opened(self) -> Store:
        if self._store is None:
            self._store = Store.open(self._path)
        return self._store

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
