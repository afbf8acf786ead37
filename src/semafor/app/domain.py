"""The mesh changes its trust domain: first every proxy learns to trust the new one, then certificates are of it."""

import asyncio
import logging
from typing import Final, Protocol

from semafor.planner import Mesh

log = logging.getLogger(__name__)

_SETTLE_S: Final = 2.0  # as for roots: a proxy that reconnects is back by then
_CHECK_S: Final = 0.2


class Proxies(Protocol):
    """What is needed of app.fleet.Fleet."""

    trust_domain: str

    def lacking(self, generation: int) -> tuple[str, ...]: ...


class Rules(Protocol):
    """What is needed of app.pipeline.Pipeline."""

    @property
    def mesh(self) -> Mesh: ...
    def again(self) -> int: ...
    async def news(self) -> None: ...


async def run(rules: Rules, proxies: Proxies, settle_s: float = _SETTLE_S) -> None:
    """Follow the mesh configuration, for ever."""
    while True:
        while proxies.trust_domain in ("", rules.mesh.options.trust_domain):
            await rules.news()
        await _known_everywhere(rules, proxies, settle_s)
        log.info("certificates are of the trust domain %s now", rules.mesh.options.trust_domain)
        proxies.trust_domain = rules.mesh.options.trust_domain
        rules.again()


async def _known_everywhere(rules: Rules, proxies: Proxies, settle_s: float) -> None:
    """Wait until no connected proxy has lacked the present configuration for a while."""
    loop, generation = asyncio.get_running_loop(), rules.again()
    complete_since = loop.time()
    while loop.time() - complete_since < settle_s:
        if proxies.lacking(generation):
            complete_since = loop.time()
        await asyncio.sleep(min(_CHECK_S, settle_s))
