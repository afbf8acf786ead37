"""Who hears of alerts: Alertmanagers and webhooks, as the ConfigMap `semafor-alerts` in istio-system names them.

    data:
      alertmanagers: http://alertmanager.monitoring:9093
      webhooks: http://127.0.0.1:8000/alerts

One address a line. A name of a Service is reached within the mesh's network, any other from this machine. What cannot
be delivered is tried again at the next evaluation; nothing waits for it. Sources: Alertmanager's API v2, and its
webhook format, version 4.
"""

import asyncio
import hashlib
import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from semafor.app.monitoring import fetch
from semafor.resources.core import config_map
from semafor.resources.core import pod as pod_kind
from semafor.resources.core import service as service_kind

if TYPE_CHECKING:
    from semafor.kube.api.client import Client

Json = dict[str, Any]
Connect = Callable[[Json, str, int], Awaitable[fetch.Streams]]

log = logging.getLogger(__name__)

NAMESPACE: Final = "istio-system"
NAME: Final = "semafor-alerts"
_TIMEOUT_S: Final = 10.0
_MOST: Final = 10  # receivers
_SAY_AGAIN_S: Final = 300.0
_NEVER: Final = "0001-01-01T00:00:00Z"  # as Go writes that a time is none


class Receivers:
    """Hands alerts to whoever is named. `connect` opens connections within pods."""

    def __init__(self, client: "Client", connect: Connect) -> None:
        self._client = client
        self._connect = connect
        self._said: dict[str, float] = {}

    def addresses(self) -> list[tuple[str, str]]:
        """The receivers: "alertmanagers" or "webhooks", and the address."""
        found = self._client.get(config_map.KIND, NAMESPACE, NAME) or {}
        data = found.get("data") or {}
        return [(kind, line) for kind in ("alertmanagers", "webhooks") for line in str(data.get(kind, "")).split()][
            :_MOST
        ]

    async def tell(self, alerts: list[Json], news: list[Json]) -> bool:
        """Tell all receivers of alerts; whether all have heard. Raises nothing.

        Alertmanagers want to hear again and again of what goes on, and tell people seldom; webhooks hear of `news`.
        """
        told = await asyncio.gather(
            *(
                self._tell(kind, address, alerts if kind == "alertmanagers" else news)
                for kind, address in self.addresses()
                if kind == "alertmanagers" or news
            )
        )
        return all(told)

    async def _tell(self, kind: str, address: str, alerts: list[Json]) -> bool:
        url = urlsplit(address)
        path = url.path.rstrip("/") + "/api/v2/alerts" if kind == "alertmanagers" else url.path or "/"
        path += f"?{url.query}" if url.query else ""
        body = msgspec.json.encode(alerts if kind == "alertmanagers" else _webhook(alerts))
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await fetch.post(await self._open(url), url.netloc.rpartition("@")[2], path, body)
        except (OSError, TimeoutError, ValueError, fetch.Failed) as error:
            self._complain(url, error)
            return False
        return True

    async def _open(self, url: SplitResult) -> fetch.Streams:
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError("the address of a receiver begins with http:// or https:// and names a host")
        port = url.port or (443 if url.scheme == "https" else 80)
        inside = self._pod(url.hostname, port) if url.scheme == "http" else None
        if inside is not None:
            return await self._connect(inside[0], inside[0]["status"]["podIP"], inside[1])
        secure = ssl.create_default_context() if url.scheme == "https" else None
        return await asyncio.open_connection(url.hostname, port, ssl=secure)

    def _pod(self, host: str, port: int) -> tuple[Json, int] | None:
        """A ready pod behind a name of a Service, and its port; None for any other name."""
        name, _, rest = host.removesuffix(".svc.cluster.local").removesuffix(".svc").partition(".")
        service = self._client.get(service_kind.KIND, rest or "default", name) if "." not in rest else None
        selector = ((service or {}).get("spec") or {}).get("selector")
        if not service or not selector:
            return None
        wanted = next((each.get("targetPort", port) for each in service["spec"]["ports"] if each["port"] == port), port)
        for pod in self._client.list(pod_kind.KIND, rest or "default", labels=selector):
            conditions = {each["type"]: each["status"] for each in (pod.get("status") or {}).get("conditions") or ()}
            number = _numbered(pod, wanted)
            if conditions.get("Ready") == "True" and number:
                return pod, number
        return None

    def _complain(self, url: SplitResult, error: Exception) -> None:
        host, now = url.netloc.rpartition("@")[2], time.monotonic()  # what is before @ is a secret
        if now - self._said.get(host, -_SAY_AGAIN_S) >= _SAY_AGAIN_S:
            self._said[host] = now
            log.warning("alerts do not reach %s: %s", host, error or "no answer in time")


def _numbered(pod: Json, port: int | str) -> int:
    if isinstance(port, int):
        return port
    named = (each for one in pod["spec"]["containers"] for each in one.get("ports") or () if each.get("name") == port)
    return next((int(each["containerPort"]) for each in named), 0)


def _webhook(alerts: list[Json]) -> Json:
    """Alerts as Alertmanager's webhook receiver would send them, all of them as one group."""
    firing = any(alert["status"] == "firing" for alert in alerts)
    return {
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "status": "firing" if firing else "resolved",
        "receiver": "webhook",
        "groupLabels": {},
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": "",
        "alerts": [_received(alert) for alert in alerts],
    }


def _common(every: list[dict[str, str]]) -> dict[str, str]:
    first, *others = every
    return {name: value for name, value in first.items() if all(each.get(name) == value for each in others)}


def _received(alert: Json) -> Json:
    """An alert as receivers see it: one that fires has no end yet, and each has a name of its own."""
    ends = _NEVER if alert["status"] == "firing" else alert["endsAt"]
    labels = "\0".join(f"{name}\0{value}" for name, value in sorted(alert["labels"].items()))
    return {**alert, "endsAt": ends, "fingerprint": hashlib.sha256(labels.encode()).hexdigest()[:16]}
