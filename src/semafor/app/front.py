"""The control plane as pods see it: `istiod`'s door. An Envoy in the pod, a unix socket, and these few answers.

pod istiod :15014 ─▶ Envoy ─▶ debug.sock ─▶ this application in the daemon
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

import semafor
from semafor.app import callers
from semafor.app.pipeline import Pipeline
from semafor.kube.api import serve as api


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
async def serve(app: ASGIApp, path: Path) -> AsyncIterator[None]:
    """Serve on the unix socket `path` while the context lasts; the socket is its owner's alone."""
    config = uvicorn.Config(
        app, interface="asgi3", http=_OfTheOwner, lifespan="off", log_level="warning", access_log=False
    )
    async with api.running(config, (callers.listen(path),)):
        yield


class _OfTheOwner(HttpToolsProtocol):
    """HTTP for processes of our own user only, as the kernel knows them."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        made: socket.socket = transport.get_extra_info("socket")
        super().connection_made(transport)
        if callers.caller(made).uid != os.geteuid():
            transport.abort()
