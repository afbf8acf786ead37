"""The control plane as pods see it: `istiod`'s door. An Envoy in the pod, a unix socket, and these few answers.

pod istiod :15014 ─▶ Envoy ─▶ debug.sock ─▶ this application in the daemon
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

import semafor
from semafor.app.pipeline import Pipeline

_PORT = 15014  # Istio's http-monitoring
_TYPES = "type.googleapis.com/envoy."


def bootstrap(pipe: str) -> bytes:
    """The static configuration of the Envoy in istiod's pod: everything goes to the daemon's unix socket `pipe`."""
    connection = {
        "@type": _TYPES + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "front",
        "route_config": {"virtual_hosts": [{"name": "daemon", "domains": ["*"], "routes": [_ROUTE]}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": _TYPES + "extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": connection}]
    address = {"socket_address": {"address": "0.0.0.0", "port_value": _PORT}}  # noqa: S104 - inside its pod
    endpoint = {"endpoint": {"address": {"pipe": {"path": pipe}}}}
    assignment = {"cluster_name": "daemon", "endpoints": [{"lb_endpoints": [endpoint]}]}
    resources = {
        "listeners": [{"name": "front", "address": address, "filter_chains": [{"filters": filters}]}],
        "clusters": [{"name": "daemon", "type": "STATIC", "load_assignment": assignment}],
    }
    admin = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 15000}}}
    return json.dumps({"admin": admin, "static_resources": resources}).encode()


_ROUTE = {"match": {"prefix": "/"}, "route": {"cluster": "daemon", "timeout": "10s"}}


def application(pipeline: Pipeline) -> Starlette:
    """What istiod answers on its monitoring port, as far as it makes sense here."""

    async def ready(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def version(_: Request) -> Response:
        return PlainTextResponse(f"{semafor.__version__}-semafor")

    async def proxies(_: Request) -> Response:
        return JSONResponse(pipeline.proxies())

    return Starlette(routes=[Route("/ready", ready), Route("/version", version), Route("/debug/syncz", proxies)])


@contextlib.asynccontextmanager
async def serve(app: Any, path: Path) -> AsyncIterator[None]:
    """Serve on the unix socket `path` while the context lasts; the socket is its owner's alone."""
    listener = _listen(path)
    config = uvicorn.Config(app, lifespan="off", log_level="warning", access_log=False)
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.wait([serving], timeout=1)
        listener.close()


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen()
    return listener


class _Server(uvicorn.Server):
    """Leaves signals to the daemon."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
