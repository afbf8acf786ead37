"""The mesh's authorities while it runs: what is plugged in, rotations, and what is to be known of both.

Secret cacerts ─┐
rotate          ├─▶ aim ─▶ ca.trust ─▶ book (on disk) ─▶ identities ─▶ proxies ─▶ advance ─▶ ...
a root that ages┘                                                       │
                                             ConfigMap semafor-ca ◀─────┘

Everything it is told comes through the Kubernetes API, so its rules of who may do what hold here too.
"""

import asyncio
import base64
import binascii
import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from semafor.app.identities import Identities
from semafor.app.objects import Client
from semafor.base import clock
from semafor.base.status_error import StatusError
from semafor.ca import book, plugged, trial, trust
from semafor.ca.authority import Authority, bundle, fingerprint
from semafor.ca.plugged import PluggedError
from semafor.ca.trust import Trust
from semafor.planner import Mesh
from semafor.resources.core import config_map, secret

log = logging.getLogger(__name__)

Doc = dict[str, Any]
NAMESPACE: Final = "istio-system"
CACERTS: Final = "cacerts"
STATUS: Final = "semafor-ca"  # the ConfigMap that says how things stand, and takes the wish to rotate
ROTATE: Final = "semafor.io/rotate"  # its annotation: any text, each new one a wish
_SETTLE_S: Final = 2.0  # a proxy that reconnects is back by then: a phase ends when that long nothing was missing
_CHECK_S: Final = 0.5
_IDLE_S: Final = 60.0
_LAST_PART: Final = 0.2  # of its life, in which a root of our own is followed by another. Istio's root rotation


class Proxies(Protocol):
    """What is needed of app.fleet.Fleet."""

    def lacking(self, generation: int) -> tuple[str, ...]: ...
    def name(self, proxy: str) -> str: ...


class Rules(Protocol):
    """What is needed of app.pipeline.Pipeline."""

    @property
    def mesh(self) -> Mesh: ...
    def again(self) -> int: ...


class Parts:
    """Who works together here."""

    def __init__(self, client: Client, identities: Identities, proxies: Proxies, rules: Rules) -> None:
        self.client = client
        self.identities = identities
        self.proxies = proxies
        self.rules = rules


class Authorities:
    """`folder` is where the book is kept, and `known` what it says. `now` and `settle_s` are for tests."""

    def __init__(
        self,
        folder: Path,
        known: Trust,
        parts: Parts,
        *,
        now: Callable[[], datetime] = clock.now,
        settle_s: float = _SETTLE_S,
    ) -> None:
        self._folder = folder
        self._trust = known
        self._parts = parts
        self._now = now
        self._settle_s = settle_s
        self._plugged: Authority | None = None
        self._problem = ""
        self._upstream: Authority | None = None
        self._waits_for_upstream = True  # until it is known that nobody signs above us, or who
        self._upstream_problem = ""
        self._rotated = ""  # the last wish that was heard
        self._generation = 0  # the one in which proxies learn what is trusted now
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Follow the Secret and the wishes, and rotate, for ever."""
        self._hear_wishes()
        if found := self._parts.client.get(secret.KIND, NAMESPACE, CACERTS):
            await self._take_secret(found, gone=False)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_secret(), name="cacerts")
            tasks.create_task(self._watch_wishes(), name="wishes")
            tasks.create_task(self._rotate_forever(), name="rotation")

    # --- what comes in ---

    async def _watch_secret(self) -> None:
        async for change, obj in self._parts.client.watch(secret.KIND, NAMESPACE):
            if obj["metadata"]["name"] == CACERTS:
                await self._take_secret(obj, gone=change == "DELETED")

    async def _take_secret(self, obj: Doc, *, gone: bool) -> None:
        """One that cannot be used changes nothing but what is told."""
        before, self._problem = self._problem, ""
        try:
            self._plugged = None if gone else self._usable(obj)
        except PluggedError as error:
            self._problem = f"Secret {NAMESPACE}/{CACERTS}, {error}"
            if self._problem != before:
                log.error("%s; certificates go on as before", self._problem)  # noqa: TRY400 - the whole story
                await self._parts.client.event(obj, "Warning", "AuthorityRefused", str(error), source="semafor")
        self._news.set()

    def _usable(self, obj: Doc) -> Authority:
        """The authority of the Secret, if proxies would believe its certificates. Raises PluggedError."""
        found = plugged.read(_files(obj), now=self._now())
        domain = self._parts.rules.mesh.options.trust_domain
        trial.check(found, f"spiffe://{domain}/ns/{NAMESPACE}/sa/default", now=self._now())
        return found

    def offer(self, source: str, made: Authority | None, problem: str = "") -> None:
        """An intermediate from upstream, or why there is none yet. An empty `source`: there is nobody above us."""
        self._upstream, self._upstream_problem = made, f"{source}: {problem}" if problem else ""
        self._waits_for_upstream = bool(source) and made is None
        self._news.set()

    def roots(self) -> bytes:
        """What is trusted now, as PEM."""
        return bundle(self._trust.roots)

    def known(self, source: str) -> Authority | None:
        """The authority that signs, or is about to, if it comes from there."""
        found = next((each for each in (self._trust.coming, self._trust.active) if each.source == source), None)
        return found if found and found.expires > self._now() else None

    async def _watch_wishes(self) -> None:
        async for change, obj in self._parts.client.watch(config_map.KIND, NAMESPACE):
            wish = _wish(obj)
            if obj["metadata"]["name"] == STATUS and change != "DELETED" and wish not in ("", self._rotated):
                self._rotated = wish
                self._renew_own()
                self._news.set()

    def _hear_wishes(self) -> None:
        """What was told to be heard is in the book; what was wished for just before the end may not be."""
        found = self._parts.client.get(config_map.KIND, NAMESPACE, STATUS) or {}
        with contextlib.suppress(ValueError, AttributeError):
            self._rotated = str(json.loads((found.get("data") or {}).get("status", "{}")).get("rotation", ""))

    # --- what is done ---

    def _renew_own(self) -> None:
        domain = self._parts.rules.mesh.options.trust_domain
        self._keep(trust.with_own(self._trust, Authority.new(now=self._now(), trust_domain=domain)))

    def _wanted(self) -> Authority:
        if self._plugged is not None:
            return self._plugged
        if self._problem or self._waits_for_upstream:  # no reason to turn away from what signs now
            return self._trust.coming
        return self._upstream or self._trust.own

    async def _rotate_forever(self) -> None:
        self._generation = self._parts.rules.again()
        while True:
            self._news.clear()
            own = self._trust.own.certificate
            if own.not_valid_after_utc - self._now() < _LAST_PART * (
                own.not_valid_after_utc - own.not_valid_before_utc
            ):
                self._renew_own()
            self._follow(trust.aim(self._trust, self._wanted(), self._now()))
            await self._tell()
            if self._trust.phase == "stable":
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_IDLE_S):
                        await self._news.wait()
            else:
                await self._phase_is_over()

    async def _phase_is_over(self) -> None:
        """Wait until nothing has been missing for a while, then go on; or until there is news."""
        loop = asyncio.get_running_loop()
        complete_since = loop.time()
        while loop.time() - complete_since < self._settle_s:
            if self._missing():
                complete_since = loop.time()
            await self._tell()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_CHECK_S, self._settle_s)):
                    await self._news.wait()
                    return
        self._follow(trust.advance(self._trust, known=True, replaced=True, now=self._now()))

    def _missing(self) -> tuple[str, ...]:
        """The proxies that this phase waits for."""
        lacking = self._parts.proxies.lacking(self._generation)
        if self._trust.phase != "replacing":
            return lacking
        leaves, now = self._parts.identities.leaves(), self._now()
        old = (each for each in self._parts.identities.others() if leaves[each].certificate.not_after > now)
        return tuple(dict.fromkeys((*old, *lacking)))

    def _follow(self, changed: Trust) -> None:
        if changed is self._trust:
            return
        log.info("authority %s: %s, signing with %s", changed.coming.id, changed.phase, changed.signer.id)
        self._keep(changed)
        self._parts.identities.follow(changed)
        self._generation = self._parts.rules.again()

    def _keep(self, changed: Trust) -> None:
        """On disk before it is done, so that a daemon that ends in between goes on from here."""
        book.save(self._folder, changed)
        self._trust = changed

    # --- what is told ---

    async def _tell(self) -> None:
        found = self._parts.client.get(config_map.KIND, NAMESPACE, STATUS)
        data = {"status": json.dumps(self.status(), indent=1)}
        try:
            if found is None:
                metadata = {"name": STATUS, "namespace": NAMESPACE}
                await self._parts.client.create(config_map.KIND, {"metadata": metadata, "data": data})
            elif found.get("data") != data:
                await self._parts.client.patch(config_map.KIND, NAMESPACE, STATUS, {"data": data})
        except StatusError as error:
            log.warning("the state of the certificate authority cannot be told: %s", error)

    def status(self) -> Doc:
        """How things stand, in words."""
        state, leaves = self._trust, self._parts.identities.leaves()
        missing = self._missing() if state.phase != "stable" else ()
        return {
            "phase": state.phase,
            "since": state.since.isoformat(timespec="seconds"),
            "signer": _described(state.signer),
            "coming": _described(state.coming) if state.coming is not state.active else None,
            "trusted": [
                {
                    "id": fingerprint(root),
                    "subject": root.subject.rfc4514_string(),
                    "until": f"{root.not_valid_after_utc:%F}",
                }
                for root in state.roots
            ],
            "certificates": len(leaves),
            "waitingFor": [self._parts.proxies.name(each) for each in missing][:10],
            "problem": self._problem or self._upstream_problem,
            "rotation": self._rotated,
        }


def _described(authority: Authority) -> Doc:
    return {
        "id": authority.id,
        "source": authority.source,
        "subject": authority.certificate.subject.rfc4514_string(),
        "until": f"{authority.expires:%F}",
    }


def _wish(obj: Doc) -> str:
    return str((obj["metadata"].get("annotations") or {}).get(ROTATE, ""))


def _files(obj: Doc) -> Mapping[str, bytes]:
    try:
        return {name: base64.b64decode(text) for name, text in (obj.get("data") or {}).items()}
    except binascii.Error as error:
        raise PluggedError(f"data: {error}") from None
