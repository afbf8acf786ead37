"""How each library is made to hand on the headers of a trace: one function for each, called with its module.

Servers call `enter` at the beginning of a request, clients add what is `missing`.
"""

from __future__ import annotations

import sys
from functools import wraps

from semafor_propagation import Carried, belongs, complain, enter, missing  # type: ignore[import-not-found]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


_COROUTINE = 0x80  # inspect.CO_COROUTINE, without the module


def _before(owner: Any, name: str, look: Callable[..., None]) -> None:
    """Have `look` called with the arguments of a method before it; what goes wrong there stays there."""
    method = getattr(owner, name)
    what = f"{owner.__name__}.{name}"

    def tried(args: Any, kwargs: Any) -> None:
        try:
            look(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the request goes on without its trace
            complain(what, error)

    @wraps(method)
    def looked(*args: Any, **kwargs: Any) -> Any:
        tried(args, kwargs)
        return method(*args, **kwargs)

    @wraps(method)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        tried(args, kwargs)
        return await method(*args, **kwargs)

    is_async = getattr(getattr(method, "__code__", None), "co_flags", 0) & _COROUTINE
    setattr(owner, name, awaited if is_async else looked)


def _instead(owner: Any, name: str, changed: Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]) -> None:
    """Have a method called with changed arguments; with those that it was given when changing them fails."""
    method = getattr(owner, name)
    what = f"{owner.__name__}.{name}"

    @wraps(method)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            args, kwargs = changed(*args, **kwargs)
        except Exception as error:  # noqa: BLE001
            complain(what, error)
        return method(*args, **kwargs)

    setattr(owner, name, called)


# ---- what servers and frameworks are called with


def _environ(environ: dict[str, Any]) -> None:
    """The headers of a WSGI request."""
    enter((key[5:].replace("_", "-"), value) for key, value in environ.items() if key.startswith("HTTP_"))


def _scope(scope: dict[str, Any]) -> None:
    """Those of an ASGI request; other scopes (lifespan) have none, and begin no request."""
    if scope.get("type") in ("http", "websocket"):
        enter((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])


def _try_scope(server: str, scope: dict[str, Any]) -> None:
    try:
        _scope(scope)
    except Exception as error:  # noqa: BLE001
        complain(server, error)


def flask(module: Any) -> None:
    """Whoever serves it."""
    _before(module.Flask, "wsgi_app", lambda _, environ, *__, **___: _environ(environ))


def starlette(module: Any) -> None:
    """Whoever serves it; FastAPI is built on it."""
    call = module.Starlette.__call__

    # Servers tell kinds of applications by trying: what is awaited, and what it may be called with, has to stay.
    @wraps(call)
    async def called(application: Any, scope: Any, receive: Any, send: Any) -> None:
        _try_scope("starlette", scope)
        await call(application, scope, receive, send)

    module.Starlette.__call__ = called


def uvicorn(module: Any) -> None:
    load = module.Config.load

    @wraps(load)
    def loaded(config: Any, *args: Any, **kwargs: Any) -> Any:
        result = load(config, *args, **kwargs)
        config.loaded_app = _AsgiApplication(config.loaded_app)
        return result

    module.Config.load = loaded


class _AsgiApplication:
    """An application, told of each request."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __getattr__(self, name: str) -> Any:
        return getattr(self._application, name)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        _try_scope("uvicorn", scope)
        await self._application(scope, receive, send)


def gunicorn(module: Any) -> None:
    load = module.Worker.load_wsgi

    @wraps(load)
    def loaded(worker: Any, *args: Any, **kwargs: Any) -> Any:
        result = load(worker, *args, **kwargs)
        # Workers of others may serve ASGI, and so does one of gunicorn's own.
        if type(worker).__module__.startswith("gunicorn.") and not type(worker).__module__.endswith("asgi"):
            worker.wsgi = _wsgi_application(worker.wsgi)
        return result

    module.Worker.load_wsgi = loaded


def _wsgi_application(application: Any) -> Any:
    @wraps(application, updated=())
    def told(environ: Any, start_response: Any) -> Any:
        try:
            _environ(environ)
        except Exception as error:  # noqa: BLE001
            complain("WSGI", error)
        return application(environ, start_response)

    return told


def waitress(_: Any) -> None:
    from waitress.task import WSGITask  # type: ignore[import-untyped]

    _before(WSGITask, "execute", lambda task, *_: _environ(task.get_environment()))


def http_server(module: Any) -> None:
    """The server of the standard library, and those built on its handler: wsgiref's and Flask's own."""
    parse = module.BaseHTTPRequestHandler.parse_request

    @wraps(parse)
    def parsed(handler: Any, *args: Any, **kwargs: Any) -> Any:
        is_request = parse(handler, *args, **kwargs)
        if is_request:
            try:
                enter(handler.headers.raw_items())  # as they came: `items` would look at each for folds
            except Exception as error:  # noqa: BLE001
                complain("http.server", error)
        return is_request

    module.BaseHTTPRequestHandler.parse_request = parsed


def aiohttp_server(module: Any) -> None:
    _before(module.RequestHandler, "_handle_request", lambda _, request, *__, **___: enter(request.headers.items()))


# ---- clients


def http_client(module: Any) -> None:
    """urllib, urllib3, requests and boto3 are built on it."""

    def add(connection: Any, *_: Any, **__: Any) -> None:
        if belongs():
            present = (line.split(b":", 1)[0].decode("latin-1").strip().lower() for line in connection._buffer[1:])
            for name, value in missing(present):
                connection.putheader(name, value)

    _before(module.HTTPConnection, "endheaders", add)


def httpx(module: Any) -> None:
    def add(_: Any, request: Any, *__: Any, **___: Any) -> None:
        if belongs():
            for name, value in missing(request.headers):
                request.headers[name] = value

    _before(module.Client, "send", add)
    _before(module.AsyncClient, "send", add)


def aiohttp_client(module: Any) -> None:
    def changed(session: Any, *args: Any, **kwargs: Any) -> Any:
        if not belongs():
            return (session, *args), kwargs
        given = kwargs.get("headers") or {}
        pairs = list(given.items() if hasattr(given, "items") else given)
        present = [str(name).lower() for name, _ in (*pairs, *(getattr(session, "headers", None) or {}).items())]
        return (session, *args), {**kwargs, "headers": [*pairs, *missing(present)]}

    _instead(module.ClientSession, "_request", changed)


# ---- gRPC, both sides


def grpc(module: Any) -> None:
    from grpc import _compression

    augment = _compression.augment_metadata

    def augmented(metadata: Any, *args: Any, **kwargs: Any) -> Any:
        return augment(_with_metadata(metadata), *args, **kwargs)

    _compression.augment_metadata = augmented  # every kind of call begins with it

    def changed(*args: Any, **kwargs: Any) -> Any:
        if len(args) > 2:  # server(thread_pool, handlers, interceptors, ...)
            return (*args[:2], (_interceptor(module), *(args[2] or ())), *args[3:]), kwargs
        return args, {**kwargs, "interceptors": (_interceptor(module), *(kwargs.get("interceptors") or ()))}

    _instead(module, "server", changed)


def _with_metadata(metadata: Any) -> Any:
    try:
        if not belongs():
            return metadata
        pairs = tuple(metadata or ())
        return (*pairs, *_metadata(missing(name for name, _ in pairs)))
    except Exception as error:  # noqa: BLE001
        complain("grpc", error)
        return metadata


def _metadata(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, Any]]:
    """gRPC has bytes where a name ends so."""
    return ((name, value.encode("latin-1") if name.endswith("-bin") else value) for name, value in pairs)


def _enter_call(context_or_details: Any) -> None:
    pairs = context_or_details.invocation_metadata or ()
    enter((name, value.decode("latin-1") if isinstance(value, bytes) else value) for name, value in pairs)


def _interceptor(module: Any) -> Any:
    class Entered(module.ServerInterceptor):  # type: ignore[misc]
        """Tells of each call, in the thread that serves it."""

        def intercept_service(self, continuation: Any, details: Any) -> Any:
            handler = continuation(details)
            try:
                return _told(module, handler, details) if handler else handler
            except Exception as error:  # noqa: BLE001
                complain("grpc", error)
                return handler

    return Entered()


def _told(module: Any, handler: Any, details: Any) -> Any:
    """The handler, preceded by the call's headers."""
    kind = ("stream" if handler.request_streaming else "unary", "stream" if handler.response_streaming else "unary")
    behaviour = getattr(handler, "_".join(kind))

    @wraps(behaviour)
    def one(request: Any, context: Any) -> Any:
        _enter_call(details)
        return behaviour(request, context)

    @wraps(behaviour)
    def several(request: Any, context: Any) -> Any:
        _enter_call(details)
        yield from behaviour(request, context)

    made = getattr(module, "_".join((*kind, "rpc_method_handler")))
    told = several if handler.response_streaming else one
    return made(told, handler.request_deserializer, handler.response_serializer)


def grpc_aio(module: Any) -> None:
    channel = sys.modules[f"{module.__name__}._channel"]._BaseMultiCallable
    init = channel._init_metadata

    def initialised(metadata: Any = None, *args: Any, **kwargs: Any) -> Any:
        made = init(metadata, *args, **kwargs)
        try:
            if belongs():
                for name, value in _metadata(missing(key for key, _ in made)):
                    made.add(name, value)
        except Exception as error:  # noqa: BLE001
            complain("grpc.aio", error)
        return made

    channel._init_metadata = staticmethod(initialised)
    _instead(module, "server", lambda *args, **kwargs: _aio_server(module, args, kwargs))


def _aio_server(module: Any, args: Any, kwargs: Any) -> Any:
    class Entered(module.ServerInterceptor):  # type: ignore[misc]
        """Tells of each call, in the task that serves it."""

        async def intercept_service(self, continuation: Any, details: Any) -> Any:
            try:
                _enter_call(details)
            except Exception as error:  # noqa: BLE001
                complain("grpc.aio", error)
            return await continuation(details)

    if len(args) > 2:
        return (*args[:2], (Entered(), *(args[2] or ())), *args[3:]), kwargs
    return args, {**kwargs, "interceptors": (Entered(), *(kwargs.get("interceptors") or ()))}


# ---- threads


def executors(module: Any) -> None:
    """Work that a request gives to threads belongs to it."""

    def changed(executor: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        return (executor, Carried(function) if belongs() else function, *args), kwargs

    _instead(module.ThreadPoolExecutor, "submit", changed)


def threads(module: Any) -> None:
    """And threads that it starts; not those of executors, which do the work of many."""

    def carry(thread: Any) -> None:
        target = getattr(thread, "_target", None)
        if belongs() and getattr(target, "__module__", "") != "concurrent.futures.thread":
            thread.run = Carried(thread.run)

    _before(module.Thread, "start", carry)
