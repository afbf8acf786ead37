"""Jaeger's HTTP API over what is kept: version 1, which its page and Grafana read, and version 3."""

import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from semafor.app.tracing.traces import Traces
from semafor.telemetry.traces import jaeger
from semafor.telemetry.traces.store import Query, Store

_DAY_MS = 24 * 3600 * 1000


def routes(traces: Traces) -> tuple[Route, ...]:
    """The routes of `/api`; each answers a GET with JSON, and a failure as Jaeger words it."""
    answers = _Answers(traces)
    table: tuple[tuple[str, Callable[[Request], Awaitable[Any]]], ...] = (
        ("/api/services", answers.services),
        ("/api/services/{service:path}/operations", answers.operation_names),
        ("/api/operations", answers.operations),
        ("/api/traces", answers.search),
        ("/api/traces/{trace}", answers.trace),
        ("/api/dependencies", answers.dependencies),
        ("/api/v3/services", answers.services_v3),
        ("/api/v3/operations", answers.operations_v3),
        ("/api/v3/traces", answers.search_v3),
        ("/api/v3/traces/{trace}", answers.trace_v3),
    )
    return tuple(Route(path, _told(answer), methods=["GET"]) for path, answer in table)


def _told(answer: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        try:
            return JSONResponse(await answer(request))
        except jaeger.Wrong as error:
            return _failed(400, str(error))
        except HTTPException as error:
            return _failed(error.status_code, error.detail)
        except sqlite3.Error as error:
            return _failed(503, f"the traces cannot be read: {error}")

    return respond


def _failed(code: int, message: str) -> Response:
    return JSONResponse(jaeger.failure(code, message), code)


class _Answers:
    def __init__(self, traces: Traces) -> None:
        self._traces = traces

    async def services(self, _: Request) -> Any:
        return jaeger.answer(await self._traces.ask(Store.services))

    async def operation_names(self, request: Request) -> Any:
        found = await self._traces.ask(Store.operations, request.path_params["service"])
        return jaeger.answer(sorted({name for name, _ in found}))

    async def operations(self, request: Request) -> Any:
        given = request.query_params
        found = await self._traces.ask(Store.operations, _service(given), given.get("spanKind", ""))
        return jaeger.answer(jaeger.operations(found))

    async def search(self, request: Request) -> Any:
        given = request.query_params.multi_items()
        ids = [value for name, value in given if name == "traceID"]
        if ids:
            found = [await self._traces.ask(Store.trace, id_) for id_ in ids[: jaeger.MAX_TRACES]]
        else:
            found = await self._traces.ask(Store.search, jaeger.query(given))
        return jaeger.answer([jaeger.trace(spans) for spans in found if spans])

    async def trace(self, request: Request) -> Any:
        found = await self._traces.ask(Store.trace, request.path_params["trace"])
        if not found:
            raise HTTPException(404, "trace not found")
        return jaeger.answer([jaeger.trace(found)])

    async def dependencies(self, request: Request) -> Any:
        given = request.query_params
        end_ms = _whole(given, "endTs", int(time.time() * 1000))
        since_ms = end_ms - _whole(given, "lookback", _DAY_MS)
        return jaeger.answer(jaeger.calls(await self._traces.ask(Store.calls, since_ms * 1000, end_ms * 1000)))

    async def services_v3(self, _: Request) -> Any:
        return {"services": await self._traces.ask(Store.services)}

    async def operations_v3(self, request: Request) -> Any:
        given = request.query_params
        found = await self._traces.ask(Store.operations, _service(given), given.get("span_kind", ""))
        return {"operations": jaeger.operations(found)}

    async def search_v3(self, request: Request) -> Any:
        asked: Query = jaeger.query([_of_v3(name, value) for name, value in request.query_params.multi_items()])
        return jaeger.otlp(await self._traces.ask(Store.search, asked))

    async def trace_v3(self, request: Request) -> Any:
        found = await self._traces.ask(Store.trace, request.path_params["trace"])
        if not found:
            raise HTTPException(404, "trace not found")
        return jaeger.otlp([found])


_V3_NAMES: Final = {
    "service_name": "service",
    "operation_name": "operation",
    "duration_min": "minDuration",
    "duration_max": "maxDuration",
    "search_depth": "limit",
    "num_traces": "limit",
}
_V3_TIMES: Final = {"start_time_min": "start", "start_time_max": "end"}


def _of_v3(name: str, value: str) -> tuple[str, str]:
    """A parameter of version 3 as version 1 calls it."""
    short = name.removeprefix("query.")
    if short not in _V3_TIMES:
        return _V3_NAMES.get(short, short), value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise jaeger.Wrong(
            f"malformed parameter {name}: {value[:80]!r} is no time such as 2026-01-31T12:00:00Z"
        ) from None
    return _V3_TIMES[short], str(max(0, round(moment.timestamp() * 1e6)))


def _service(given: Mapping[str, str]) -> str:
    if not given.get("service"):
        raise jaeger.Wrong("parameter 'service' is required")
    return given["service"]


def _whole(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise jaeger.Wrong(f"cannot parse {name}: {text[:80]!r} is no whole number of milliseconds")
    return int(text)
