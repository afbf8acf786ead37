"""The user's terminal, joined to a container over Kubernetes' WebSocket channels (v5.channel.k8s.io).

byte 0 of each message: 0 stdin, 1 stdout, 2 stderr, 3 the end as a Status, 4 the terminal's size, 255 closes a channel
"""

import contextlib
import fcntl
import json
import os
import selectors
import signal
import socket
import ssl
import struct
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from urllib.parse import urlencode, urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, RejectConnection, Request

from semafor.app import kubeconfig
from semafor.app.cli.output import Failure

_PROTOCOL = "v5.channel.k8s.io"
_STDIN, _STDOUT, _STDERR, _STATUS, _SIZE, _CLOSE = 0, 1, 2, 3, 4, 255
_CHUNK = 64 * 1024


def attach(access: kubeconfig.Access, path: str, *, interactive: bool) -> int:
    """Join the container behind `path` (.../pods/NAME/attach) until it ends; return its exit code.

    With `interactive` the terminal is raw and follows the window's size; else bytes are passed as they come. An empty
    line is sent first: the container's command waits for it.
    """
    query = {"stdin": "true", "stdout": "true", "stderr": str(not interactive).lower(), "tty": str(interactive).lower()}
    with _connected(access) as stream:
        session = _Session(stream, echoes=interactive)
        session.open(f"{path}?{urlencode(query)}", urlsplit(access.server).netloc, access.token)
        with _raw() if interactive else contextlib.nullcontext(), _following_size(session, interactive=interactive):
            session.send(_STDIN, b"\n")
            return session.run()


class _Session:
    """One WebSocket: bytes of the container to our outputs, our input to the container."""

    def __init__(self, stream: ssl.SSLSocket, *, echoes: bool) -> None:
        self._stream = stream
        self._echo = b"\r\n" if echoes else b""  # of the empty line: a terminal repeats it, nobody wants to see it
        self._socket = WSConnection(ConnectionType.CLIENT)
        self._exit: int | None = None
        self._partial = b""

    def open(self, target: str, host: str, token: str) -> None:
        headers = [(b"Authorization", f"Bearer {token}".encode())]
        request = Request(host=host, target=target, subprotocols=[_PROTOCOL], extra_headers=headers)
        self._stream.sendall(self._socket.send(request))
        while True:
            for event in self._receive():
                if isinstance(event, AcceptConnection):
                    return
                if isinstance(event, RejectConnection):
                    raise Failure(f"the container cannot be joined: the API answered {event.status_code}")

    def send(self, channel: int, data: bytes) -> None:
        self._stream.sendall(self._socket.send(BytesMessage(data=bytes([channel]) + data)))

    def run(self) -> int:
        """Carry bytes both ways until the container ends."""
        with selectors.DefaultSelector() as ready:
            ready.register(self._stream, selectors.EVENT_READ)
            with contextlib.suppress(PermissionError):  # standard input is a regular file, which is always ready
                ready.register(sys.stdin, selectors.EVENT_READ)
            while self._exit is None:
                for key, _ in ready.select():
                    if key.fileobj is self._stream:
                        self._take()
                    elif not self._give():
                        ready.unregister(sys.stdin)
        return self._exit

    def _give(self) -> bool:
        data = os.read(sys.stdin.fileno(), _CHUNK)
        if data:
            self.send(_STDIN, data)
            return True
        self.send(_CLOSE, bytes([_STDIN]))
        return False

    def _take(self) -> None:
        while True:
            for event in self._receive():
                if isinstance(event, BytesMessage):
                    self._message(event)
                elif isinstance(event, Ping):
                    self._stream.sendall(self._socket.send(event.response()))
                elif isinstance(event, CloseConnection):
                    self._exit = 0 if self._exit is None else self._exit
            if not self._stream.pending():
                return

    def _message(self, event: BytesMessage) -> None:
        self._partial += bytes(event.data)
        if not event.message_finished:
            return
        message, self._partial = self._partial, b""
        channel, data = message[0], message[1:]
        if channel == _STATUS:
            self._exit = _exit_code(data)
        elif channel in (_STDOUT, _STDERR) and data:
            out = sys.stdout if channel == _STDOUT else sys.stderr
            out.buffer.write(self._without_echo(data))
            out.buffer.flush()

    def _without_echo(self, data: bytes) -> bytes:
        while self._echo and data.startswith(self._echo[:1]):
            self._echo, data = self._echo[1:], data[1:]
        self._echo = b"" if data else self._echo
        return data

    def _receive(self) -> Iterator[object]:
        data = self._stream.recv(_CHUNK)
        if not data:
            self._exit = 1 if self._exit is None else self._exit
            return
        self._socket.receive_data(data)
        yield from self._socket.events()


def _exit_code(status: bytes) -> int:
    """The exit code in a Status; 0 for success, 1 for a failure that names none."""
    document = json.loads(status)
    if document.get("status") == "Success":
        return 0
    causes = document.get("details", {}).get("causes", [])
    return next((int(cause["message"]) for cause in causes if cause.get("reason") == "ExitCode"), 1)


@contextlib.contextmanager
def _connected(access: kubeconfig.Access) -> Iterator[ssl.SSLSocket]:
    address = urlsplit(access.server)
    assert address.hostname is not None
    context = ssl.create_default_context(cadata=access.ca_pem)
    plain = socket.create_connection((address.hostname, address.port or 443))
    with plain, context.wrap_socket(plain, server_hostname=address.hostname) as stream:
        yield stream


@contextlib.contextmanager
def _raw() -> Iterator[None]:
    """Keys go to the container as they are typed; the terminal is itself again afterwards."""
    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _following_size(session: _Session, *, interactive: bool) -> Iterator[None]:
    if not interactive:
        yield
        return
    tell: Callable[..., None] = lambda *_: session.send(_SIZE, json.dumps(_size()).encode())  # noqa: E731
    before = signal.signal(signal.SIGWINCH, tell)
    tell()
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def _size() -> dict[str, int]:
    rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(sys.stdout, termios.TIOCGWINSZ, b"\0" * 8))
    return {"Width": columns, "Height": rows}
