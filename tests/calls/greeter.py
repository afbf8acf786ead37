"""A server of many unix sockets that says on each connection what the socket is called, and listens politely."""

import selectors
import socket
import threading
from pathlib import Path

_POLL_S = 0.1


class Greeter:
    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def add(self, path: Path, name: str) -> None:
        """Before `start`: a socket at `path` that says `name`."""
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        server.listen()
        self._selector.register(server, selectors.EVENT_READ, name.encode())

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            self._close(key.fileobj)
        self._selector.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(_POLL_S):
                if key.data is None:
                    self._listen(key.fileobj)
                else:
                    self._greet(key.fileobj, key.data)

    def _greet(self, server: socket.socket, name: bytes) -> None:
        connection, _ = server.accept()
        try:
            connection.sendall(name)
        except OSError:  # already gone
            connection.close()
        else:
            self._selector.register(connection, selectors.EVENT_READ, None)

    def _listen(self, connection: socket.socket) -> None:
        try:
            open_ = bool(connection.recv(4096))
        except OSError:
            open_ = False
        if not open_:
            self._close(connection)

    def _close(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        connection.close()
