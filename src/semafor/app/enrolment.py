"""Has proxies' keys made beside the proxies, and certifies them: at once for new ones, at half-life for all others."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from semafor.app.identities import Identities
from semafor.ca.keys import CaError

log = logging.getLogger(__name__)

Json = dict[str, Any]
Ask = Callable[[str, Json], Awaitable[Json]]
_AT_ONCE: Final = 32  # requests that supervisors work at
_CHECK_S: Final = 30.0  # how late a renewal may be
_RETRY_S: Final = 0.2  # after a supervisor that did not answer, which is mostly one that is being made or has ended


class Rules(Protocol):
    """What is needed of app.pipeline.Pipeline."""

    def again(self) -> int: ...
    async def news(self) -> None: ...


class Enrolment:
    """`ask` has the supervisor of a pod make a key; it knows the pod by who it sends the question to, and by nothing
    that comes back. What comes back is a request without a name, and what it would name would count for nothing.
    """

    def __init__(self, identities: Identities, rules: Rules, ask: Ask) -> None:
        self._identities = identities
        self._rules = rules
        self._ask = ask
        self._limit = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Certify whoever wants it, for ever."""
        while True:
            due = self._identities.due()
            done = await asyncio.gather(*map(self._enrol, due))
            if any(done):
                self._rules.again()
            failed = {proxy for proxy, is_done in zip(due, done, strict=True) if not is_done}
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_S if failed else _CHECK_S):
                    await self._wanted(failed)

    async def _wanted(self, failed: set[str]) -> None:
        """Wait until a proxy that has not just failed wants a certificate."""
        while not set(self._identities.due()) - failed:
            await self._rules.news()

    async def _enrol(self, proxy: str) -> bool:
        """Whether the proxy has a new certificate."""
        used = self._identities.key(proxy)
        async with self._limit:
            try:
                answer = await self._ask(proxy, {"keep": [used] if used else []})
                self._identities.certify(proxy, answer["request"].encode(), answer["name"])
            except CaError as error:
                log.warning("%s got no certificate: %s", proxy, error)
                return False
            except Exception as error:  # noqa: BLE001 - no pod keeps the others from theirs
                log.debug("%s has no supervisor to make a key: %s", proxy, error)
                return False
        return True
