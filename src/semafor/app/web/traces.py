"""Traces for the page: a search whose answer is short, one line for each trace. `/api/trace-search`.

Whole traces come from Jaeger's API, which is mounted beside it.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from semafor.app.web.gate import problem
from semafor.app.web.sources import Sources
from semafor.telemetry.traces import jaeger
from semafor.telemetry.traces.span import Span
from semafor.telemetry.traces.store import Store

Doc = dict[str, Any]


class Traces:
    """Asks the store of traces; a mesh that keeps none has none."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def routes(self) -> tuple[BaseRoute, ...]:
        return (Route("/api/trace-search", self.search),)

    async def search(self, request: Request) -> Response:
        """The parameters are Jaeger's; without `service` all services are looked through."""
        kept = self._sources.traces
        try:
            asked = jaeger.query(request.query_params.multi_items(), of_all=True)
        except jaeger.Wrong as error:
            return problem(400, "BadRequest", str(error))
        if kept is None:
            return JSONResponse({"traces": [], "services": []})
        try:
            found, services = await asyncio.gather(kept.ask(Store.search, asked), kept.ask(Store.services))
        except sqlite3.Error as error:
            return problem(503, "NotNow", f"the traces cannot be read: {error}")
        return JSONResponse({"traces": [summary(each) for each in found], "services": services})


def summary(spans: Sequence[Span]) -> Doc:
    """A trace in a line. Its root is the first span without a parent that was kept; it may be on its way still."""
    known = {span.id for span in spans}
    root = next((span for span in spans if span.parent not in known), spans[0])
    start = min(span.start_us for span in spans)
    services = Counter(span.service for span in spans)
    return {
        "id": root.trace,
        "service": root.service,
        "operation": root.name,
        "start": start,
        "duration": max(span.end_us for span in spans) - start,
        "spans": len(spans),
        "failed": sum(span.failed for span in spans),
        "services": [{"name": name, "spans": count} for name, count in sorted(services.items())],
        "request": next((span.request_id for span in spans if span.request_id), ""),
    }
