"""The page as an ASGI application, and the two doors it is served at."""

import contextlib
import hashlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from semafor.app.tracing import api
from semafor.app.web import files
from semafor.app.web.charts import Charts
from semafor.app.web.config import Config
from semafor.app.web.detail import Detail
from semafor.app.web.entrance import Entrance
from semafor.app.web.gate import Gate, Keys, problem
from semafor.app.web.graph import Graph
from semafor.app.web.jaeger import Jaeger
from semafor.app.web.login import Links, Sessions
from semafor.app.web.overview import Overview
from semafor.app.web.sources import Sources
from semafor.app.web.standing import Status
from semafor.app.web.traces import Traces
from semafor.kube.api import serve
from semafor.kube.api.errors import StatusError

ADDRESS = "127.0.0.1"
# Beside Kiali's 20001, which stays free for `kubectl port-forward svc/kiali 20001:20001`; any other for further meshes.
PORTS = (20002, 0)


class Site:
    """`app` is what browsers talk to, `jaeger` the same where Jaeger is looked for; `links` makes links, for the
    owner of the home alone."""

    def __init__(self, sources: Sources, folder: Path = files.BUILT) -> None:
        self._sources = sources
        self._links = Links()
        sessions = Sessions()
        # Browsers keep cookies by host, not by port: two meshes must not take each other's away.
        cookie = "semafor-" + hashlib.sha256(sources.name.encode()).hexdigest()[:8]
        areas = (
            Entrance(sources, self._links, sessions, cookie),
            Overview(sources),
            Graph(sources),
            Config(sources),
            Detail(sources),
            Charts(sources),
            Traces(sources),
            Status(sources),
        )
        routes: list[BaseRoute] = [route for area in areas for route in area.routes()]
        if sources.traces is not None:
            routes.append(Mount("/api/jaeger", routes=api.routes(sources.traces)))
        if sources.prometheus is not None:
            routes.append(Mount("/api/prometheus", app=sources.prometheus))
        routes.append(Mount("/api/questions", routes=list(sources.questions)))
        inner = Starlette(routes=[*routes, *files.routes(folder)], exception_handlers={StatusError: _refused})
        self.app: ASGIApp = Gate(inner, sessions, Keys(cookie, sources.authenticate), sources.now)
        self.jaeger: ASGIApp = Jaeger(self.app, sources.traces) if sources.traces is not None else self.app

    def link(self) -> str:
        """The secret part of a new one-time link."""
        return self._links.make(self._sources.now())

    @property
    def links(self) -> ASGIApp:
        async def make(_: Request) -> Response:
            return JSONResponse({"link": self.link()})

        return Starlette(routes=[Route("/link", make, methods=["POST"])])


async def _refused(_: Request, error: Exception) -> Response:
    """A question that the mesh cannot answer, as all of `/api` tells it."""
    assert isinstance(error, StatusError)
    return problem(error.code, error.reason, error.message)


@contextlib.asynccontextmanager
async def listen(app: ASGIApp, ports: tuple[int, ...] = PORTS) -> AsyncIterator[int]:
    """Serve on loopback, on the first of the ports that can be had; yield it. Raises OSError when none can."""
    listener = _first(ports)
    config = uvicorn.Config(app, lifespan="off", log_level="warning", access_log=False, server_header=False)
    async with serve.running(config, (listener,)):
        yield listener.getsockname()[1]


def _first(ports: tuple[int, ...]) -> socket.socket:
    for port in ports[:-1]:
        with contextlib.suppress(OSError):
            return socket.create_server((ADDRESS, port))
    return socket.create_server((ADDRESS, ports[-1]))
