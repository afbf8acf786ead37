"""echo-basic as a TCP server, which answers the lines TEST, IS_TLS and PING, and as a UDP server."""

# A part of a program of its own: it prints.
# ruff: noqa: T201

import json
import os
import socket
import threading
from typing import Any

from . import listen
from .message import Tls

_WELCOME = b"Gateway API Test TCP Server\n"
_DATAGRAM_MAX_BYTES = 1024


def serve_tcp(place: dict[str, str]) -> None:
    """Listen on TCP_PORT, and with TLS on TLS_PORT when there is a certificate."""
    port, tls_port = os.environ.get("TCP_PORT") or "3000", os.environ.get("TLS_PORT") or "8443"
    context = place | {"tcpport": port, "tlsport": tls_port}

    def serve(connection: socket.socket, _: listen.Peer, tls: Tls | None) -> None:
        _lines(connection, context, tls)

    listen.start(int(port), serve)
    print(f"Starting server (tcp) protocol=tcp port={port}", flush=True)
    certificate, key = os.environ.get("TLS_SERVER_CERT"), os.environ.get("TLS_SERVER_PRIV_KEY")
    if certificate and key:
        listen.start(int(tls_port), serve, listen.context(certificate, key))
        print(f"Starting server (tcp) protocol=tls port={tls_port}", flush=True)


def _lines(connection: socket.socket, place: dict[str, str], tls: Tls | None) -> None:
    said: dict[str, Any] = {**place, "isTLS": tls is not None}
    if tls:
        version = tls.version.replace("TLSv", "TLS ")
        said["tls"] = {"version": version, "serverName": tls.server_name, "cipherSuite": tls.cipher}
    answers = {b"TEST": json.dumps(said).encode(), b"IS_TLS": json.dumps(tls is not None).encode(), b"PING": b"PONG"}
    connection.sendall(_WELCOME)
    with connection.makefile("rb") as reader:
        for line in reader:
            answer = answers.get(line.rstrip(b"\r\n"))
            if answer:
                connection.sendall(answer + b"\n")


def serve_udp(place: dict[str, str]) -> None:
    """Listen on UDP_PORT; every datagram comes back in JSON."""
    port = int(os.environ.get("UDP_PORT") or 8080)
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("", port))
    print(f"UDP server listening on :{port}", flush=True)
    threading.Thread(target=_datagrams, args=(listener, place), daemon=True).start()


def _datagrams(listener: socket.socket, place: dict[str, str]) -> None:
    while True:
        data, peer = listener.recvfrom(_DATAGRAM_MAX_BYTES)
        text = data.decode("utf-8", "replace")
        print(f"Received UDP {text} from {peer[0]}:{peer[1]}", flush=True)
        listener.sendto(json.dumps({"request": text, **place}).encode(), peer)
