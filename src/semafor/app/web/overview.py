"""The first screen: namespaces, their workloads and health, and how the control plane does. `/api/overview`."""

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

import semafor
from semafor.app.web import graph, workloads
from semafor.app.web.sources import Sources
from semafor.app.web.traffic import Flow, Pair
from semafor.app.web.workloads import Workload
from semafor.base.problem import ObjectRef, Problem
from semafor.resources import registry

Doc = dict[str, Any]
_WINDOW_S = 60


class Overview:
    """Reads everything once for each answer."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def routes(self) -> tuple[BaseRoute, ...]:
        return (Route("/api/overview", self.overview), Route("/api/problems", self.problems))

    async def overview(self, _: Request) -> Response:
        store = self._sources.objects.store
        flows = await graph.current(self._sources, _WINDOW_S, self._sources.now(), with_durations=False)
        known, problems = workloads.found(store), self._sources.control.problems()
        shown = [namespace(each, known, problems, flows) for each in store.list("namespaces")[0]]
        return JSONResponse({"namespaces": shown, "control": control(self._sources.control.proxies(), problems)})

    async def problems(self, _: Request) -> Response:
        return JSONResponse({"problems": listed(self._sources.control.problems())})


def namespace(
    obj: Doc,
    known: Iterable[Workload],
    problems: Mapping[ObjectRef, tuple[Problem, ...]],
    flows: Mapping[Pair, Flow],
) -> Doc:
    """One namespace as the page shows it. Its traffic is what arrives in it."""
    name, labels = obj["metadata"]["name"], obj["metadata"].get("labels") or {}
    arriving = [flow for (_, target), flow in flows.items() if target.namespace == name]
    rate, failed = sum(each.rate for each in arriving), sum(each.failed for each in arriving)
    heard, secure = sum(each.known for each in arriving), sum(each.secure for each in arriving)
    return {
        "name": name,
        "injected": labels.get("istio-injection") == "enabled" or "istio.io/rev" in labels,
        "workloads": [each.document for each in known if each.namespace == name],
        "problems": _severities(each for ref, found in problems.items() if ref.namespace == name for each in found),
        "rate": rate,
        "failed": failed / rate if rate else 0.0,
        "secure": secure / heard if heard else None,
    }


def control(proxies: list[Doc], problems: Mapping[ObjectRef, tuple[Problem, ...]]) -> Doc:
    """How the control plane and its proxies do."""
    return {
        "version": semafor.__version__,
        "proxies": len(proxies),
        "connected": sum(each["connected"] for each in proxies),
        "current": sum(each["connected"] and each["behind"] <= 0 for each in proxies),
        "problems": _severities(each for found in problems.values() for each in found),
    }


def listed(problems: Mapping[ObjectRef, tuple[Problem, ...]]) -> list[Doc]:
    """All problems, the worst first."""
    order = ("error", "warning", "info")
    found = [each for several in problems.values() for each in several]
    return [document(each) for each in sorted(found, key=lambda each: (order.index(each.severity), str(each)))]


def document(each: Problem) -> Doc:
    """A problem as the page is told."""
    return {
        "kind": each.ref.kind,
        "resource": kind.resource if (kind := registry.by_kind(each.ref.group, each.ref.kind)) else each.ref.kind,
        "group": each.ref.group,
        "namespace": each.ref.namespace,
        "name": each.ref.name,
        "path": each.path,
        "reason": each.reason,
        "message": each.message,
        "fix": each.fix,
        "severity": each.severity,
    }


def _severities(problems: Iterable[Problem]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in problems:
        found[each.severity] = found.get(each.severity, 0) + 1
    return found
