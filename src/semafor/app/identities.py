"""The proxies' certificates: made when a proxy appears, made anew at half of their life. Keys stay in memory."""

import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

from semafor.base import clock, names
from semafor.base.xds import Resources
from semafor.ca import issue
from semafor.ca.authority import Authority
from semafor.envoy import secrets
from semafor.envoy.pool import Pool


class Identities:
    """One certificate for each proxy, as SDS secrets. `now` and `jitter` (0 to 1) are for tests."""

    def __init__(
        self,
        authority: Authority,
        pool: Pool,
        *,
        now: Callable[[], datetime] = clock.now,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._authority = authority
        self._pool = pool
        self._now = now
        self._jitter = jitter
        self._known: dict[str, tuple[str, datetime, Resources]] = {}
        self._trust = secrets.trust(pool, authority.root_pem)

    def of(self, proxy: str, namespace: str, service_account: str) -> Resources:
        """The secrets of the proxy, for the identity of its workload."""
        spiffe_id = names.spiffe_id(namespace, service_account)
        known = self._known.get(proxy)
        if known is None or known[0] != spiffe_id or known[1] <= self._now():
            known = self._known[proxy] = self._issue(spiffe_id)
        return known[2]

    def forget(self, proxy: str) -> None:
        self._known.pop(proxy, None)

    def next_renewal(self) -> datetime | None:
        """When the first certificate wants to be made anew; None without proxies."""
        return min((when for _, when, _ in self._known.values()), default=None)

    def _issue(self, spiffe_id: str) -> tuple[str, datetime, Resources]:
        made = issue.workload(self._authority, spiffe_id, now=self._now())
        own: Any = secrets.identity(self._pool, made.certificate.pem, made.key.pem)
        return spiffe_id, issue.renew_at(made.certificate, self._jitter()), Resources.of((own, self._trust))
