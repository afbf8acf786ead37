"""The page under a mesh of many services: how long its API answers, and what a browser makes of it.

Real objects, a real store of metrics and PromQL; no proxies and no planning, which other parts measure.
"""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tests.bench.effort import Effort, say
from tests.bench.result import Measure, Report

from semafor.app.monitoring.answers import Answers
from semafor.app.web.site import Site, listen
from semafor.app.web.sources import Sources
from semafor.kube.api.client import Client
from semafor.kube.api.objects import Objects
from semafor.kube.store import Store
from semafor.resources import registry
from semafor.telemetry import labels
from semafor.telemetry.ingest import Target
from semafor.telemetry.promql import Engine
from semafor.telemetry.series import Store as SeriesStore

if TYPE_CHECKING:
    from semafor.app.monitoring.service import Monitoring

T = TypeVar("T")

_DRAWN, _LARGE = 100, 500
_PAINT_S, _GRAPH_S = 1.0, 2.0  # Source: what the page was promised to do
_SCRAPES, _INTERVAL_S = 5, 15
_BUCKETS = ("0.5", "1", "5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000", "10000", "+Inf")
_CHROMIUM = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), "")
_QUESTIONS = {
    "overview": "/api/overview",
    "graph, versions": "/api/graph?view=versioned",
    "workloads": "/api/workloads",
    "services": "/api/mesh/services",
    "charts of a workload, an hour": "/api/charts/workload/default/service007-v1?window=3600",
    "state of the mesh": "/api/mesh/status",
}


def measure(report: Report, effort: Effort) -> None:
    """The API at 500 services, and both sizes in Chromium."""
    rounds = 3 if effort.quick else 7
    for size in (_DRAWN, _LARGE):
        say(f"page, {size} services")
        asyncio.run(_measure(report, size, rounds))


async def _measure(report: Report, size: int, rounds: int) -> None:
    async with _served(size) as (address, site):
        if size == _LARGE:
            await _ask(report, site, rounds)
        if _CHROMIUM:
            await _look(report, (address, site), size, rounds)
        else:
            report.notes.append("page: no Chromium on this machine, so nothing was drawn")


async def _ask(report: Report, site: Site, rounds: int) -> None:
    import httpx

    here = "http://127.0.0.1:20002"
    transport = httpx.ASGITransport(site.app)
    async with httpx.AsyncClient(transport=transport, base_url=here, headers={"Origin": here}, timeout=60) as client:
        (await client.post("/api/login", json={"link": site.link()})).raise_for_status()
        for name, path in _QUESTIONS.items():
            times = []
            for _ in range(rounds):
                began = time.perf_counter()
                (await client.get(path)).raise_for_status()
                times.append((time.perf_counter() - began) * 1000)
            report.add(Measure("page", f"{name}, {_LARGE} services", "ms", times))


async def _look(report: Report, served: tuple[str, Site], size: int, rounds: int) -> None:
    from playwright.async_api import async_playwright

    address, site = served
    budgets = (_PAINT_S, _GRAPH_S) if size == _DRAWN else (None, None)
    paints, graphs = [], []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        for _ in range(rounds):
            context = await browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
            page = await context.new_page()
            await page.goto(f"/#link={site.link()}")
            await page.locator("h1").wait_for()
            paints.append(await page.evaluate(_PAINTED) / 1000)
            await page.goto("/graph")
            await page.locator(".node").nth(size - 1).wait_for(timeout=60_000)
            graphs.append(await page.evaluate("performance.now()") / 1000)
            await context.close()
        await browser.close()
    report.add(Measure("page", f"first paint, {size} services", "s", paints, budgets[0]))
    report.add(Measure("page", f"graph drawn since the click, {size} services", "s", graphs, budgets[1]))


_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


@contextlib.asynccontextmanager
async def _served(size: int) -> AsyncIterator[tuple[str, Site]]:
    store = Store.open(None)
    objects = Objects(store)
    client = Client(objects)
    for document in _objects(size):
        kind = registry.by_kind(document["apiVersion"].rpartition("/")[0], document["kind"])
        assert kind is not None
        made = await client.create(kind, document)
        if "status" in document:
            await client.update(kind, {**made, "status": document["status"]}, subresource="status")
    kept = _Kept(size)
    sources = Sources("bench", objects, _Control(size), lambda _: None, kept.now, metrics=kept.answers)
    site = Site(sources)
    try:
        async with listen(site.app, (0,)) as port:
            yield f"http://127.0.0.1:{port}", site
    finally:
        kept.thread.shutdown()
        await store.close()


class _Control:
    """A control plane that has no problems, and a proxy for each service. Implements sources.Control."""

    def __init__(self, size: int) -> None:
        self._table = [
            {"proxy": f"{_name(number)}-v1-0.default", "connected": True, "behind": 0, "types": {"CDS": "SYNCED"}}
            for number in range(size)
        ]

    def problems(self) -> Mapping[Any, Any]:
        return {}

    def proxies(self) -> list[dict[str, Any]]:
        return self._table

    def judge(self, _kind: object, _obj: object) -> tuple[()]:
        return ()


class _Kept:
    """Metrics of every proxy, as the daemon keeps them: asked on a thread of their own.

    It stays the moment of the last scrape, however long the browser takes.
    """

    def __init__(self, size: int) -> None:
        self.thread = ThreadPoolExecutor(1)
        self._store = SeriesStore()
        self._engine = Engine(self._store)
        self.answers = Answers(cast("Monitoring", self))
        now_ms = self._now_ms = round(time.time() * 1000)
        for number in range(size):
            target = Target(_name(number), labels.of({"job": "pods", "instance": _name(number)}))
            calls = list(_calls(number, size))
            for scrape in range(_SCRAPES):
                at_ms = now_ms - (_SCRAPES - 1 - scrape) * _INTERVAL_S * 1000
                target.take(self._store, at_ms, _body(calls, 100 * (scrape + 1)), 0.01)

    def now(self) -> float:
        return self._now_ms / 1000

    async def ask(self, work: Callable[[SeriesStore, Engine], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.thread, lambda: work(self._store, self._engine))


def _name(number: int) -> str:
    return f"service{number:03d}"


def _calls(number: int, size: int) -> Iterator[str]:
    """What the proxy of a service reports: the calls of its own, and those of its callers."""
    own = [(number, 2 * number + offset, "source") for offset in (1, 2, 3) if 2 * number + offset < size]
    arriving = [((number - offset) // 2, number, "destination") for offset in (1, 2, 3) if _is_caller(number - offset)]
    for source, target, reporter in (*own, *arriving):
        yield ",".join(f'{key}="{value}"' for key, value in _labels(source, target, reporter).items())


def _is_caller(doubled: int) -> bool:
    return doubled >= 0 and doubled % 2 == 0


def _labels(source: int, target: int, reporter: str) -> dict[str, str]:
    told = {"reporter": reporter, "request_protocol": "http", "response_code": "200", "response_flags": "-"}
    for end, number in (("source", source), ("destination", target)):
        told |= {
            f"{end}_workload": f"{_name(number)}-v1",
            f"{end}_workload_namespace": "default",
            f"{end}_canonical_service": _name(number),
            f"{end}_canonical_revision": "v1",
        }
    told |= {"destination_service_name": _name(target), "destination_service_namespace": "default"}
    return told | {"connection_security_policy": "mutual_tls" if reporter == "destination" else "unknown"}


def _body(calls: list[str], count: int) -> str:
    lines = []
    for call in calls:
        lines.append(f"istio_requests_total{{{call}}} {count}")
        for place, bound in enumerate(_BUCKETS):
            share = (place + 1) / len(_BUCKETS)
            lines.append(f'istio_request_duration_milliseconds_bucket{{{call},le="{bound}"}} {count * share:g}')
    return "\n".join(lines) + "\n"


def _objects(size: int) -> Iterator[dict[str, Any]]:
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
    for number in range(size):
        name, own = _name(number), {"app": _name(number), "version": "v1"}
        template = {"metadata": {"labels": own}, "spec": {"containers": [{"name": "app", "image": "app"}]}}
        selector = {"matchLabels": own}
        yield {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": f"{name}-v1", "namespace": "default"},
            "spec": {"replicas": 1, "serviceName": name, "selector": selector, "template": template},
        }
        yield {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80}]},
        }
        yield _pod(name, own)


def _pod(name: str, own: dict[str, str]) -> dict[str, Any]:
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": f"{name}-v1", "uid": "1", "controller": True}
    proxy = {"name": "istio-proxy", "image": "semafor/proxyv2", "args": ["proxy", "sidecar"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{name}-v1-0", "namespace": "default", "labels": own, "ownerReferences": [owner]},
        "spec": {"containers": [{"name": "app", "image": "app"}, proxy]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }
