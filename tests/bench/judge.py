"""What a write costs before it is stored: the judgement of one rule in a mesh with many."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast

from tests.bench import large
from tests.bench.effort import Effort, say
from tests.bench.result import Measure, Report

from semafor import planner
from semafor.app.fleet import Fleet
from semafor.app.pipeline import Pipeline
from semafor.kube.api.client import Client
from semafor.kube.api.objects import Objects
from semafor.kube.store import Store
from semafor.planner import Mesh, Proxy
from semafor.resources.core import namespace
from semafor.resources.istio import virtual_service

_ROUTES = 5_000
_BUDGET_MS = 5.0  # of the daemon's loop, which serves everybody
_LARGE_BUDGET_MS = 1_000.0


class _Nobody(Fleet):
    """No proxies, so that nothing but the judgement costs anything."""

    def push(self, mesh: Mesh, generation: int) -> tuple[str, ...]:
        planner.check(mesh)
        return ()

    def has(self, generation: int) -> bool:
        return True


def measure(report: Report, effort: Effort) -> None:
    """A small rule among 100 and among 1,000, and one of 5,000 routes."""
    for rules in (100, 1_000):
        say(f"judge, {rules} rules")
        asyncio.run(_with(rules, report, effort))


async def _with(rules: int, report: Report, effort: Effort) -> None:
    pipeline = await _pipeline(rules)
    rounds = effort.rounds(f"judge, {rules} rules", full=(40, 10), quick=(10, 3))
    small = [_judged(pipeline, large.split(number % rules, weight=number % 99 + 1)) for number in rounds]
    report.add(Measure("judge", f"a rule of 2 routes among {rules}", "ms", small, _BUDGET_MS))
    rounds = effort.rounds(f"judge, {_ROUTES} routes", full=(3, 10), quick=(1, 5))
    long = [_judged(pipeline, large.split(number, routes=_ROUTES)) for number in rounds]
    report.add(Measure("judge", f"a rule of {_ROUTES} routes among {rules}", "ms", long, _LARGE_BUDGET_MS))


def _judged(pipeline: Pipeline, document: large.Doc) -> float:
    """Milliseconds of CPU: what else runs here does not count."""
    began = time.process_time()
    pipeline.judge(virtual_service.KIND, document)
    return (time.process_time() - began) * 1e3


async def _pipeline(rules: int) -> Pipeline:
    """One without proxies, which has planned everything."""
    client = Client(Objects(Store.open(None)))
    for name in {large.namespace(number) for number in range(rules)}:
        await client.create(namespace.KIND, {"metadata": {"name": name}})
    for kind, document in large.documents(rules):
        await client.create(kind, document)
    identities = cast("Any", SimpleNamespace(next_renewal=lambda: None))
    unused = cast("Any", None)
    pipeline = Pipeline(client, _Nobody(unused, identities, unused), identities)
    running = asyncio.create_task(pipeline.run(Proxy(id="node", role="node")))
    await pipeline.everywhere(lambda mesh: len(mesh.virtual_services) == rules)
    running.cancel()
    return pipeline
