"""Hands the context of a request on to the calls that are made for it. OpenTelemetry's own packages do the work.

Each is imported when the library it is for is: a program without HTTP and gRPC pays for nothing, not even for `typing`.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.machinery import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

_REQUEST_ID = "x-request-id"


def begin() -> None:
    """Wait for the libraries of the table to be imported."""
    sys.meta_path.insert(0, _Watch())


class _Watch:
    """Finds the libraries of the table where they are, and sees to it that the work follows their import."""

    def __init__(self) -> None:
        self._waiting = dict(_LIBRARIES)

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        work = self._waiting.pop(name, None)
        spec = PathFinder.find_spec(name, path, target) if work else None
        if spec is not None and spec.loader is not None:
            assert work is not None
            spec.loader = _Followed(spec.loader, name, work)  # type: ignore[assignment]
        return spec


class _Followed:
    """A module's loader, and what to do after it."""

    def __init__(self, loader: Any, name: str, work: Callable[[Any], None]) -> None:
        self._loader = loader
        self._name = name
        self._work = work

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)  # `python -m` asks for the module's code, others for its source

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: Any) -> None:
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        try:
            _propagators()
            self._work(module)
        except Exception as error:  # noqa: BLE001 - the library is used as it is, then
            print(f"semafor: calls by {self._name} do not continue traces: {error!r}", file=sys.stderr)  # noqa: T201


@cache
def _propagators() -> None:
    """W3C's headers, and the request's id, by which proxies know a request in their logs."""
    from opentelemetry import propagate
    from opentelemetry.baggage.propagation import W3CBaggagePropagator
    from opentelemetry.propagators.composite import CompositePropagator
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    every = [TraceContextTextMapPropagator(), W3CBaggagePropagator(), _RequestId()]
    propagate.set_global_textmap(CompositePropagator(every))  # type: ignore[arg-type]


class _RequestId:
    """Envoy's id of a request, as one more propagator."""

    fields = frozenset({_REQUEST_ID})

    def extract(self, carrier: Any, context: Any, getter: Any) -> Any:
        from opentelemetry.context import set_value

        found = getter.get(carrier, _REQUEST_ID)
        return set_value(_REQUEST_ID, found[0], context) if found else context

    def inject(self, carrier: Any, context: Any, setter: Any) -> None:
        from opentelemetry.context import get_value

        known = get_value(_REQUEST_ID, context)
        if known is not None:
            setter.set(carrier, _REQUEST_ID, known)


@cache
def _threads() -> None:
    """Work that a request gives to threads belongs to it. Only servers have requests."""
    from opentelemetry.instrumentation.threading import ThreadingInstrumentor

    ThreadingInstrumentor().instrument(skip_dep_check=True)


def _wrap(module: Any, name: str, wrapper: Callable[..., Any]) -> None:
    from wrapt import wrap_function_wrapper

    wrap_function_wrapper(module, name, wrapper)


def _http_server(module: Any) -> None:
    """The server of the standard library, and those built on its handler: wsgiref's and Flask's own."""
    from opentelemetry import context, propagate

    def parse_request(wrapped: Any, handler: Any, args: Any, kwargs: Any) -> Any:
        is_request = wrapped(*args, **kwargs)
        if is_request:
            headers = {name.lower(): value for name, value in handler.headers.items()}
            context.attach(propagate.extract(headers, context.Context()))
        return is_request

    _threads()
    _wrap(module, "BaseHTTPRequestHandler.parse_request", parse_request)


def _uvicorn(module: Any) -> None:
    def load(wrapped: Any, config: Any, args: Any, kwargs: Any) -> None:
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

        wrapped(*args, **kwargs)
        config.loaded_app = OpenTelemetryMiddleware(config.loaded_app)

    _threads()
    _wrap(module, "Config.load", load)


def _gunicorn(module: Any) -> None:
    def load_wsgi(wrapped: Any, worker: Any, args: Any, kwargs: Any) -> None:
        wrapped(*args, **kwargs)
        if type(worker).__module__.startswith("gunicorn."):  # the workers of others may serve ASGI
            worker.wsgi = _wsgi(worker.wsgi)

    _threads()
    _wrap(module, "Worker.load_wsgi", load_wsgi)


def _waitress(module: Any) -> None:
    def create_server(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        return wrapped(_wsgi(args[0]), *args[1:], **kwargs) if args else wrapped(**kwargs)

    _threads()
    _wrap(module, "create_server", create_server)


def _wsgi(application: Any) -> Any:
    from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware

    return OpenTelemetryMiddleware(application)


def _aiohttp_server(module: Any) -> None:
    """Not by OpenTelemetry's package, which hands on the span alone and leaves baggage behind."""
    from opentelemetry import context, propagate

    async def handle(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        context.attach(propagate.extract(args[0].headers, context.Context()))
        return await wrapped(*args, **kwargs)

    _threads()
    _wrap(module, "Application._handle", handle)


def _aiohttp_client(_: Any) -> None:
    from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor

    AioHttpClientInstrumentor().instrument(skip_dep_check=True)


def _urllib(_: Any) -> None:
    from opentelemetry.instrumentation.urllib import URLLibInstrumentor

    URLLibInstrumentor().instrument(skip_dep_check=True)


def _urllib3(_: Any) -> None:
    from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor

    URLLib3Instrumentor().instrument(skip_dep_check=True)


def _httpx(_: Any) -> None:
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

    HTTPXClientInstrumentor().instrument(skip_dep_check=True)


def _grpc(_: Any) -> None:
    from opentelemetry.instrumentation import grpc

    _threads()
    callers = (grpc.GrpcInstrumentorClient, grpc.GrpcAioInstrumentorClient)
    for instrumentor in (*callers, grpc.GrpcInstrumentorServer, grpc.GrpcAioInstrumentorServer):
        instrumentor().instrument(skip_dep_check=True)


# What is imported -> what is done then. `requests`, and whatever else is built on one of these, needs no line.
_LIBRARIES: Mapping[str, Callable[[Any], None]] = {
    "http.server": _http_server,
    "uvicorn.config": _uvicorn,
    "gunicorn.workers.base": _gunicorn,
    "waitress": _waitress,
    "aiohttp.web_app": _aiohttp_server,
    "aiohttp": _aiohttp_client,
    "urllib.request": _urllib,
    "urllib3": _urllib3,
    "httpx": _httpx,
    "grpc": _grpc,
}
