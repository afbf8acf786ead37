"""Figures over time of one workload, app or service: requests, errors, latency, bytes. `/api/charts`."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from semafor.app.web.gate import problem
from semafor.app.web.sources import Series, Sources
from semafor.app.web.traffic import QUANTILES

Doc = dict[str, Any]

WINDOWS_S = (300, 600, 1800, 3600, 10800, 21600)
_POINTS = 60  # as many as a chart of some 400 pixels can show
_LEAST_STEP_S = 5  # there is nothing newer between two scrapes
# By which label, of either end, a thing is known in metrics. Services are no end: they are what was asked for.
_LABELS = {
    "workload": "workload",
    "app": "canonical_service",
    "service": "",
}


class Charts:
    """Asks range queries, with the label values quoted as PromQL wants them."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def routes(self) -> tuple[BaseRoute, ...]:
        return (Route("/api/charts/{of}/{namespace}/{name}", self.charts),)

    async def charts(self, request: Request) -> Response:
        """`direction` is `in` or `out`, `window` in seconds."""
        asked = request.path_params
        direction, window = request.query_params.get("direction", "in"), request.query_params.get("window", "600")
        if asked["of"] not in _LABELS or direction not in ("in", "out") or window not in map(str, WINDOWS_S):
            return problem(400, "BadRequest", f"direction is in or out; window one of {WINDOWS_S}")
        if asked["of"] == "service" and direction == "out":
            return problem(400, "BadRequest", "services are called and call nobody")
        chosen = selector(asked["of"], asked["namespace"], asked["name"], direction)
        return JSONResponse(await self._answer(chosen, int(window)))

    async def _answer(self, chosen: str, window_s: int) -> Doc:
        step = max(_LEAST_STEP_S, window_s // _POINTS)
        end = math.floor(self._sources.now() / step) * step
        over = f"{max(60, 2 * step)}s"

        async def ask(expr: str) -> Sequence[Series]:
            return await self._sources.metrics.query_range(expr, end - window_s, end, step)

        codes, sent, received, *quantiles = await asyncio.gather(
            ask(f"sum by (response_code) (rate(istio_requests_total{{{chosen}}}[{over}]))"),
            ask(f"sum (rate(istio_tcp_sent_bytes_total{{{chosen}}}[{over}]))"),
            ask(f"sum (rate(istio_tcp_received_bytes_total{{{chosen}}}[{over}]))"),
            *(ask(_latency(quantile, chosen, over)) for quantile in QUANTILES),
        )
        return {
            "start": end - window_s,
            "end": end,
            "step": step,
            "requests": classes(codes),
            "latency": {f"p{quantile * 100:g}": one(rows) for quantile, rows in zip(QUANTILES, quantiles, strict=True)},
            "sent": one(sent),
            "received": one(received),
        }


def selector(of: str, namespace: str, name: str, direction: str) -> str:
    """The matchers of one thing's calls, as one end reports them."""
    if of == "service":
        known = f"destination_service_namespace={quoted(namespace)},destination_service_name={quoted(name)}"
        return f'reporter="source",{known}'
    end = "source" if direction == "out" else "destination"
    return f'reporter="{end}",{end}_workload_namespace={quoted(namespace)},{end}_{_LABELS[of]}={quoted(name)}'


def quoted(text: str) -> str:
    """A PromQL string: nothing that a name holds can end it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _latency(quantile: float, chosen: str, over: str) -> str:
    buckets = f"istio_request_duration_milliseconds_bucket{{{chosen}}}"
    return f"histogram_quantile({quantile}, sum by (le) (rate({buckets}[{over}])))"


def classes(rows: Sequence[Series]) -> dict[str, list[list[float]]]:
    """Requests per second by class of answer: 2xx, 3xx, 4xx, 5xx, and none."""
    found: dict[str, dict[float, float]] = {}
    for labels, points in rows:
        code = labels.get("response_code", "")
        name = f"{code[0]}xx" if code[:1] in "12345" and len(code) == 3 else "none"
        own = found.setdefault(name, {})
        for moment, value in points:
            own[moment] = own.get(moment, 0.0) + value
    return {name: [[moment, value] for moment, value in sorted(own.items())] for name, own in sorted(found.items())}


def one(rows: Sequence[Series]) -> list[list[float]]:
    """The points of the only row, without those that are no numbers."""
    points = rows[0].points if rows else ()
    return [[moment, value] for moment, value in points if math.isfinite(value)]
