"""Events about objects, with repetitions counted. Source: client-go's EventAggregator and its correlation keys."""

import zlib
from collections import OrderedDict
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from semafor.base import clock
from semafor.kube.api import errors
from semafor.resources.core import event

if TYPE_CHECKING:
    from semafor.kube.api.client import Client

Doc = dict[str, Any]

MAX_REMEMBERED = 4096  # recent events that a repetition can be counted on
MAX_MESSAGE_CHARS = 1024  # kube-apiserver's limit


class Happening(NamedTuple):
    """What happened to an object. `type` is Normal or Warning, `source` the component that tells it."""

    involved: Doc
    type: str
    reason: str
    message: str
    source: str


class Recorder:
    """Writes events through a client."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._recent: OrderedDict[tuple[str, ...], str] = OrderedDict()

    async def record(self, happening: Happening, now: datetime) -> None:
        """Store the event, or count one more. An event that cannot be stored is dropped: it is only news."""
        key = _key(happening)
        namespace = _namespace(happening.involved)
        try:
            if not await self._counted(key, namespace, now):
                name = f"{happening.involved['metadata']['name']}.{_suffix(key, now)}"
                self._remember(key, name)
                await self._client.create(event.KIND, document(happening, namespace, name, now))
        except errors.StatusError:
            self._recent.pop(key, None)

    async def _counted(self, key: tuple[str, ...], namespace: str, now: datetime) -> bool:
        name = self._recent.get(key)
        old = self._client.get(event.KIND, namespace, name) if name else None
        if name is None or old is None:
            return False
        more = {"count": int(old.get("count") or 1) + 1, "lastTimestamp": clock.stamp(now)}
        await self._client.patch(event.KIND, namespace, name, more)
        return True

    def _remember(self, key: tuple[str, ...], name: str) -> None:
        self._recent[key] = name
        while len(self._recent) > MAX_REMEMBERED:
            self._recent.popitem(last=False)


def document(happening: Happening, namespace: str, name: str, now: datetime) -> Doc:
    """The core/v1 Event."""
    meta = happening.involved["metadata"]
    involved = {
        "kind": happening.involved.get("kind"),
        "apiVersion": happening.involved.get("apiVersion"),
        "namespace": meta.get("namespace"),
        "name": meta["name"],
        "uid": meta.get("uid"),
        "resourceVersion": meta.get("resourceVersion"),
        "fieldPath": happening.involved.get("fieldPath"),
    }
    time = clock.stamp(now)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": {key: value for key, value in involved.items() if value},
        "type": happening.type,
        "reason": happening.reason,
        "message": happening.message[:MAX_MESSAGE_CHARS],
        "source": {"component": happening.source},
        "reportingComponent": happening.source,
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
    }


def _namespace(involved: Doc) -> str:
    """Events about cluster-scoped objects live in `default`."""
    return involved["metadata"].get("namespace") or "default"


def _key(happening: Happening) -> tuple[str, ...]:
    meta = happening.involved["metadata"]
    about = (str(happening.involved.get("kind")), _namespace(happening.involved), meta["name"], str(meta.get("uid")))
    return (*about, str(happening.involved.get("fieldPath", "")), *happening[1:])


def _suffix(key: tuple[str, ...], now: datetime) -> str:
    """Sixteen hexadecimal digits, as client-go's: the time, told apart by what happened."""
    return f"{int(now.timestamp() * 1000) & 0xFFFFFFFF:08x}{zlib.crc32(repr(key).encode()):08x}"
