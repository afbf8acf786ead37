"""Events are kept for an hour."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from semafor.base import clock
from semafor.kube.api.client import Client
from semafor.resources.core.event import KIND

Doc = dict[str, Any]

KEPT = timedelta(hours=1)  # kube-apiserver's --event-ttl
_LOOK_EVERY_S = 60.0


async def run(client: Client, now: Callable[[], datetime] = clock.now) -> None:
    """Delete old events, once a minute, for ever."""
    while True:
        for event in client.list(KIND):
            if last_seen(event) + KEPT < now():
                await client.delete(KIND, event["metadata"]["namespace"], event["metadata"]["name"])
        await asyncio.sleep(_LOOK_EVERY_S)


def last_seen(event: Doc) -> datetime:
    """When the event happened last, by whichever of its times is set."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    text = next((time for time in times if time), event["metadata"]["creationTimestamp"])
    return datetime.fromisoformat(text)
