"""Where the API is reached: on a port of loopback that stays the same, and from pods."""

import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from semafor.app import kubeconfig
from semafor.app.refused import Refused
from semafor.kube.api import serve, streams

ADDRESS = "127.0.0.1"
_PORTS = (6443, 0)  # Kubernetes' own port for the first mesh of a machine, any other for the next ones


@dataclass(frozen=True, kw_only=True)
class Door:
    """A certificate and its key, who signs clients' certificates, the socket that pods reach, and the port of the last
    start (0: none).
    """

    certificate: tuple[Path, Path]
    inside: socket.socket
    client_roots: str = ""
    known: int = 0

    @contextlib.asynccontextmanager
    async def serve(self, app: ASGIApp, asked: int) -> AsyncIterator[int]:
        """Serve on the `asked` port; on the last one, or a free one, when nobody asked. Raises Refused."""
        async with contextlib.AsyncExitStack() as stack:
            for candidate in dict.fromkeys((asked or self.known or _PORTS[0], *_PORTS)):
                try:
                    port = await stack.enter_async_context(self._served(app, candidate))
                except OSError as error:
                    if asked:
                        reason = f"port {asked} cannot be used: {error.strerror}"
                        raise Refused(reason, "choose another with --port") from error
                    continue
                yield port
                return

    def _served(self, app: ASGIApp, port: int) -> contextlib.AbstractAsyncContextManager[int]:
        return serve.serve(
            app,
            ADDRESS,
            port,
            tls=serve.Tls(*self.certificate, self.client_roots),
            http_protocol=streams.Protocol,
            also=(self.inside,),
        )


def known_port(config: Path) -> int:
    """The port of the last start, so that a kubeconfig stays right; 0 when there was none."""
    try:
        server = kubeconfig.access(kubeconfig.read(config)).server
    except (OSError, ValueError, LookupError):
        return 0
    return int(server.rpartition(":")[2])
