"""Where applications report spans over HTTP: OpenTelemetry's /v1/traces, and Zipkin's /api/v2/spans."""

import zlib
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from semafor.app.tracing.traces import Traces
from semafor.base import aio
from semafor.telemetry.traces import otlp, receiver, zipkin
from semafor.telemetry.traces.span import Malformed, Span

_PROTOBUF = "application/x-protobuf"


def routes(traces: Traces) -> tuple[Route, ...]:
    """The routes of both protocols; a report is a POST."""
    return (
        Route("/v1/traces", _opentelemetry(traces), methods=["POST"]),
        Route("/api/v2/spans", _zipkin(traces), methods=["POST"]),
    )


def _opentelemetry(traces: Traces) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        is_json = request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
        spans = await _read(request, otlp.spans_of_json if is_json else otlp.spans)
        if isinstance(spans, Response):
            return spans
        dropped = traces.take(spans)
        if is_json:
            return JSONResponse({"partialSuccess": {"rejectedSpans": str(dropped)}} if dropped else {})
        return Response(receiver.answer(dropped), media_type=_PROTOBUF)

    return take


def _zipkin(traces: Traces) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        spans = await _read(request, zipkin.spans)
        if isinstance(spans, Response):
            return spans
        traces.take(spans)
        return Response(status_code=202)

    return take


async def _read(request: Request, spans: Callable[[bytes], list[Span]]) -> list[Span] | Response:
    """The spans of a body, or why there are none. A thread reads it: a large one takes its time."""
    try:
        body = _unpacked(
            await aio.joined(request.stream(), receiver.MAX_REPORT_BYTES), request.headers.get("content-encoding", "")
        )
        return await run_in_threadpool(spans, body)
    except aio.TooLargeError:
        return Response(f"more than {receiver.MAX_REPORT_BYTES} bytes in one report", 413)
    except Malformed as error:
        return Response(str(error), 400)


def _unpacked(body: bytes, encoding: str) -> bytes:
    """The body without its gzip, which may not grow beyond what a plain one may have."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise Malformed(f"content-encoding {encoding[:40]!r} is not known here, gzip is")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        found = unpacker.decompress(body, receiver.MAX_REPORT_BYTES)
    except zlib.error as error:
        raise Malformed("this is no gzip") from error
    if unpacker.unconsumed_tail:
        raise aio.TooLargeError(f"more than {receiver.MAX_REPORT_BYTES} bytes when unpacked")
    return found
