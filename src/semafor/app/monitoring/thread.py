"""The thread in which the store lives. Whoever wants something of it hands over a function."""

import asyncio
import concurrent.futures
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from semafor.telemetry.promql import Engine
    from semafor.telemetry.series import Store

T = TypeVar("T")

_MAX_WAITING = 1000  # pieces of work; each is a scrape or a query, and holds what it was given


class Overloaded(Exception):  # noqa: N818 - named for what it is
    """More is asked than can be answered."""


class Thread:
    """Runs one function after another. `open_store` is the first, so that it loads what it needs there too."""

    def __init__(self, open_store: "Callable[[], Store]") -> None:
        self._open = open_store
        self._executor = concurrent.futures.ThreadPoolExecutor(1, "telemetry")
        self._parts: tuple[Store, Engine] | None = None
        self._waiting = 0

    async def run(self, work: "Callable[[Store, Engine], T]", /) -> T:
        """The answer of a function that is given the store and its engine. Raises what it raises; Overloaded."""
        if self._waiting >= _MAX_WAITING:
            raise Overloaded("too many queries wait for the store of metrics")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._run, work)
        finally:
            self._waiting -= 1

    def _run(self, work: "Callable[[Store, Engine], T]") -> T:
        from semafor.telemetry.promql import Engine

        if self._parts is None:
            store = self._open()
            self._parts = (store, Engine(store))
        return work(*self._parts)

    def close(self) -> None:
        """Wait for what runs; what waits is dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)
