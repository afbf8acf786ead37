"""The headers of a trace, beside the work that is done for a request; and the wait for libraries to be imported.

It imports nothing that Python's start has not: a program without HTTP and gRPC pays for this file alone.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    Pairs = tuple[tuple[str, str], ...]

# What Istio asks applications to hand on: https://istio.io/latest/docs/tasks/observability/distributed-tracing/overview/
_B3 = ("x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags", "b3")
_TRACE = ("traceparent", "tracestate", *_B3, "x-cloud-trace-context", "grpc-trace-bin")
HEADERS = frozenset((*_TRACE, "x-request-id", "baggage"))
# Who sets one of these has a trace of its own in mind; the others would contradict it.
_OWN = frozenset(("traceparent", "b3", "x-b3-traceid", "x-cloud-trace-context", "grpc-trace-bin"))
_MAX_BYTES = 8192  # of one header: W3C's bound of baggage
# What a request leaves running (a thread, a task that never ends) does not belong to it for ever.
_MAX_AGE_S = 3600.0

_current: ContextVar[tuple[float, Pairs] | None] = ContextVar("semafor_trace", default=None)


def enter(headers: Iterable[tuple[str, str]]) -> None:
    """Whatever is done from here on is done for a request with these headers, their names in any case.

    To be called at the beginning of every request, also of one without a trace: the thread may have had another.
    """
    named = ((name.lower(), value) for name, value in headers)
    kept = tuple(pair for pair in named if pair[0] in HEADERS and len(pair[1]) <= _MAX_BYTES)
    _current.set((monotonic(), kept) if kept else None)


def carried() -> Pairs:
    """The headers of the request that is being worked for; none when there is none."""
    now = _current.get()
    return now[1] if now is not None and monotonic() - now[0] < _MAX_AGE_S else ()


def missing(present: Iterable[str]) -> Pairs:
    """What has to be added to a call that has these headers already, in lower case."""
    wanted = carried()
    if not wanted:
        return ()
    own = set(present)
    has_trace = not own.isdisjoint(_OWN)
    return tuple(pair for pair in wanted if pair[0] not in own and not (has_trace and pair[0] in _TRACE))


class Carried:
    """A function, to be called by another thread for the request that is being worked for now."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._now = _current.get()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        before = _current.set(self._now)
        try:
            return self._function(*args, **kwargs)
        finally:
            _current.reset(before)


def belongs() -> bool:
    """Whether there is a request that is being worked for."""
    return _current.get() is not None


# Of these modules semafor_libraries.py has a function each. `requests`, and whatever else is built on one, needs none.
LIBRARIES = {
    "aiohttp.client": "aiohttp_client",
    "aiohttp.web_protocol": "aiohttp_server",
    "concurrent.futures.thread": "executors",
    "flask.app": "flask",
    "grpc": "grpc",
    "grpc.aio": "grpc_aio",
    "gunicorn.workers.base": "gunicorn",
    "http.client": "http_client",
    "http.server": "http_server",
    "httpx": "httpx",
    "starlette.applications": "starlette",
    "threading": "threads",
    "uvicorn.config": "uvicorn",
    "waitress.server": "waitress",
}


def begin() -> None:
    """Wait for the libraries to be imported; what is there already is seen to at once."""
    waiting = {name for name in LIBRARIES if name not in sys.modules}
    for name in LIBRARIES.keys() - waiting:
        work(sys.modules[name])
    sys.meta_path.insert(0, _Watch(waiting))


def work(module: ModuleType) -> None:
    """Make the library hand headers on; when that fails it is used as it is."""
    try:
        import semafor_libraries  # type: ignore[import-not-found]

        getattr(semafor_libraries, LIBRARIES[module.__name__])(module)
    except Exception as error:  # noqa: BLE001 - a library that is not as expected must not end the application
        complain(module.__name__, error)


def complain(what: str, error: Exception) -> None:
    """Say once that something does not continue traces, and why."""
    if what not in _told:
        _told.add(what)
        sys.stderr.write("semafor: %s does not continue traces: %r\n" % (what, error))  # noqa: UP031


_told: set[str] = set()


class _Watch:
    """Finds the libraries where they are, and sees to it that the work follows their import."""

    def __init__(self, waiting: set[str]) -> None:
        self._waiting = waiting

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in self._waiting:
            return None
        self._waiting.discard(name)
        spec = next(self._found(name, path, target), None)
        if spec is not None and spec.loader is not None:
            _follow(spec.loader)
        return spec

    def _found(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> Iterator[ModuleSpec]:
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find else None
            if spec is not None:
                yield spec


def _follow(loader: Any) -> None:
    """Have the loader call `work` once it has run the module. It stays what it is: others look at its type."""
    run = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        del loader.exec_module
        run(module)
        work(module)

    loader.exec_module = exec_module
