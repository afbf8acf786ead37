"""What the proxies say to what they are sent: who has what, who refused what. Implements xds.server.Observer."""

import asyncio
import logging
from collections.abc import Callable, Container, Iterable, Mapping
from typing import NamedTuple, Protocol

from semafor import ir
from semafor.app import status
from semafor.app.blame import objects
from semafor.app.liveness import Count, Liveness
from semafor.base.problem import ObjectRef, Problem
from semafor.xds import session

log = logging.getLogger(__name__)


class PlanOf(Protocol):
    def __call__(self, proxy: str, generation: int | None = None) -> ir.Plan | None: ...


class Refusal(NamedTuple):
    """An Envoy's word on a resource that it did not take, and the objects that it is about."""

    message: str
    objects: frozenset[ObjectRef]


class Feedback:
    """Keeps count. `plan_of` gives a sidecar's plan of a generation or its last, None for proxies that get no rules.

    `told` is set whenever a status may have changed. `hold` hears of the rules that made a proxy refuse something.
    """

    def __init__(self, plan_of: PlanOf, hold: Callable[[Iterable[Problem]], None]) -> None:
        self.told = asyncio.Event()
        self._plan_of = plan_of
        self._hold = hold
        self._liveness = Liveness()
        self._refusals: dict[tuple[str, str, str], Refusal] = {}  # proxy, type, name
        self._heard = asyncio.Event()

    # --- xds.server.Observer ---

    def connected(self, proxy: str, node_id: str) -> None:
        log.info("proxy %s (%s) is connected", proxy, node_id)
        self.tell()

    def disconnected(self, proxy: str) -> None:
        log.info("proxy %s has gone", proxy)
        self.forget(proxy)

    def acked(self, proxy: str, type_url: str, generation: int) -> None:
        """Nothing hangs on single acknowledgements; `settled` tells when they are complete."""

    def refused(self, proxy: str, event: session.Refused) -> None:
        plan = self._plan_of(proxy, event.generation)
        for name in event.names:
            behind = objects(plan, event.type_url, name) if plan else frozenset()
            suspects = self._suspects(behind, event.generation)
            self._refusals[proxy, event.type_url, name] = Refusal(event.message, suspects)
            log.warning("proxy %s refused %s: %s", proxy, name, event.message)
            if plan and not suspects:
                self._liveness.doubted(proxy, event.generation)
            self._hold(_problem(ref, event.message) for ref in suspects)
        self.tell()

    def settled(self, proxy: str, event: session.Settled) -> None:
        still = {(proxy, *each) for each in event.refused}
        for key in [key for key in self._refusals if key[0] == proxy and key not in still]:
            del self._refusals[key]
        if all(refusal.objects for key, refusal in self._refusals.items() if key[0] == proxy):
            self._liveness.trusted(proxy)
        if self._plan_of(proxy) is not None:
            self._liveness.settled(proxy, event.generation)
        self.tell()

    # --- the pipeline's side ---

    def planned(self, changed: Iterable[ObjectRef], removed: Iterable[ObjectRef], generation: int) -> None:
        """These rules are in the mesh, or gone from it, from `generation` on."""
        self._liveness.changed(changed, generation)
        self._liveness.removed(removed)
        self.tell()

    def forget(self, proxy: str) -> None:
        """The proxy does not count any more."""
        self._liveness.left(proxy)
        self._refusals = {key: refusal for key, refusal in self._refusals.items() if key[0] != proxy}
        self.tell()

    def tell(self) -> None:
        """Wake whoever waits for news."""
        self.told.set()
        heard, self._heard = self._heard, asyncio.Event()
        heard.set()

    async def news(self) -> None:
        """Wait until something has been planned, or a proxy has said something."""
        await self._heard.wait()

    # --- what is asked of it ---

    @property
    def refusing(self) -> bool:
        """Whether a proxy goes without something that it refused."""
        return bool(self._refusals)

    def is_planned(self, ref: ObjectRef) -> bool:
        return self._liveness.since(ref) > 0

    def count(self, ref: ObjectRef, among: Container[str] | None = None) -> Count:
        return self._liveness.count(ref, among)

    def problems(self) -> Mapping[ObjectRef, tuple[Problem, ...]]:
        """What proxies refused, by object, each once however many refused it."""
        found: dict[ObjectRef, dict[Problem, None]] = {}
        for refusal in self._refusals.values():
            for ref in refusal.objects:
                found.setdefault(ref, {})[_problem(ref, refusal.message)] = None
        return {ref: tuple(problems) for ref, problems in found.items()}

    def _suspects(self, behind: Iterable[ObjectRef], generation: int) -> frozenset[ObjectRef]:
        """Of the rules behind a refused resource those that changed last: the others were accepted before."""
        rules = {ref: since for ref in behind if 0 < (since := self._liveness.since(ref)) <= generation}
        latest = max(rules.values(), default=0)
        return frozenset(ref for ref, since in rules.items() if since == latest)


def _problem(ref: ObjectRef, message: str) -> Problem:
    return Problem(
        ref=ref,
        path="spec",
        reason=status.REFUSED,
        message=f"Envoy refused the configuration made of this object and keeps the last good one: {message}",
        fix="mend the field that Envoy names",
        severity="error",
    )
