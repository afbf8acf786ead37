"""What became of a request that was made? Found in the proxies' access logs, and by its trace where one was kept."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, Final, Protocol

from semafor import explain
from semafor.app.fleet import Fleet
from semafor.app.tracing.traces import Traces
from semafor.base import names
from semafor.explain import Life, Place, Seen
from semafor.kube.api.errors import StatusError
from semafor.kube.api.node import Node, NodeError
from semafor.planner import Mesh
from semafor.telemetry.traces.store import Store

Doc = dict[str, Any]

MAX_LINES: Final = 20_000  # of each pod's log, the newest: what a busy pod writes in some minutes
_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:+/=-]{0,127}")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PROXY: Final = "istio-proxy"
_MOST: Final = 200  # entries of one request; more is a loop


class Pods(Protocol):
    """Finds the document of a pod; None where there is none."""

    def __call__(self, namespace: str, name: str) -> Doc | None: ...


class Accounts:
    """What pods and the store of traces tell of single requests."""

    def __init__(self, pods: Pods, node: Node, traces: Traces) -> None:
        self._pods = pods
        self._node = node
        self._traces = traces

    async def life(self, mesh: Mesh, fleet: Fleet, id_: str) -> Life:
        """The life of the request with this x-request-id, or of those of the trace with this id. Raises StatusError."""
        if not _ID.fullmatch(id_):
            raise StatusError(400, "BadRequest", "an id is up to 128 letters, digits and ._:+/=-")
        wanted = await self._wanted(id_)
        places = tuple(_places(mesh, fleet))
        seen = [each for place in places async for each in self._seen(place, wanted)][:_MOST]
        if not seen:
            raise StatusError(404, "NotFound", _unseen(id_, places))
        return explain.live(id_, seen)

    async def _wanted(self, id_: str) -> re.Pattern[str]:
        """What finds its lines: the id, and the requests' ids of its trace."""
        spans = await self._traces.ask(Store.trace, id_)
        ids = {id_, *(span.request_id for span in spans if span.request_id)}
        return re.compile("|".join(_written(each) for each in sorted(ids)))

    async def _seen(self, place: Place, wanted: re.Pattern[str]) -> AsyncIterator[Seen]:
        readers = [explain.reader(each) for each in explain.formats(place.plan) if each.path.startswith("/dev/std")]
        pod = self._pods(*place.workload.split("/", 1))
        if pod is None or not readers:
            return
        async for line in self._lines(pod):
            if wanted.search(line) and (entry := explain.read(readers, line)) is not None:
                yield Seen(place=place, entry=entry)

    async def _lines(self, pod: Doc) -> AsyncIterator[str]:
        rest = b""
        try:
            found = self._node.logs(
                pod,
                _PROXY,
                previous=False,
                follow=False,
                tail=MAX_LINES,
                since=None,
                timestamps=False,
                limit_bytes=None,
            )
            async for chunk in found:
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    yield line.decode(errors="replace")
                await asyncio.sleep(0)  # long logs do not hold up the mesh
        except NodeError:
            return  # a pod that is about to start, or has gone


def _written(id_: str) -> str:
    """Envoy writes into the version of a UUID why the request is traced, so that digit may be another."""
    if not _UUID.fullmatch(id_):
        return f"(?<![0-9A-Za-z-]){re.escape(id_)}(?![0-9A-Za-z-])"
    return f"(?i:{re.escape(id_[:14])}[0-9a-f]{re.escape(id_[15:])})"


def _places(mesh: Mesh, fleet: Fleet) -> Iterator[Place]:
    for (namespace, name), pod in mesh.pods.items():
        workload = f"{namespace}/{name}"
        proxy, plan = fleet.proxy_of_pod(workload), fleet.plan_of_pod(workload)
        if proxy is not None and plan is not None:
            identity = names.spiffe_id(namespace, pod.service_account, mesh.options.trust_domain)
            yield Place(workload=workload, ip=pod.ip, plan=plan, identity=identity, gateway=proxy.role == "gateway")


def _unseen(id_: str, places: Iterable[Place]) -> str:
    if any(explain.formats(place.plan) for place in places):
        return (
            f"no proxy has written of {id_}: it never came to one, its line has left the log, or it is not written yet "
            "(proxies write when a request has ended)"
        )
    return (
        f"no proxy writes an access log, so nobody can tell of {id_}: turn it on with accessLogFile: /dev/stdout in "
        "the mesh configuration (the demo profile does), or with a Telemetry"
    )
