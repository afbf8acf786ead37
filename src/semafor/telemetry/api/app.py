"""The routes."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from semafor.base import aio
from semafor.telemetry.api import encoding, queries, status, targets
from semafor.telemetry.api.backend import Backend
from semafor.telemetry.api.parameters import BadParameter, Parameters
from semafor.telemetry.promql import ExecutionError, ParseError, Timeout

Handler = Callable[[Backend, Parameters, Request], Awaitable[Response]]

_BOTH = ("GET", "POST")
_MAX_BODY_BYTES = 1 << 20
_ROUTES: tuple[tuple[str, tuple[str, ...], Handler], ...] = (
    ("/api/v1/query", _BOTH, queries.instant),
    ("/api/v1/query_range", _BOTH, queries.over_time),
    ("/api/v1/query_exemplars", _BOTH, queries.exemplars),
    ("/api/v1/format_query", _BOTH, queries.formatted),
    ("/api/v1/labels", _BOTH, queries.label_names),
    ("/api/v1/label/{name}/values", ("GET",), queries.label_values),
    ("/api/v1/series", _BOTH, queries.series),
    ("/federate", ("GET",), queries.federated),
    ("/api/v1/metadata", ("GET",), targets.metadata),
    ("/api/v1/targets", ("GET",), targets.targets),
    ("/api/v1/targets/metadata", ("GET",), targets.of_targets),
    ("/api/v1/rules", ("GET",), targets.rules),
    ("/api/v1/alerts", ("GET",), targets.alerts),
    ("/api/v1/alertmanagers", ("GET",), targets.alertmanagers),
    ("/api/v1/status/buildinfo", ("GET",), status.build),
    ("/api/v1/status/config", ("GET",), status.config),
    ("/api/v1/status/flags", ("GET",), status.flags),
    ("/api/v1/status/runtimeinfo", ("GET",), status.runtime),
    ("/api/v1/status/tsdb", ("GET",), status.tsdb),
    ("/api/v1/status/walreplay", ("GET",), status.replay),
)


def application(backend: Backend) -> Starlette:
    """The API over a backend."""
    routes = [Route(path, _endpoint(backend, handler), methods=list(methods)) for path, methods, handler in _ROUTES]
    ready = Route("/-/ready", _said("Prometheus Server is Ready.\n"), methods=["GET", "HEAD"])
    healthy = Route("/-/healthy", _said("Prometheus Server is Healthy.\n"), methods=["GET", "HEAD"])
    return Starlette(routes=[*routes, ready, healthy])


def _said(words: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return PlainTextResponse(words)

    return answer


def _endpoint(backend: Backend, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await handler(backend, await _given(request), request)
        except BadParameter as error:
            return encoding.failure("bad_data", str(error))
        except ParseError as error:
            return encoding.failure("bad_data", f'invalid parameter "query": {error}')
        except Timeout as error:
            return encoding.failure("timeout", str(error))
        except ExecutionError as error:
            return encoding.failure("execution", str(error))
        except ClientDisconnect:
            return encoding.failure("canceled", "the client has gone")

    return answer


async def _given(request: Request) -> Parameters:
    """Parameters of the address and, of a POST, of the form; the form's come first, as in Go."""
    if request.method != "POST":
        return request.query_params
    try:
        body = await aio.joined(request.stream(), _MAX_BODY_BYTES)
    except aio.TooLargeError:
        raise BadParameter(f"the form is larger than {_MAX_BODY_BYTES} bytes") from None
    form = QueryParams(body.decode("utf-8", "replace"))
    return QueryParams([*form.multi_items(), *request.query_params.multi_items()])
