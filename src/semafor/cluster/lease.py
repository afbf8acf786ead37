"""One of many: whoever holds a Lease does what must be single.

Source: client-go's leaderelection, whose Lease this is; clocks of two replicas need not agree, only run alike.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

from semafor.base.status_error import StatusError
from semafor.cluster.client import Client
from semafor.resources.coordination import lease

log = logging.getLogger(__name__)

Doc = dict[str, Any]
DURATION_S: Final = 15
_RENEW_S: Final = 5.0
_RETRY_S: Final = 2.0
_RENEWED_WITHIN_S: Final = 10.0  # whoever could not renew for so long stops, before another may begin


class Lease:
    """`name` of the Lease, and `me`, who this replica is. `monotonic` is for tests."""

    def __init__(
        self, client: Client, namespace: str, name: str, me: str, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._me = me
        self._monotonic = monotonic
        self._seen: tuple[Any, float] = (None, 0.0)  # the holder's last renewal, and when it was first seen here

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work while leading, for ever; it is cancelled when the Lease is lost."""
        while True:
            if not await self._acquired():
                await asyncio.sleep(_RETRY_S)
                continue
            log.info("%s leads", self._me)
            working = asyncio.ensure_future(work())
            try:
                await self._held(working)
            finally:
                working.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await working
            log.warning("%s does not lead any more", self._me)

    async def release(self) -> None:
        """Let another lead at once."""
        with contextlib.suppress(StatusError):
            found = await self._client.read(lease.KIND, self._namespace, self._name)
            if found and found["spec"].get("holderIdentity") == self._me:
                spec = {**found["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
                await self._client.update(lease.KIND, {**found, "spec": spec})

    async def _held(self, working: "asyncio.Future[None]") -> None:
        renewed = self._monotonic()
        while self._monotonic() - renewed < _RENEWED_WITHIN_S and not working.done():
            await asyncio.wait([working], timeout=_RENEW_S)
            if await self._acquired():
                renewed = self._monotonic()
        if working.done():
            working.result()

    async def _acquired(self) -> bool:
        """Whether this replica holds the Lease now, taken or renewed."""
        try:
            found = await self._client.read(lease.KIND, self._namespace, self._name)
            if found is None:
                metadata = {"name": self._name, "namespace": self._namespace}
                await self._client.create(lease.KIND, {"metadata": metadata, "spec": self._spec(0)})
                return True
            if not self._may_take(found["spec"]):
                return False
            changes = int(found["spec"].get("leaseTransitions") or 0)
            is_mine = found["spec"].get("holderIdentity") == self._me
            await self._client.update(lease.KIND, {**found, "spec": self._spec(changes + (not is_mine))})
        except StatusError as error:
            log.debug("the Lease %s: %s", self._name, error)
            return False
        return True

    def _may_take(self, spec: Doc) -> bool:
        holder, renewal = spec.get("holderIdentity"), (spec.get("holderIdentity"), spec.get("renewTime"))
        if holder in (self._me, "", None):
            return True
        if self._seen[0] != renewal:
            self._seen = (renewal, self._monotonic())
            return False
        return self._monotonic() - self._seen[1] > float(spec.get("leaseDurationSeconds") or DURATION_S)

    def _spec(self, changes: int) -> Doc:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "holderIdentity": self._me,
            "leaseDurationSeconds": DURATION_S,
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": changes,
        }
