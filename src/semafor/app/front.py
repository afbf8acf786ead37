"""The control plane as pods see it: `istiod`'s door. An Envoy in the pod, a unix socket, and these few answers.

pod istiod :15014, 127.0.0.1:8080 ─▶ Envoy ─▶ debug.sock ─▶ this application in the daemon

Tools find the second by a forwarded port: Kiali asks there what Istio's debug interface knows.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

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
from semafor.base import names
from semafor.kube.api import serve as api
from semafor.planner.services.protocol import Protocol
from semafor.planner.services.service import Port, Service

Json = dict[str, Any]

_CLUSTER: Final = "Kubernetes"  # Istio's id of the cluster where there is only one


def application(pipeline: Pipeline) -> Starlette:
    """What istiod answers on its monitoring port, as far as it makes sense here."""

    async def ready(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def version(_: Request) -> Response:
        return PlainTextResponse(f"{semafor.__version__}-semafor")

    async def proxies(_: Request) -> Response:
        return JSONResponse([_synced(each) for each in pipeline.proxies()])

    async def services(_: Request) -> Response:
        return JSONResponse([_registered(each) for each in pipeline.mesh.by_host.values()])

    return Starlette(
        routes=[
            Route("/ready", ready),
            Route("/version", version),
            Route("/debug/syncz", proxies),
            Route("/debug/registryz", services),
        ]
    )


# istioctl's words for types of resources -> what Istio's syncz calls them
_WORDS: Final = {
    "CDS": "cluster",
    "LDS": "listener",
    "RDS": "route",
    "EDS": "endpoint",
    "ECDS": "extensionconfig",
}


def _synced(proxy: Json) -> Json:
    """A proxy in the words of Istio's /debug/syncz, which compares what was sent and what was acknowledged."""
    words = {"cluster_id": _CLUSTER, "istio_version": names.ISTIO_VERSION, **proxy}
    for short, state in words.pop("types", {}).items():
        if state != "NOT SENT":
            words[f"{_WORDS[short]}_sent"] = str(proxy["behind"])
            words[f"{_WORDS[short]}_acked"] = str(proxy["behind"]) if state == "SYNCED" else ""
    return words


def _port(port: Port) -> Json:
    word = "UNSUPPORTED" if port.protocol is Protocol.SNIFFED else port.protocol.value.upper()
    return {"name": port.name, "port": port.number, "protocol": word}  # Istio's word for what is found out by looking


def _registered(service: Service) -> Json:
    """A service in the words of Istio's /debug/registryz."""
    return {
        "Attributes": {
            "ServiceRegistry": "Kubernetes" if service.registry == "Kubernetes" else "External",
            "Name": service.name,
            "Namespace": service.namespace,
            "LabelSelectors": dict(service.selector) or None,
            "ExportTo": {scope: {} for scope in service.export_to} or None,
        },
        "ports": [_port(port) for port in service.ports],
        "hostname": service.host,
        "clusterVIPs": {"Addresses": {_CLUSTER: list(service.addresses)}},
        "Resolution": service.resolution,
    }


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
