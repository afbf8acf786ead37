"""The HTTP surface of the streams: paths, methods, the choice of a dialect, refusals as Status."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from semafor.base import clock
from semafor.kube.api import errors
from semafor.kube.api.errors import StatusError
from semafor.kube.api.node import Node, Process
from semafor.kube.api.streams import channels, forward, log, remote, target
from semafor.kube.api.streams.remote import Crew
from semafor.kube.api.streams.remote_peers import SpdyPeer, WebSocketPeer
from semafor.kube.api.streams.session import Session
from semafor.kube.api.streams.target import FindPod, RemoteOptions
from semafor.kube.api.streams.upgrade import Offer, offer_in
from semafor.kube.api.streams.wire import WebSocketWire

_POD = "/api/v1/namespaces/{namespace}/pods/{name}"
_VERSION = "x-stream-protocol-version"

Run = Callable[[Session], Awaitable[None]]


def routes(node: Node, find_pod: FindPod) -> list[BaseRoute]:
    """The routes of log, exec, attach and port-forward; `find_pod` looks a pod up by namespace and name.

    The caller authenticates, for HTTP and for WebSocket requests alike. Without `upgrade.Protocol` as the server's
    HTTP protocol, the SPDY dialect answers 400.
    """
    streams = _Streams(node, find_pod)
    posts = ["GET", "POST"]
    return [
        Route(f"{_POD}/log", streams.log, methods=["GET"]),
        Route(f"{_POD}/exec", partial(streams.remote_spdy, is_exec=True), methods=posts),
        Route(f"{_POD}/attach", partial(streams.remote_spdy, is_exec=False), methods=posts),
        Route(f"{_POD}/portforward", streams.forward_spdy, methods=posts),
        WebSocketRoute(f"{_POD}/exec", _denying(partial(streams.remote_websocket, is_exec=True))),
        WebSocketRoute(f"{_POD}/attach", _denying(partial(streams.remote_websocket, is_exec=False))),
        WebSocketRoute(f"{_POD}/portforward", _denying(streams.forward_websocket)),
    ]


class _Streams:
    """The endpoints."""

    def __init__(self, node: Node, find_pod: FindPod) -> None:
        self._node = node
        self._find_pod = find_pod
        self._crew = Crew()

    async def log(self, request: Request) -> Response:
        try:
            pod = target.pod(self._find_pod, request.path_params)
            container = target.container(pod, request.query_params.get("container", ""))
            options = target.log_options(request.query_params, pod["metadata"]["name"], clock.now())
            return await log.serve(self._node, pod, container, options)
        except StatusError as error:
            return _refusal(error)

    async def remote_websocket(self, websocket: WebSocket, *, is_exec: bool) -> None:
        start, options = self._remote(websocket, is_exec=is_exec)
        protocol, named = _spoken(websocket, channels.PROTOCOLS)
        await websocket.accept(subprotocol=named)
        peer = WebSocketPeer(websocket, protocol)
        await peer.greet()
        await remote.serve(peer, start, options, self._crew)

    async def remote_spdy(self, request: Request, *, is_exec: bool) -> Response:
        try:
            start, options = self._remote(request, is_exec=is_exec)
            return _Upgraded(request, channels.PROTOCOLS, partial(self._serve_remote, start, options))
        except StatusError as error:
            return _refusal(error)

    async def forward_websocket(self, websocket: WebSocket) -> None:
        connect = self._connect(websocket)
        protocol, named = _spoken(websocket, (forward.TUNNELED, channels.V4))
        ports = target.ports(websocket.query_params) if protocol == channels.V4 else ()
        await websocket.accept(subprotocol=named)
        if protocol == channels.V4:
            await forward.over_channels(websocket, ports, connect)
            return
        async with Session(WebSocketWire(websocket)) as session:
            await forward.over_spdy(session, connect)

    async def forward_spdy(self, request: Request) -> Response:
        try:
            connect = self._connect(request)
            return _Upgraded(request, (forward.SPDY,), lambda session: forward.over_spdy(session, connect))
        except StatusError as error:
            return _refusal(error)

    def _remote(self, request: HTTPConnection, *, is_exec: bool) -> tuple[remote.Start, RemoteOptions]:
        pod = target.pod(self._find_pod, request.path_params)
        container = target.container(pod, request.query_params.get("container", ""))
        options = target.remote_options(request.query_params, is_exec=is_exec)
        target.require_node(pod)
        return partial(self._start, pod, container, options), options

    async def _start(self, pod: dict[str, Any], container: str, options: RemoteOptions) -> Process:
        if options.argv:
            return await self._node.exec(pod, container, options.argv, tty=options.tty, stdin=options.stdin)
        return await self._node.attach(pod, container, tty=options.tty, stdin=options.stdin)

    async def _serve_remote(self, start: remote.Start, options: RemoteOptions, session: Session) -> None:
        peer = await SpdyPeer.meet(session, options)
        if peer is not None:
            await peer.attend(remote.serve(peer, start, options, self._crew))

    def _connect(self, request: HTTPConnection) -> forward.Connect:
        pod = target.pod(self._find_pod, request.path_params)
        target.require_node(pod)
        return partial(self._node.connect, pod)


class _Upgraded(Response):
    """An answer that takes the connection over, agrees on a protocol, and runs a SPDY session on it.

    Raises StatusError when made for a request that cannot be upgraded.
    """

    def __init__(self, request: Request, protocols: tuple[str, ...], run: Run) -> None:
        super().__init__(status_code=101)
        offer = offer_in(request.scope)
        if offer is None:
            raise errors.bad_request("Upgrade request required")
        offered = [name.strip() for value in request.headers.getlist(_VERSION) for name in value.split(",")]
        self._offer: Offer = offer
        self._protocol = _chosen(offered, protocols)
        self._run = run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        async with Session(self._offer.accept({_VERSION: self._protocol})) as session:
            await self._run(session)


def _spoken(websocket: WebSocket, known: tuple[str, ...]) -> tuple[str, str | None]:
    """The protocol to speak, and its name for the handshake: a client that offers none (kr8s) means version 4."""
    offered: list[str] = websocket.scope["subprotocols"]
    if not offered:
        return channels.V4, None
    protocol = _chosen(offered, known)
    return protocol, protocol


def _chosen(offered: list[str], known: tuple[str, ...]) -> str:
    """The first protocol that the client offers and we know. Raises StatusError Forbidden, as kubelet does."""
    for name in offered:
        if name in known:
            return name
    message = f"unable to negotiate protocol: client supports {offered}, server accepts {list(known)}"
    raise errors.forbidden_path(message)


def _refusal(error: StatusError) -> Response:
    return JSONResponse(error.status, status_code=error.code)


def _denying(endpoint: Callable[[WebSocket], Awaitable[None]]) -> Callable[[WebSocket], Awaitable[None]]:
    """The endpoint, its refusals sent in place of the handshake."""

    async def guarded(websocket: WebSocket) -> None:
        try:
            await endpoint(websocket)
        except StatusError as error:
            await websocket.send_denial_response(_refusal(error))

    return guarded
