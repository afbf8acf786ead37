"""Sockets that answer: a thread for each connection, TLS before everything, HTTP/2 when its first bytes say so."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import cast

from . import go, http1
from .message import Handler, Tls

Peer = tuple[str, int]
Serve = Callable[[socket.socket, Peer, Tls | None], None]

_PREFACE_START = b"PRI * HTTP/2"
# How long a client may take to say hello.
_HANDSHAKE_S = 10.0


def context(certificate: str, key: str, *, authorities: str = "", protocols: tuple[str, ...] = ()) -> ssl.SSLContext:
    """TLS with that certificate (files). With `authorities`, a client's certificate is checked if it has one."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(certificate, key)
    if authorities:
        made.load_verify_locations(authorities)
        made.verify_mode = ssl.CERT_OPTIONAL
    if protocols:
        made.set_alpn_protocols(list(protocols))
    made.sni_callback = _remember_name
    return made


def _remember_name(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
    connection.asked_name = name or ""  # type: ignore[union-attr]


def http(handler: Handler, *, both: bool = False) -> Serve:
    """Serve HTTP/1.1, and HTTP/2 where TLS has agreed on it; `both`: also to who speaks it unasked."""

    def serve(connection: socket.socket, peer: Peer, tls: Tls | None) -> None:
        if tls.protocol == "h2" if tls else both and _starts_http2(connection):
            from . import http2  # it takes longer to load than all the rest

            http2.serve(connection, peer, handler, tls)
        else:
            http1.serve(connection, peer, handler, tls)

    return serve


def _starts_http2(connection: socket.socket) -> bool:
    seen = b""
    while _PREFACE_START.startswith(seen[: len(_PREFACE_START)]) and len(seen) < len(_PREFACE_START):
        more = connection.recv(len(_PREFACE_START), socket.MSG_PEEK | (socket.MSG_WAITALL if seen else 0))
        if not more or more == seen:
            return False
        seen = more
    return seen.startswith(_PREFACE_START)


def start(port: int, serve: Serve, tls: ssl.SSLContext | None = None) -> None:
    """Listen on all addresses, and answer in the background. Raises OSError."""
    listener = socket.create_server(("", port), backlog=128)
    threading.Thread(target=_accept, args=(listener, serve, tls), daemon=True).start()


def _accept(listener: socket.socket, serve: Serve, tls: ssl.SSLContext | None) -> None:
    while True:
        connection, peer = listener.accept()
        threading.Thread(target=_connection, args=(connection, peer, serve, tls), daemon=True).start()


def _connection(connection: socket.socket, peer: Peer, serve: Serve, tls: ssl.SSLContext | None) -> None:
    # Clients come and go as they like: what is theirs to break is no failure of ours.
    with contextlib.suppress(OSError), connection:
        if tls is None:
            serve(connection, peer, None)
            return
        connection.settimeout(_HANDSHAKE_S)
        with tls.wrap_socket(connection, server_side=True) as secured:
            secured.settimeout(None)
            serve(secured, peer, _told(secured))


def _told(connection: ssl.SSLSocket) -> Tls:
    certificate = connection.getpeercert(binary_form=True)
    cipher = connection.cipher()
    return Tls(
        version=connection.version() or "",
        server_name=cast("str", getattr(connection, "asked_name", "")),
        protocol=connection.selected_alpn_protocol() or "",
        cipher=go.cipher_name(cipher[0]) if cipher else "",
        certificates=(ssl.DER_cert_to_PEM_cert(certificate),) if certificate else (),
    )
