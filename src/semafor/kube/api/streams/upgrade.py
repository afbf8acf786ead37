"""`Upgrade: SPDY/3.1` under uvicorn: an HTTP/1.1 protocol that can hand its connection to the application.

ASGI has no words for upgrades other than WebSocket. `Protocol` offers one in the request's scope; an endpoint that
wants it calls `accept` and has the raw connection from then on. The server runs with `http=Protocol`.

Its WebSockets send no pings of their own: while a process is slow to read its stdin, nobody reads the connection, an
answer to a ping would go unseen, and a healthy client would be cut off.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto.events import Request

from semafor.kube.api.streams.wire import Gone

_OFFER = "semafor.upgrade"
_CERTIFICATE = "semafor.client-certificate"
_SPDY = b"spdy/3.1"
_MAX_UNREAD_BYTES = 256 * 1024


class Tunnel:
    """An upgraded connection: raw bytes both ways. A `Wire`."""

    def __init__(self, protocol: "Protocol") -> None:
        self._protocol = protocol
        self._arrived: deque[bytes] = deque()
        self._unread_bytes = 0
        self._has_ended = False
        self._changed = asyncio.Event()

    async def read(self) -> bytes:
        while not self._arrived:
            if self._has_ended:
                return b""
            self._changed.clear()
            await self._changed.wait()
        data = self._arrived.popleft()
        self._unread_bytes -= len(data)
        if self._unread_bytes <= _MAX_UNREAD_BYTES // 2 and not self._has_ended:
            self._protocol.flow.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        if self._has_ended or self._protocol.transport.is_closing():
            raise Gone
        self._protocol.transport.write(data)
        await self._protocol.flow.drain()

    async def close(self) -> None:
        self._protocol.transport.close()

    def take(self, data: bytes) -> None:
        """Bytes from the client."""
        self._arrived.append(data)
        self._unread_bytes += len(data)
        if self._unread_bytes > _MAX_UNREAD_BYTES:
            self._protocol.flow.pause_reading()
        self._changed.set()

    def take_end(self) -> None:
        """The client has gone."""
        self._has_ended = True
        self._changed.set()


class Offer:
    """The way for an endpoint to take the connection over."""

    def __init__(self, protocol: "Protocol") -> None:
        self._protocol = protocol

    def accept(self, headers: Mapping[str, str]) -> Tunnel:
        """Answer 101 with these headers beside the necessary ones; nothing may be sent through ASGI any more."""
        return self._protocol.take_over(headers)


def offer_in(scope: Scope) -> Offer | None:
    """The offer that came with a request; None when it did not ask for SPDY, or the server cannot upgrade."""
    offer = (scope.get("extensions") or {}).get(_OFFER)
    return offer if isinstance(offer, Offer) else None


def client_certificate(scope: Scope) -> bytes:
    """The certificate (DER) that the client has proven to have the key of; empty without one."""
    found: bytes = (scope.get("extensions") or {}).get(_CERTIFICATE, b"")
    return found


def _proven(transport: asyncio.Transport) -> dict[str, bytes]:
    """The extension that says so. TLS has verified the certificate, else the connection would not be there."""
    tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    shown = tls.getpeercert(binary_form=True) if tls else None
    return {_CERTIFICATE: shown} if shown else {}


class _PatientWebSocket(WSProtocol):
    """uvicorn's WebSocket, which never gives up on a client that is there, and says who that is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ping_interval = None

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["extensions"] |= _proven(self.transport)


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol, able to upgrade to SPDY/3.1, and to stop without waiting for endless bodies."""

    _is_offered = False
    _proven: Mapping[str, bytes] = MappingProxyType({})
    _tunnel: Tunnel | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ws_protocol_class = _PatientWebSocket

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._proven = _proven(transport)

    def on_headers_complete(self) -> None:
        self._is_offered = bool(self.parser.should_upgrade()) and self._get_upgrade() == _SPDY
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["extensions"] = {**self._proven, **({_OFFER: Offer(self)} if self._is_offered else {})}
        super().on_headers_complete()
        if self._is_offered:
            # The parser takes no further request: when the endpoint refuses, its answer is the last.
            self.cycle.keep_alive = False

    def data_received(self, data: bytes) -> None:
        if self._tunnel is not None:
            self._tunnel.take(data)
        else:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._tunnel is not None:
            self._tunnel.take_end()

    def shutdown(self) -> None:
        """End a body that is still being sent: a watch or a followed log would never end by itself."""
        cycle = self.cycle
        if cycle is None or not cycle.response_started or cycle.response_complete:
            super().shutdown()
            return
        if cycle.chunked_encoding:
            self.transport.write(b"0\r\n\r\n")
        cycle.disconnected = True
        cycle.message_event.set()
        self.transport.close()

    def take_over(self, headers: Mapping[str, str]) -> Tunnel:
        """Leave HTTP; see Offer.accept."""
        lines = ["HTTP/1.1 101 Switching Protocols", "connection: Upgrade", "upgrade: SPDY/3.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.transport.write("\r\n".join([*lines, "", ""]).encode("ascii"))
        self.cycle.response_started = self.cycle.response_complete = True
        self._tunnel = Tunnel(self)
        if self.cycle.disconnected:
            self._tunnel.take_end()
        self.flow.resume_reading()
        return self._tunnel

    def _unsupported_upgrade_warning(self) -> None:
        if not self._is_offered:
            super()._unsupported_upgrade_warning()
            return
        # The client waits for our 101; what it might send before would reach a parser that is done.
        self.flow.pause_reading()
