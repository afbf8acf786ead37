"""Keeps an intermediate that somebody else signs: asks for it, and for the next one at half of its life.

mesh configuration ─▶ settings ─▶ a new key and a request ─▶ the signer ─▶ offered to app.authorities

While the signer does not answer, or answers what cannot be used, the last good intermediate goes on.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Protocol

from semafor.app import mesh_config
from semafor.app.objects import Client
from semafor.app.upstream import cert_manager, settings, spire
from semafor.app.upstream.settings import CertManager, Upstream
from semafor.base import clock
from semafor.ca import intermediate, trial
from semafor.ca.authority import Authority
from semafor.ca.plugged import PluggedError
from semafor.resources.core import config_map

log = logging.getLogger(__name__)

_ANSWER_S: Final = 120.0
_RETRY_S: Final = (2.0, 5.0, 15.0, 60.0)  # the last again and again


class Authorities(Protocol):
    """What is needed of app.authorities.Authorities."""

    def offer(self, source: str, made: Authority | None, problem: str = "") -> None: ...
    def known(self, source: str) -> Authority | None: ...


class Keeper:
    """`now` and `retry_s` are for tests."""

    def __init__(
        self,
        client: Client,
        authorities: Authorities,
        *,
        now: Callable[[], datetime] = clock.now,
        retry_s: tuple[float, ...] = _RETRY_S,
    ) -> None:
        self._client = client
        self._authorities = authorities
        self._now = now
        self._retry_s = retry_s
        self._wanted: tuple[Upstream | None, str] = (None, "")
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Follow the mesh configuration, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(), name="upstream settings")
            tasks.create_task(self._keep(), name="upstream")

    async def _watch(self) -> None:
        async for change, obj in self._client.watch(config_map.KIND, mesh_config.NAMESPACE):
            if obj["metadata"]["name"] == mesh_config.NAME:
                self._take(mesh_config.document(obj) if change != "DELETED" else {})

    def _take(self, document: Any) -> None:
        own = document.get("semafor")
        written = own.get(settings.KEY) if isinstance(own, dict) else None
        domain = str(document.get("trustDomain", "")) or "cluster.local"
        try:
            wanted = (settings.read(written), domain) if written else (None, "")
        except ValueError:
            return  # the warning on the ConfigMap says what is wrong; until it is mended all stays
        if wanted != self._wanted:
            self._wanted = wanted
            self._changed.set()

    async def _keep(self) -> None:
        failures = 0
        while True:
            self._changed.clear()
            wanted, domain = self._wanted
            wait_s = None
            if wanted is None:
                self._authorities.offer("", None)
            else:
                wait_s = await self._due_in_s(wanted, domain, failures)
                failures = failures + 1 if wait_s in self._retry_s else 0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
                    failures = 0

    async def _due_in_s(self, wanted: Upstream, domain: str, failures: int) -> float:
        """Ask, unless there is one that is young; how long that is good for."""
        source = cert_manager.SOURCE if isinstance(wanted, CertManager) else spire.SOURCE
        known = self._authorities.known(source)
        if known is not None and (left_s := self._half_life_s(known)) > 0:
            self._authorities.offer(source, known)
            return left_s
        try:
            async with asyncio.timeout(_ANSWER_S):
                made = await self._asked(wanted, domain, source)
        except TimeoutError:
            return self._failed(source, known, f"no answer within {_ANSWER_S:.0f} s", failures)
        except PluggedError as error:
            return self._failed(source, known, str(error), failures)
        except Exception as error:  # noqa: BLE001 - whatever a foreign server answers, the mesh goes on
            return self._failed(source, known, f"not understood: {error or type(error).__name__}", failures)
        self._authorities.offer(source, made)
        return max(self._half_life_s(made), self._retry_s[0] + 1)

    def _failed(self, source: str, known: Authority | None, why: str, failures: int) -> float:
        """Say so, and how long to wait."""
        log.error("no intermediate from %s: %s", source, why)
        self._authorities.offer(source, known, why)
        return self._retry_s[min(failures, len(self._retry_s) - 1)]

    async def _asked(self, wanted: Upstream, domain: str, source: str) -> Authority:
        asked = intermediate.ask(domain)
        if isinstance(wanted, CertManager):
            chain, roots = await cert_manager.sign(self._client, wanted, asked)
        else:
            chain, roots = await spire.sign(wanted, asked)
        made = intermediate.answered(asked, chain, roots, now=self._now(), source=source)
        trial.check(made, f"spiffe://{domain}/ns/{mesh_config.NAMESPACE}/sa/default", now=self._now())
        return made

    def _half_life_s(self, made: Authority) -> float:
        start = made.certificate.not_valid_before_utc
        return (start + (made.expires - start) / 2 - self._now()).total_seconds()
