"""Puts the parts together: the thread, the scraper, Prometheus's API."""

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import semafor
from semafor.app.monitoring import settings
from semafor.app.monitoring.keeping import SAVE_INTERVAL_S, Kept
from semafor.app.monitoring.own import Statement
from semafor.app.monitoring.receivers import Receivers
from semafor.app.monitoring.rules import Rules
from semafor.app.monitoring.scraper import Connect, Scraper
from semafor.app.monitoring.settings import Settings
from semafor.app.monitoring.thread import Overloaded, Thread
from semafor.resources.core import config_map

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from semafor.kube.api.client import Client
    from semafor.telemetry.promql import Engine
    from semafor.telemetry.series import Store

T = TypeVar("T")
log = logging.getLogger(__name__)


class Monitoring:
    """The mesh's metrics. `connect` opens connections within pods; `proxies` tells how many Envoys are connected.

    `folder` is where the series are kept on disk.
    """

    def __init__(self, client: "Client", connect: Connect, proxies: Callable[[], int], folder: Path) -> None:
        self._kept = Kept(folder / "series.db")
        self._thread = Thread(self._kept.open)
        self._statement = Statement(semafor.__version__)
        self._proxies = proxies
        self._scraper = Scraper(client, self._thread, connect, self._tell)
        self._rules = Rules(client, self._thread, Receivers(client, connect))
        self._app: ASGIApp | None = None
        self._started = time.time()
        self._client = client
        self._said: tuple[str, ...] = ()

    async def run(self) -> None:
        """Scrape, evaluate and save for ever; at the end save once more."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._scraper.run(), name="scraper")
                tasks.create_task(self._rules.run(), name="rules")
                tasks.create_task(self._keep(), name="keeper")
        finally:
            with contextlib.suppress(Overloaded):
                await self._thread.run(lambda store, _: self._kept.close(store))
            self._thread.close()

    async def _keep(self) -> None:
        while True:
            await self._settle()
            await asyncio.sleep(SAVE_INTERVAL_S)
            await self._thread.run(lambda store, _: self._kept.look_after(store, time.time()))

    async def _settle(self) -> None:
        """Take up what the user wants by now. What is not understood is said once."""
        found = self._client.get(config_map.KIND, settings.NAMESPACE, settings.NAME) or {}
        wanted, wrong = settings.read(found.get("data") or {})
        for line in wrong if wrong != self._said else ():
            log.warning(line)
        self._said = wrong
        if wanted != self._scraper.settings:
            self._scraper.settings = wanted
            await self._thread.run(lambda store, _: _keep_for(store, wanted))

    async def ask(self, work: "Callable[[Store, Engine], T]") -> T:
        """The answer of a function that is given the store and the engine, as in
        `await monitoring.ask(lambda _, engine: engine.instant("up", now_ms))`. Raises promql.QueryError."""
        return await self._thread.run(work)

    @property
    def figures(self) -> dict[str, float]:
        """How the daemon does, in numbers; of the store as of the last scrape."""
        return self._statement.figures | {"targets_down": sum(bool(each.error) for each in self._scraper.views())}

    async def _tell(self) -> str:
        await self._thread.run(lambda store, _: self._statement.look_at(store))
        return self._statement.text(self._proxies())

    async def api(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Prometheus's HTTP API, an ASGI application."""
        if self._app is None:
            await self._thread.run(lambda *_: None)  # what it needs is loaded there, not on the daemon's loop
            self._app = self._application()
        await self._app(scope, receive, send)

    def _application(self) -> "ASGIApp":
        from semafor.telemetry.api import Backend, application
        from semafor.telemetry.promql import printer

        return application(
            Backend(
                run=self.ask,
                now=time.time,
                targets=lambda: list(self._scraper.views()),
                rules=lambda: self._rules.shown,
                alerts=lambda: self._rules.alerts,
                version=semafor.__version__,
                started=self._started,
                retention=lambda: printer.duration(round(self._scraper.settings.window_s * 1000)),
                interval=lambda: printer.duration(round(self._scraper.settings.interval_s * 1000)),
            )
        )


def _keep_for(store: "Store", wanted: Settings) -> None:
    store.limits = dataclasses.replace(store.limits, window_ms=round(wanted.window_s * 1000))
