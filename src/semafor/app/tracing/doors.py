"""The sockets of the traces, each its owner's alone; pods reach those that are mounted in them."""

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from starlette.applications import Starlette

from semafor.app import front
from semafor.app.callers import Doorkeeper
from semafor.app.home import Home
from semafor.app.tracing import api, reports
from semafor.app.tracing.traces import Traces
from semafor.telemetry.traces.receiver import Receiver

OTLP: Final = "otlp.sock"  # OpenTelemetry over gRPC
HTTP: Final = "traces.sock"  # OpenTelemetry over HTTP, Zipkin, and Jaeger's API


@contextlib.asynccontextmanager
async def serve(traces: Traces, home: Home, keeper: Doorkeeper) -> AsyncIterator[None]:
    """Take reports and answer questions while the context lasts. Raises OSError when a socket cannot be made.

    `keeper` lets in who reports by gRPC.
    """
    inner = home.inner_sockets / OTLP
    receiver = Receiver(inner, traces.take)
    await receiver.start()
    app = Starlette(routes=[*api.routes(traces), *reports.routes(traces)])
    try:
        async with keeper.serve(home.sockets / OTLP, inner), front.serve(app, home.sockets / HTTP):
            yield
    finally:
        await receiver.stop()
