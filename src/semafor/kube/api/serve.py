"""Serve ASGI applications in the running event loop: the API over TLS, and whatever else `app` has."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

MAX_WAIT_S = 2.0  # for open requests when the server stops; watches and followed logs never end by themselves


class Tls(NamedTuple):
    """The server's certificate and key, and who signs the certificates (PEM) that clients may show.

    A client's certificate of somebody else ends the handshake; one without a certificate is let in.
    """

    certificate: Path
    key: Path
    client_roots: str = ""


@contextlib.asynccontextmanager
async def serve(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    tls: Tls,
    http_protocol: type[asyncio.Protocol] | None = None,
    also: Sequence[socket.socket] = (),
) -> AsyncIterator[int]:
    """Serve over TLS while the context lasts; yield the port (of the system's choice when `port` is 0).

    `also` are further listening sockets, which may be of another network namespace; they are closed with the context.
    `http_protocol` replaces uvicorn's own, for upgrades that it does not know. Raises OSError when the port is taken.
    """
    listener = socket.create_server((host, port), backlog=2048)
    config = uvicorn.Config(
        app,
        http=http_protocol or "httptools",
        ws="wsproto",
        ssl_certfile=str(tls.certificate),
        ssl_keyfile=str(tls.key),
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=90,  # longer than clients keep idle connections, so that they close first
    )
    _set_up_tls(config, tls.client_roots)
    async with running(config, (listener, *also)):
        yield listener.getsockname()[1]


def _set_up_tls(config: uvicorn.Config, client_roots: str) -> None:
    config.load()
    assert config.ssl is not None
    config.ssl.minimum_version = ssl.TLSVersion.TLSv1_3  # every client of the API knows it since 2018
    if client_roots:
        config.ssl.load_verify_locations(cadata=client_roots)
        config.ssl.verify_mode = ssl.CERT_OPTIONAL


@contextlib.asynccontextmanager
async def running(config: uvicorn.Config, sockets: Sequence[socket.socket]) -> AsyncIterator[None]:
    """Serve on listening sockets while the context lasts, and close them then."""
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=list(sockets)))
    started = asyncio.create_task(server.serving.wait())
    try:
        await asyncio.wait([serving, started], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            await serving
        yield
    finally:
        started.cancel()
        server.should_exit = True
        await asyncio.wait([serving], timeout=MAX_WAIT_S)
        for each in sockets:
            each.close()


class _Server(uvicorn.Server):
    """Leaves signals to the daemon, and tells when it has begun to serve."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.serving.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
