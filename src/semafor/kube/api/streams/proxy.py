"""Requests that the API passes on to a pod, or to one of a service's pods: `kubectl proxy`, `kubectl get --raw`.

Source: kube-apiserver, ResourceLocation of pods and services; apimachinery, util/proxy. It rewrites links in HTML as
well; here those of redirects alone.
"""

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final, NamedTuple

import httptools
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from semafor.base.struct import Value
from semafor.kube.api import answers, errors
from semafor.kube.api.errors import StatusError
from semafor.kube.api.node import Node, NodeError
from semafor.kube.api.streams import target
from semafor.kube.api.streams.wire import CHUNK_BYTES

Doc = dict[str, Any]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_DEFAULT_PORTS: Final = {"": 80, "http": 80, "https": 443}
# Of one connection, not of a request; and what is for the API alone.
_OWN: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "expect", "host", "authorization"}
)
_OWN_PREFIX: Final = "impersonate-"
_WITHOUT_BODY: Final = (204, 304)


class Lookup(NamedTuple):
    """How objects are found: `pod` and `service` by namespace and name (StatusError NotFound), the slices of all."""

    pod: Callable[[str, str], Doc]
    service: Callable[[str, str], Doc]
    slices: Callable[[], list[Doc]]


class Place(Value):
    """Where a request goes."""

    pod: Doc
    port: int
    is_tls: bool

    @property
    def host(self) -> str:
        return f"{self.pod.get('status', {}).get('podIP', '')}:{self.port}"


def routes(node: Node, lookup: Lookup) -> list[BaseRoute]:
    """The subresource `proxy` of pods and services. The caller authenticates, and judges who may."""
    proxy = _Proxy(node, lookup)
    found: list[BaseRoute] = []
    for plural, find in (("pods", proxy.pod), ("services", proxy.service)):
        path = f"/api/v1/namespaces/{{namespace}}/{plural}/{{name}}/proxy"
        found.append(Route(path, _directory, methods=_METHODS))
        found.append(Route(path + "/{path:path}", _passing(proxy, find), methods=_METHODS))
    return found


def _passing(proxy: "_Proxy", find: Callable[[str, str], Place]) -> Any:
    async def endpoint(request: Request) -> Response:
        try:
            return await proxy.passed_on(request, find(request.path_params["namespace"], request.path_params["name"]))
        except StatusError as error:
            return answers.refusal(error)

    return endpoint


async def _directory(request: Request) -> Response:
    """Relative links of what is behind it start below it."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{request.url.path}/{query}", status_code=301)


class _Proxy:
    def __init__(self, node: Node, lookup: Lookup) -> None:
        self._node = node
        self._lookup = lookup

    def pod(self, namespace: str, text: str) -> Place:
        scheme, name, port = _parts("pod", text)
        pod = self._lookup.pod(namespace, name)
        ports = [each for container in pod["spec"]["containers"] for each in container.get("ports") or ()]
        number = ports[0]["containerPort"] if ports and not port else _DEFAULT_PORTS[scheme]
        return Place(pod=pod, port=target.port(port) if port else number, is_tls=scheme == "https")

    def service(self, namespace: str, text: str) -> Place:
        scheme, name, port = _parts("service", text)
        ports = self._lookup.service(namespace, name)["spec"].get("ports") or []
        if port.isdigit():
            named = [each.get("name", "") for each in ports if each["port"] == int(port)]
            if not named:
                raise errors.unavailable(f'no service port {port} found for service "{name}"')
            port = named[0]
        places = list(self._ready(namespace, name, port))
        if not places:
            raise errors.unavailable(f'no endpoints available for service "{text}"')
        pod, number = random.choice(places)  # noqa: S311 - a choice among equals
        return Place(pod=self._lookup.pod(namespace, pod), port=number, is_tls=scheme == "https")

    def _ready(self, namespace: str, service: str, port: str) -> Iterator[tuple[str, int]]:
        """The pods, and their ports of this name."""
        for each in self._lookup.slices():
            metadata = each["metadata"]
            owner = (metadata.get("labels") or {}).get("kubernetes.io/service-name")
            if (metadata["namespace"], owner) != (namespace, service):
                continue
            numbers = [found["port"] for found in each.get("ports") or () if (found.get("name") or "") == port]
            for endpoint in each.get("endpoints") or ():
                behind = endpoint.get("targetRef") or {}
                if behind.get("kind") == "Pod" and (endpoint.get("conditions") or {}).get("ready") is not False:
                    yield from ((behind["name"], number) for number in numbers)

    async def passed_on(self, request: Request, place: Place) -> Response:
        """The answer of what is there. Raises StatusError when there is none."""
        target.require_node(place.pod)
        try:
            streams = await self._node.connect(place.pod, place.port)
            return await _asked(request, place, streams)
        except (NodeError, OSError, EOFError, httptools.HttpParserError) as error:
            raise errors.unavailable(f"error trying to reach service: {error or 'EOF'}") from error


def _parts(kind: str, text: str) -> tuple[str, str, str]:
    """Scheme, name and port of `[SCHEME:]NAME[:PORT]`."""
    parts = text.split(":")
    scheme, name, port = ("", *parts, "")[:3] if len(parts) < 3 else parts[:3]
    if len(parts) > 3 or not name or scheme not in _DEFAULT_PORTS:
        raise errors.bad_request(f'invalid {kind} request "{text}"')
    return scheme, name, port


async def _asked(request: Request, place: Place, streams: Streams) -> Response:
    """The answer, once its head has come."""
    reader, writer = streams
    sending: asyncio.Task[None] | None = None
    try:
        if place.is_tls:
            await writer.start_tls(_unverified(), server_hostname=place.host.partition(":")[0])
        writer.write(_head(request, place))
        sending = asyncio.create_task(_send_body(request, writer))
        answer = _Answer(is_head=request.method == "HEAD")
        while not answer.begun:
            answer.feed(await _some(reader))
    except BaseException:
        await _end(sending, writer)
        raise
    return _Passed(answer, reader, lambda: _end(sending, writer), request)


def _unverified() -> ssl.SSLContext:
    """As kube-apiserver: nobody signs certificates for pods' addresses."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _head(request: Request, place: Place) -> bytes:
    _, below = _split(request)
    query: bytes = request.scope["query_string"]
    lines = [b" ".join((request.method.encode(), below + (b"?" + query if query else b""), b"HTTP/1.1"))]
    lines.append(b"Host: " + place.host.encode())
    for name, value in request.headers.raw:
        word = name.decode("latin-1").lower()
        if word not in _OWN and not word.startswith(_OWN_PREFIX):
            lines.append(name + b": " + value)
    if "transfer-encoding" in request.headers:
        lines.append(b"Transfer-Encoding: chunked")
    lines.append(b"X-Forwarded-Host: " + request.headers.get("host", "").encode("latin-1"))
    lines.append(b"X-Forwarded-Uri: " + request.scope["raw_path"].partition(b"?")[0])
    return b"\r\n".join((*lines, b"Connection: close", b"", b""))


def _split(request: Request) -> tuple[bytes, bytes]:
    """The path up to the subresource, and the one behind it."""
    parts = request.scope["raw_path"].partition(b"?")[0].split(b"/")
    return b"/".join(parts[:8]), b"/" + b"/".join(parts[8:])


async def _send_body(request: Request, writer: asyncio.StreamWriter) -> None:
    """A target that has heard enough may close: its answer tells."""
    is_chunked = "transfer-encoding" in request.headers
    with contextlib.suppress(OSError):
        async for chunk in request.stream():
            if chunk:
                writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if is_chunked else chunk)
                await writer.drain()
        if is_chunked:
            writer.write(b"0\r\n\r\n")
            await writer.drain()


async def _some(reader: asyncio.StreamReader) -> bytes:
    data = await reader.read(CHUNK_BYTES)
    if not data:
        raise EOFError
    return data


async def _end(sending: asyncio.Task[None] | None, writer: asyncio.StreamWriter) -> None:
    if sending:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


class _Answer:
    """What httptools tells of one answer."""

    def __init__(self, *, is_head: bool) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.begun = False
        self.complete = False
        self._is_head = is_head
        self._parts: list[bytes] = []
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Raises HttpParserError when it is not HTTP."""
        if not self.complete:
            self._parser.feed_data(data)

    def take(self) -> bytes:
        """The body since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.decode("latin-1").lower() not in _OWN:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self.begun = self.status >= 200  # those before are no answers yet
        self.complete = self.begun and (self._is_head or self.status in _WITHOUT_BODY)
        if not self.begun:
            self.headers.clear()

    def on_body(self, body: bytes) -> None:
        if not self.complete:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        self.complete = self.begun


class _Passed(Response):
    """The answer as it comes; the connection ends with it, or with the client."""

    def __init__(self, answer: _Answer, reader: asyncio.StreamReader, end: Callable[[], Any], request: Request) -> None:
        super().__init__(status_code=answer.status)
        self.raw_headers = [
            (name, _moved(value, _split(request)[0]) if name == b"location" else value)
            for name, value in answer.headers
            if not (name == b"content-length" and answer.status in _WITHOUT_BODY)  # it says what a body would have
        ]
        self._answer, self._reader, self._end = answer, reader, end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        head = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        try:
            await send(head)
            async for chunk in self._body():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await self._end()

    async def _body(self) -> AsyncIterator[bytes]:
        """Raises HttpParserError, OSError: the client sees an answer that is cut off."""
        while True:
            if data := self._answer.take():
                yield data
            if self._answer.complete:
                return
            data = await self._reader.read(CHUNK_BYTES)
            if not data:  # the end, where neither a length nor chunks say it
                return
            self._answer.feed(data)


def _moved(location: bytes, base: bytes) -> bytes:
    """A place on the same host, as the client can reach it."""
    return base + location if location.startswith(b"/") and not location.startswith(b"//") else location
