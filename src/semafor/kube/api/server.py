"""The API as an ASGI application: its routes, behind the gate."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from semafor.kube.api import accept, answers, discovery, errors, rbac, streams
from semafor.kube.api.endpoints import Endpoints
from semafor.kube.api.gate import Gate
from semafor.kube.api.objects import Objects
from semafor.kube.api.openapi import OpenApi
from semafor.kube.api.options import Options
from semafor.kube.api.streams import proxy
from semafor.resources.discovery import endpoint_slice
from semafor.resources.kind import Kind

Doc = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]

# kubectl asks for this form when v3 does not know a kind. In an empty one it does not find the kind either, goes on,
# and says "no matches for kind"; refused, it would complain of a download that failed.
_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
_V2_MEDIA_TYPE = _V2_PROTOBUF.replace("@", ".")  # what Go can parse, and kube-apiserver answers
_EMPTY_V2 = b"\x0a\x032.0"  # Document{swagger: "2.0"}

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]


def app(objects: Objects, options: Options) -> ASGIApp:
    """The API over these objects. Lifespan events are accepted and mean nothing."""
    public = _Public(objects, options)
    endpoints = Endpoints(objects, options)
    routes: list[BaseRoute] = [
        Route("/healthz", public.alive),
        Route("/livez", public.alive),
        Route("/readyz", public.ready),
        Route("/version", public.version),
        Route("/version/", public.version),  # as kr8s asks
        Route("/api", public.core),
        Route("/apis", public.groups),
        Route("/api/{version}", public.resources),
        Route("/apis/{group}", public.group),
        Route("/apis/{group}/{version}", public.resources),
        Route("/openapi/v2", public.openapi_v2),
        Route("/openapi/v3", public.openapi_index),
        Route("/openapi/v3/{path:path}", public.openapi),
        *_stream_routes(objects, options),
        *options.further,
        Route("/{path:path}", endpoints.handle, methods=_METHODS),
    ]
    decide = partial(rbac.decide, objects=objects.listed)
    return Gate(Router(routes), options.authenticate, decide, options.recognize)


def _stream_routes(objects: Objects, options: Options) -> list[BaseRoute]:
    if options.node is None:
        return []

    kinds = {kind.resource: kind for kind in objects.kinds}
    find_pod, find_service = (partial(objects.get, kinds[resource]) for resource in ("pods", "services"))
    lookup = proxy.Lookup(find_pod, find_service, partial(objects.listed, endpoint_slice.KIND.resource))
    return [*streams.routes(options.node, find_pod), *proxy.routes(options.node, lookup)]


class _Public:
    """What the API says of itself."""

    def __init__(self, objects: Objects, options: Options) -> None:
        self._catalog = objects.catalog
        self._options = options
        self._described = (-1, OpenApi((), "", {}))

    @property
    def _kinds(self) -> list[Kind]:
        return discovery.listed(self._catalog.kinds)

    @property
    def _openapi(self) -> OpenApi:
        """The documents of the kinds that are served now."""
        version, described = self._described
        if version != self._catalog.version:
            described = OpenApi(self._kinds, self._options.version.git_version, self._catalog.schemas)
            self._described = (self._catalog.version, described)
        return described

    async def alive(self, _: Request) -> Response:
        return PlainTextResponse("ok")

    async def ready(self, _: Request) -> Response:
        ready = self._options.ready is None or await self._options.ready()
        return PlainTextResponse("ok" if ready else "not ready", status_code=200 if ready else 503)

    async def version(self, _: Request) -> Response:
        return answers.document(discovery.version_info(self._options.version))

    async def core(self, request: Request) -> Response:
        return self._discovered(request, discovery.api_versions(), core=True)

    async def groups(self, request: Request) -> Response:
        return self._discovered(request, discovery.api_group_list(self._kinds), core=False)

    def _discovered(self, request: Request, plain: Doc, *, core: bool) -> Response:
        form = accept.choose(request.headers.get("accept", ""), shapes=accept.DISCOVERY)
        if not form.shape:
            return answers.document(plain, form=form)
        response = answers.document(discovery.aggregated(self._kinds, core=core, version=form.version))
        media_type = f"application/json;g=apidiscovery.k8s.io;v={form.version};as=APIGroupDiscoveryList"
        response.headers["Content-Type"] = media_type  # clients tell the forms apart by this
        response.headers["Vary"] = "Accept"
        return response

    async def group(self, request: Request) -> Response:
        return _found(discovery.api_group(self._kinds, request.path_params["group"]))

    async def resources(self, request: Request) -> Response:
        group, version = request.path_params.get("group", ""), request.path_params["version"]
        return _found(discovery.api_resource_list(self._kinds, group, version))

    async def openapi_index(self, _: Request) -> Response:
        return answers.document(await asyncio.to_thread(self._openapi.index))

    async def openapi(self, request: Request) -> Response:
        body = await asyncio.to_thread(self._openapi.document, request.path_params["path"])
        if body is None:
            raise errors.no_such_page()
        return answers.raw(body)

    async def openapi_v2(self, request: Request) -> Response:
        wanted = request.headers.get("accept", "")
        if _V2_PROTOBUF in wanted:
            return answers.raw(_EMPTY_V2, media_type=_V2_MEDIA_TYPE)
        accept.choose(wanted)
        return answers.raw(await asyncio.to_thread(self._openapi.v2))


def _found(doc: Doc | None) -> Response:
    if doc is None:
        raise errors.no_such_page()
    return answers.document(doc)
