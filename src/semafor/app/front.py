"""The control plane as pods see it: `istiod`'s door. An Envoy in the pod, a unix socket, and these few answers.

pod istiod :15014 ─▶ Envoy ─▶ debug.sock ─▶ this application in the daemon
"""

import asyncio
import contextlib
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
