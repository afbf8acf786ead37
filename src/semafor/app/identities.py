"""The proxies' certificates: wanted when a proxy appears, wanted anew at half of their life. The keys are elsewhere.

plan ─▶ of: who the proxy is      due ─▶ enrolment: a key is made beside the proxy ─▶ certify ─▶ of: its secrets
"""

import random
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from semafor.app.leaf_life import Life
from semafor.base import clock
from semafor.base.struct import Value
from semafor.base.xds import Resource, Resources
from semafor.ca import issue
from semafor.ca.authority import bundle
from semafor.ca.trust import Trust
from semafor.envoy import secrets
from semafor.envoy.pool import Pool

KEYS: Final = "/var/run/secrets/semafor.io/keys"  # where proxies find their keys


class Leaf(Value):
    """A proxy's certificate. `issuer` is the id of the authority that signed it; `key` the name of the key's file."""

    spiffe_id: str
    called: str
    issuer: str
    key: str
    certificate: issue.Certificate
    renew_at: datetime
    secret: Resource


class Wanted(Value):
    """What a proxy's certificate is to say, and for how long. `called` is what metrics call the workload."""

    spiffe_id: str
    life: Life = Life()
    called: str = ""


class Identities:
    """One certificate for each proxy, as SDS secrets. `now` and `jitter` (0 to 1) are for tests."""

    def __init__(
        self,
        trust: Trust,
        pool: Pool,
        *,
        now: Callable[[], datetime] = clock.now,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._pool = pool
        self._now = now
        self._jitter = jitter
        self._wanted: dict[str, Wanted] = {}
        self._leaves: dict[str, Leaf] = {}
        self.follow(trust)

    def follow(self, trust: Trust) -> None:
        """Sign with another authority from now on, or let others be trusted."""
        self._signer = trust.signer
        self._trust = secrets.trust(self._pool, bundle(trust.roots))

    # --- what proxies are told ---

    def want(self, proxy: str, wanted: Wanted) -> bool:
        """Say who the proxy is; whether that is news."""
        is_news = self._wanted.get(proxy) != wanted
        self._wanted[proxy] = wanted
        return is_news

    def of(self, proxy: str) -> Resources | None:
        """The secrets of the proxy; None while it has no certificate."""
        leaf = self._leaves.get(proxy)
        return Resources.of((leaf.secret, self._trust)) if leaf else None

    def forget(self, proxy: str) -> None:
        self._wanted.pop(proxy, None)
        self._leaves.pop(proxy, None)

    # --- what is to be done ---

    def due(self) -> tuple[str, ...]:
        """The proxies that want a certificate now."""
        now = self._now()
        return tuple(proxy for proxy in self._wanted if self._is_due(proxy, now))

    def _is_due(self, proxy: str, now: datetime) -> bool:
        leaf, wanted = self._leaves.get(proxy), self._wanted[proxy]
        if leaf is None or leaf.renew_at <= now:
            return True
        said = (leaf.spiffe_id, leaf.called, leaf.issuer)
        return said != (wanted.spiffe_id, wanted.called, self._signer.id)

    def next_renewal(self) -> datetime | None:
        """When the first certificate wants to be made anew; None without certificates."""
        return min((leaf.renew_at for leaf in self._leaves.values()), default=None)

    def key(self, proxy: str) -> str:
        """The name of the file with the key that the proxy uses; "" before it has a certificate."""
        leaf = self._leaves.get(proxy)
        return leaf.key if leaf else ""

    def certify(self, proxy: str, request: bytes, key: str) -> None:
        """Give the proxy a certificate for the key in the request: for who it is, whatever the request says.

        Raises ca.issue.RequestError. A proxy that has gone meanwhile gets none.
        """
        wanted = self._wanted.get(proxy)
        if wanted is None:
            return
        who = issue.Name(wanted.spiffe_id, wanted.called)
        made = issue.issue(self._signer, request, who, now=self._now(), lifetime=wanted.life.lifetime)
        secret: Any = secrets.identity(self._pool, made.pem, f"{KEYS}/{key}")
        renew_at = issue.renew_at(made, self._jitter(), part=wanted.life.renew_part)
        names = (wanted.spiffe_id, wanted.called)
        self._leaves[proxy] = Leaf(*names, self._signer.id, key, made, renew_at, secret)

    # --- what is asked of it ---

    def leaves(self) -> Mapping[str, Leaf]:
        """Every proxy's certificate."""
        return dict(self._leaves)

    def others(self) -> tuple[str, ...]:
        """The proxies whose certificate is not of the authority that signs now."""
        return tuple(proxy for proxy, leaf in self._leaves.items() if leaf.issuer != self._signer.id)
