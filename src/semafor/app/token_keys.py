"""The keys of those who sign tokens: fetched here, kept, and fetched again, so that no proxy has to ask for them.

RequestAuthentications ─▶ where keys are ─▶ key_sets.fetch ─▶ pipeline.take_token_keys ─▶ plans

An issuer that does not answer keeps the keys that it had, and costs the others nothing.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

from semafor.planner import Mesh
from semafor.planner.security import request_authentication
from semafor.planner.security.request_authentication import Keys

_REFRESH_S = 20 * 60.0  # as Istio: issuers announce new keys some time before they use them
_RETRY_S = 10.0


class Rules(Protocol):
    """What is needed of app.pipeline.Pipeline."""

    @property
    def mesh(self) -> Mesh: ...
    async def news(self) -> None: ...
    def take_token_keys(self, keys: Mapping[str, Keys]) -> None: ...


async def fetch(places: Mapping[str, float], refused: Iterable[str]) -> list[Keys]:
    """The key set at each place, or why there is none; with how many seconds one waits, and where nobody is asked."""
    from semafor.app import key_sets  # only now: an HTTP client is 0.1 s of every start, and few meshes need one

    return await key_sets.fetch(places, refused)


Fetch = Callable[[Mapping[str, float], Iterable[str]], Awaitable[list[Keys]]]


class TokenKeys:
    """Keeps the key sets of the mesh what issuers say. `now` is a monotonic clock in seconds."""

    def __init__(self, rules: Rules, now: Callable[[], float], fetch: Fetch = fetch) -> None:
        self._rules = rules
        self._now = now
        self._fetch = fetch
        self._known: dict[str, Keys] = {}
        self._due: dict[str, float] = {}

    async def run(self) -> None:
        """Fetch what is missing or old, for ever."""
        while True:
            await self._renew()
            wait_s = min(self._due.values(), default=self._now() + _REFRESH_S) - self._now()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(wait_s, 0.0)):
                    await self._others_are_wanted()

    def _wanted(self) -> dict[str, float]:
        return request_authentication.wanted(self._rules.mesh.request_authentications)

    async def _others_are_wanted(self) -> None:
        while self._wanted().keys() == self._due.keys():
            await self._rules.news()

    async def _renew(self) -> None:
        wanted, before = self._wanted(), self._known
        due = {place: wanted[place] for place in sorted(wanted) if self._due.get(place, 0.0) <= self._now()}
        found = await self._fetch(due, self._rules.mesh.options.refused_issuers) if due else []
        self._known = {place: keys for place, keys in before.items() if place in wanted}
        self._due = {place: when for place, when in self._due.items() if place in wanted}
        for place, keys in zip(due, found, strict=True):
            had = before.get(place, keys)
            self._known[place] = had if keys.flaw and had.jwks else keys
            self._due[place] = self._now() + (_RETRY_S if keys.flaw else _REFRESH_S)
        if self._known != before:
            self._rules.take_token_keys(dict(self._known))
