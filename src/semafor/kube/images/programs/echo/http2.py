"""HTTP/2 on one connection: as a server whose requests run side by side, and as a client with one call at a time."""

import contextlib
import threading
from collections.abc import Iterable
from socket import socket
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from .message import Answer, Handler, Headers, Request, Tls

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def _text(headers: Iterable[Any]) -> Headers:
    return [(str(name), str(value)) for name, value in headers]


class _Peer:
    """A connection's bookkeeping: what waits for the other side's window goes out when that opens."""

    def __init__(self, connection: socket, *, client: bool) -> None:
        self.socket = connection
        self.lock = threading.Lock()
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=client, header_encoding="utf-8"))
        self._waiting: dict[int, tuple[bytes, Headers | None]] = {}
        self.h2.initiate_connection()
        self.send()

    def send(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def write(self, stream: int, body: bytes, trailers: Headers | None) -> None:
        """Send a body and end the stream."""
        self._waiting[stream] = (body, trailers)
        self.flush()

    def flush(self) -> None:
        for stream, (body, trailers) in list(self._waiting.items()):
            self._waiting[stream] = (self._some(stream, body, last=trailers is None), trailers)
            if self._waiting[stream][0]:
                continue
            del self._waiting[stream]
            if trailers is not None:
                self.h2.send_headers(stream, trailers, end_stream=True)
        self.send()

    def _some(self, stream: int, body: bytes, *, last: bool) -> bytes:
        """Send what the window lets through; return the rest."""
        while body:
            size = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(body))
            if size <= 0:
                return body
            self.h2.send_data(stream, body[:size], end_stream=last and size == len(body))
            body = body[size:]
            if not body:
                return b""
        if last:
            self.h2.end_stream(stream)
        return b""

    def forget(self, stream: int) -> None:
        self._waiting.pop(stream, None)


class _Server:
    def __init__(self, connection: socket, about: tuple[tuple[str, int], Tls | None], handler: Handler) -> None:
        self._peer = _Peer(connection, client=False)
        self._about = about
        self._handler = handler
        self._open: dict[int, tuple[Headers, bytearray]] = {}

    def run(self) -> None:
        while data := self._peer.socket.recv(65536):
            with self._peer.lock:
                for event in self._peer.h2.receive_data(data):
                    self._event(event)
                self._peer.flush()

    def _event(self, event: Any) -> None:
        match event:
            case h2.events.RequestReceived():
                self._open[event.stream_id] = (_text(event.headers), bytearray())
            case h2.events.DataReceived():
                self._peer.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                self._open[event.stream_id][1].extend(event.data)
            case h2.events.StreamReset():
                self._open.pop(event.stream_id, None)
                self._peer.forget(event.stream_id)
            case h2.events.StreamEnded():
                headers, body = self._open.pop(event.stream_id)
                request = self._request(headers, bytes(body))
                threading.Thread(target=self._answer, args=(event.stream_id, request), daemon=True).start()

    def _request(self, headers: Headers, body: bytes) -> Request:
        pseudo = {name: value for name, value in headers if name.startswith(":")}
        return Request(
            method=pseudo[":method"],
            target=pseudo.get(":path", ""),
            host=pseudo.get(":authority", ""),
            protocol="HTTP/2.0",
            headers=[(name, value) for name, value in headers if not name.startswith(":")],
            peer=self._about[0],
            body=body,
            tls=self._about[1],
        )

    def _answer(self, stream: int, request: Request) -> None:
        answer = self._handler(request)
        # The peer may have gone, or may not want this answer any more.
        with self._peer.lock, contextlib.suppress(OSError, h2.exceptions.ProtocolError):
            if answer.reset:
                self._peer.h2.reset_stream(stream)
                self._peer.send()
                return
            names = [(name.lower(), value.strip()) for name, value in answer.headers]
            length = [] if answer.trailers is not None else [("content-length", str(len(answer.body)))]
            self._peer.h2.send_headers(stream, [(":status", str(answer.code)), *names, *length])
            self._peer.write(stream, b"" if request.method == "HEAD" else answer.body, answer.trailers)


def serve(connection: socket, peer: tuple[str, int], handler: Handler, tls: Tls | None) -> None:
    """Answer requests until the connection ends."""
    with contextlib.suppress(OSError, h2.exceptions.ProtocolError):
        _Server(connection, (peer, tls), handler).run()


class Client:
    """The calling side of a connection."""

    def __init__(self, connection: socket) -> None:
        self._peer = _Peer(connection, client=True)

    def call(self, headers: Headers, body: bytes) -> Answer:
        """Send a request and wait for the whole answer. Raises OSError when the connection or the stream ends."""
        stream = self._peer.h2.get_next_available_stream_id()
        self._peer.h2.send_headers(stream, headers, end_stream=not body)
        if body:
            self._peer.write(stream, body, None)
        self._peer.send()
        answer = Answer(code=0)
        while data := self._peer.socket.recv(65536):
            done = [self._event(event, answer) for event in self._peer.h2.receive_data(data)]
            self._peer.flush()
            if any(done):
                return answer
        raise ConnectionResetError("the connection ended before the answer")

    def _event(self, event: Any, answer: Answer) -> bool:
        match event:
            case h2.events.ResponseReceived():
                headers = _text(event.headers)
                answer.code = int(dict(headers)[":status"])
                answer.headers = [(name, value) for name, value in headers if name != ":status"]
            case h2.events.DataReceived():
                self._peer.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                answer.body += event.data
            case h2.events.TrailersReceived():
                answer.trailers = _text(event.headers)
            case h2.events.StreamReset():
                raise ConnectionResetError(f"the stream was reset: {event.error_code}")
            case h2.events.ConnectionTerminated():
                raise ConnectionResetError(f"the connection was ended: {event.error_code}")
        return isinstance(event, h2.events.StreamEnded)
