"""The graph: flows between places, drawn together as the chosen view wants them. `/api/graph`."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from semafor.app.web import badges, traffic, workloads
from semafor.app.web.gate import problem
from semafor.app.web.sources import Sources
from semafor.app.web.traffic import QUANTILES, Flow, Pair, Place

Doc = dict[str, Any]
View = Literal["app", "versioned", "workload", "service"]
VIEWS: tuple[View, ...] = ("app", "versioned", "workload", "service")
_WINDOWS_S = (30, 60, 300, 600, 1800, 3600, 10800, 21600)


class Graph:
    """Asks for the flows of the last moments, and draws."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def routes(self) -> tuple[BaseRoute, ...]:
        return (Route("/api/graph", self.graph),)

    async def graph(self, request: Request) -> Response:
        """`view`, `window` in seconds, `at` (a moment of the past), `namespaces` with commas between."""
        asked = request.query_params
        view = next((each for each in VIEWS if each == asked.get("view", "versioned")), None)
        window, at = asked.get("window", "60"), asked.get("at", "")
        if view is None or window not in map(str, _WINDOWS_S) or not (at == "" or at.isdigit()):
            return problem(400, "BadRequest", f"view is one of {', '.join(VIEWS)}; window one of {_WINDOWS_S}")
        names = frozenset(filter(None, asked.get("namespaces", "").split(",")))
        flows = await current(self._sources, int(window), float(at) if at else self._sources.now())
        known = workloads.found(self._sources.objects.store)
        drawn = draw(flows, known, view, names)
        badges.attach(drawn["nodes"], self._sources.objects.store, self._sources.control.problems(), known)
        return JSONResponse(drawn)


async def current(sources: Sources, window_s: int, at: float, *, with_durations: bool = True) -> dict[Pair, Flow]:
    """All flows of the `window_s` seconds before `at`. The durations are nine tenths of the work."""
    ask = sources.metrics.query
    asked = [traffic.request_rate(window_s), traffic.tcp_rate("sent", window_s), traffic.tcp_rate("received", window_s)]
    if with_durations:
        asked += traffic.durations(window_s)
    return traffic.flows(*await asyncio.gather(*(ask(each, at) for each in asked)))


def draw(
    flows: Mapping[Pair, Flow], known: Iterable[workloads.Workload], view: View, namespaces: frozenset[str]
) -> Doc:
    """Nodes and edges of the view. `namespaces` are those that are shown, with whom they talk to; all when empty."""
    nodes: dict[str, Doc] = {}
    joined: dict[tuple[str, str], list[Flow]] = {}
    for (source, target), flow in flows.items():
        if namespaces and not {source.namespace, target.namespace} & namespaces:
            continue
        ends = tuple(_node(nodes, place, view) for place in (source, target))
        joined.setdefault((ends[0], ends[1]), []).append(flow)
    for each in known:
        if each.meshed and (not namespaces or each.namespace in namespaces) and view != "service":
            place = Place(each.namespace, each.name, each.app, each.version)
            node = nodes[_node(nodes, place, view)]
            node["health"] = _worst(node.get("health", "ok"), each.health)
            node["gateway"] = node.get("gateway") or each.is_proxy
            node["workloads"] = [*node.get("workloads", []), each.name]
    edges = [_edge(source, target, each) for (source, target), each in joined.items()]
    _share(edges)
    _sum_up(nodes, edges)
    return {"nodes": sorted(nodes.values(), key=lambda node: str(node["id"])), "edges": edges, "view": view}


def _node(nodes: dict[str, Doc], place: Place, view: View) -> str:
    """The id of the place's node, which is made when it is new."""
    name, version, kind = _called(place, view)
    key = "/".join((kind, place.namespace, name, version))
    if key not in nodes:
        nodes[key] = {"id": key, "kind": kind, "namespace": place.namespace, "name": name, "version": version}
    node = nodes[key]
    if place.service not in ("", "unknown") and place.service not in node.setdefault("services", []):
        node["services"].append(place.service)
    return key


def _called(place: Place, view: View) -> tuple[str, str, str]:
    """A place's name, version and kind in the view."""
    if place.workload == place.app == "unknown":
        outside = place.service not in ("", "unknown")
        return (place.service, "", "external") if outside else ("unknown", "", "unknown")
    if view == "service":
        return place.service if place.service not in ("", "unknown") else place.app, "", "service"
    if view == "workload":
        return place.workload, "", "workload"
    return place.app, place.version if view == "versioned" else "", "app"


def _edge(source: str, target: str, flows: Iterable[Flow]) -> Doc:
    together = _joined(list(flows))
    rate = together.rate
    return {
        "id": f"{source}>{target}",
        "source": source,
        "target": target,
        "protocol": max(together.rates, key=lambda name: together.rates[name], default="tcp"),
        "rate": rate,
        "failed": together.failed / rate if rate else 0.0,
        "refused": together.refused / rate if rate else 0.0,
        "bytes": together.sent + together.received,
        "secure": together.secure / together.known if together.known else None,
        "latency": {f"p{quantile * 100:g}": together.quantile(quantile) for quantile in QUANTILES},
    }


def _joined(flows: list[Flow]) -> Flow:
    """Several flows as one."""
    total = Flow()
    for flow in flows:
        for protocol, value in flow.rates.items():
            total.rates[protocol] = total.rates.get(protocol, 0.0) + value
        for name in ("failed", "refused", "sent", "received", "secure", "known"):
            setattr(total, name, getattr(total, name) + getattr(flow, name))
        total.add_buckets(flow.buckets)
    return total


def _share(edges: list[Doc]) -> None:
    """What share of all that a node sends goes along each edge."""
    totals: dict[str, float] = {}
    for edge in edges:
        totals[edge["source"]] = totals.get(edge["source"], 0.0) + edge["rate"]
    for edge in edges:
        total = totals[edge["source"]]
        edge["share"] = edge["rate"] / total if total else 0.0


def _sum_up(nodes: Mapping[str, Doc], edges: Iterable[Doc]) -> None:
    """What arrives at each node and what leaves it."""
    for node in nodes.values():
        node |= {"in": 0.0, "out": 0.0, "failed": 0.0, "bytes": 0.0}
    for edge in edges:
        nodes[edge["source"]]["out"] += edge["rate"]
        nodes[edge["source"]]["bytes"] += edge["bytes"]
        target = nodes[edge["target"]]
        target["in"] += edge["rate"]
        target["bytes"] += edge["bytes"]
        target["failed"] += edge["rate"] * edge["failed"]
    for node in nodes.values():
        node["failed"] = node["failed"] / node["in"] if node["in"] else 0.0


_HEALTHS = ("ok", "idle", "degraded", "down")


def _worst(one: str, other: str) -> str:
    return max(one, other, key=_HEALTHS.index)
