"""Certificate requests: those that are approved are signed, and all of them go after a while.

Source: Kubernetes' "Certificate Signing Requests"; the times are those of its controllers.
"""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from semafor.base import clock
from semafor.kube.api.client import Client
from semafor.kube.controllers.reconcile import Key, Watch, own
from semafor.resources.certificates import certificate_signing_request as requests

Doc = dict[str, Any]
Sign = Callable[[bytes, timedelta], bytes]  # a request in PEM, and for how long; raises ValueError with why not

LIFETIME: Final = timedelta(days=365)  # --cluster-signing-duration
_DECIDED_KEPT, _PENDING_KEPT = timedelta(hours=1), timedelta(hours=24)
_USES: Final = frozenset({requests.CLIENT_AUTH, "digital signature", "key encipherment"})


class Certificates:
    """The controller. Requests for other signers are left to these, and only cleared away."""

    def __init__(self, client: Client, sign: Sign, now: Callable[[], datetime] = clock.now) -> None:
        self.watches: tuple[Watch, ...] = (Watch(requests.KIND, own),)
        self._client = client
        self._sign = sign
        self._now = now

    async def reconcile(self, key: Key) -> float | None:
        found = self._client.get(requests.KIND, "", key.name)
        if found is None:
            return None
        left = until(found) - self._now()
        if left <= timedelta():
            await self._client.delete(requests.KIND, "", key.name)
            return None
        if _is_due(found):
            status = {**found["status"], **self._outcome(found)}
            await self._client.update(requests.KIND, {**found, "status": status}, subresource="status")
        return left.total_seconds()

    def _outcome(self, found: Doc) -> Doc:
        """The certificate, or why there is none."""
        spec = found["spec"]
        lifetime = min(LIFETIME, timedelta(seconds=spec.get("expirationSeconds") or LIFETIME.total_seconds()))
        try:
            _check_uses(spec["usages"])
            made = self._sign(base64.b64decode(spec["request"]), lifetime)
        except ValueError as error:
            now = clock.stamp(self._now())
            failed = {"type": requests.FAILED, "status": "True", "reason": "SignerValidationFailure"}
            failed |= {"message": str(error), "lastUpdateTime": now, "lastTransitionTime": now}
            return {"conditions": [*found["status"]["conditions"], failed]}
        return {"certificate": base64.b64encode(made).decode()}


def until(found: Doc) -> datetime:
    """When the request is cleared away."""
    created = datetime.fromisoformat(found["metadata"]["creationTimestamp"])
    return created + (_DECIDED_KEPT if requests.has(found, requests.APPROVED, requests.DENIED) else _PENDING_KEPT)


def _is_due(found: Doc) -> bool:
    is_open = not (found.get("status") or {}).get("certificate") and not requests.has(
        found, requests.DENIED, requests.FAILED
    )
    return is_open and requests.has(found, requests.APPROVED) and found["spec"]["signerName"] == requests.CLIENT_SIGNER


def _check_uses(usages: list[str]) -> None:
    if requests.CLIENT_AUTH not in usages or not _USES.issuperset(usages):
        raise ValueError(f'usages must include "{requests.CLIENT_AUTH}", and may only be {", ".join(sorted(_USES))}')
