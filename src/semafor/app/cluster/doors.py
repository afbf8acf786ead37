"""The control plane's HTTP doors: TLS for agents and the API server's webhooks, plain for who watches over it."""

import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from semafor.app.cluster.doorkeeper import Doorkeeper, Request
from semafor.base import aio
from semafor.base.status_error import StatusError
from semafor.ca.issue import Identity
from semafor.kube.api import serve

_MAX_BYTES = 1 << 20  # of what agents send; a certificate request has 400


def agents(doorkeeper: Doorkeeper) -> BaseRoute:
    """Where agents enrol."""

    async def enrol(request: HttpRequest) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            asked = msgspec.json.decode(await aio.joined(request.stream(), _MAX_BYTES), type=Request)
            return JSONResponse(await doorkeeper.enrol(token if scheme == "Bearer" else "", asked))
        except aio.TooLargeError:
            return PlainTextResponse("too large", 413)
        except msgspec.MsgspecError as error:
            return PlainTextResponse(f"not understood: {error}", 400)
        except StatusError as error:
            return PlainTextResponse(error.message, error.code)

    return Route("/v1/proxy", enrol, methods=["POST"])


@contextlib.asynccontextmanager
async def secure(routes: list[BaseRoute], address: tuple[str, int], shown: Identity) -> AsyncIterator[int]:
    """Serve over TLS while the context lasts; yield the port. Raises OSError."""
    config = _config(Starlette(routes=routes))
    config.load()
    config.ssl = _tls(shown)
    async with _running(config, address) as port:
        yield port


@contextlib.asynccontextmanager
async def plain(app: ASGIApp, address: tuple[str, int]) -> AsyncIterator[int]:
    """Serve without TLS while the context lasts; yield the port. Raises OSError."""
    async with _running(_config(app), address) as port:
        yield port


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


@contextlib.asynccontextmanager
async def _running(config: uvicorn.Config, address: tuple[str, int]) -> AsyncIterator[int]:
    listener = socket.create_server(address, backlog=2048)
    async with serve.running(config, (listener,)):
        yield listener.getsockname()[1]


def _tls(shown: Identity) -> ssl.SSLContext:
    """The key comes from a file in memory: it is never written to disk, and ssl reads files only."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    file = os.memfd_create("server")
    try:
        with os.fdopen(os.dup(file), "wb") as writer:
            writer.write(shown.certificate.pem + shown.key.pem)
        made.load_cert_chain(f"/proc/self/fd/{file}")
    finally:
        os.close(file)
    return made
