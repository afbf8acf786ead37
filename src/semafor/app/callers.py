"""Who calls on a unix socket, by the kernel's word: which process, of which user, in which network.

A pod has a network of its own, so that a process's network says which pod it is of, whatever the process says.

    Envoy in a pod ─▶ xds.sock ─▶ Doorkeeper: whose is it? ─▶ within/xds.sock ─▶ gRPC's server, which cannot ask
"""

import asyncio
import contextlib
import logging
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, NamedTuple

log = logging.getLogger(__name__)

_CREDENTIALS: Final = struct.Struct("3i")  # process, user, group
_PIECE_BYTES: Final = 64 << 10
_MAX_OF_ONE: Final = 32  # connections of one network: Envoy has one, and a few more while it reconnects
_TRY_AGAIN_S: Final = 0.1
_PEER: Final = "unix-abstract:"  # how gRPC begins the name of a peer that is bound to an abstract address


class Caller(NamedTuple):
    """The process at the other end. `network` is the number of its network namespace; 0 when it cannot be told."""

    pid: int
    uid: int
    network: int


def caller(connection: socket.socket) -> Caller:
    """Who had this connection made."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return Caller(pid, uid, network(pid))


def network(pid: int | str = "self") -> int:
    """The number of a process's network namespace; 0 when the process has ended, or is none of ours to look at."""
    try:
        return Path(f"/proc/{pid}/ns/net").stat().st_ino
    except OSError:
        return 0


def listen(path: Path) -> socket.socket:
    """A unix socket that is its owner's alone; what was there before is replaced. Raises OSError."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen()
    return listener


class Doorkeeper:
    """Lets in whom `admits` knows, and remembers who is behind which of gRPC's peers."""

    def __init__(self, admits: Callable[[Caller], bool]) -> None:
        self._admits = admits
        self._behind: dict[str, Caller] = {}
        self._open: Counter[int] = Counter()  # connections by network

    def behind(self, peer: str) -> Caller | None:
        """Who calls through the connection that gRPC names `peer`; None when it came past this door."""
        return self._behind.get(peer)

    @contextlib.asynccontextmanager
    async def serve(self, path: Path, inner: Path) -> AsyncIterator[None]:
        """Listen on `path` for the server on `inner` while the context lasts. Raises OSError."""
        with listen(path) as listener:
            listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
            serving = asyncio.create_task(self._accept(listener, str(inner)))
            try:
                yield
            finally:
                serving.cancel()
                await asyncio.wait([serving])

    async def _accept(self, listener: socket.socket, inner: str) -> None:
        async with asyncio.TaskGroup() as relays:
            while True:
                try:
                    connection, _ = await asyncio.get_running_loop().sock_accept(listener)
                except OSError as error:  # no descriptor is left, for a moment
                    log.warning("a call cannot be taken: %s", error)
                    await asyncio.sleep(_TRY_AGAIN_S)
                    continue
                relays.create_task(self._answer(connection, inner))

    async def _answer(self, connection: socket.socket, inner: str) -> None:
        with connection, socket.socket(socket.AF_UNIX) as within:
            who = caller(connection)
            if not self._admits(who) or self._open[who.network] >= _MAX_OF_ONE:
                log.warning(
                    "a call of process %d (user %d) is refused: it is none of the mesh's proxies", who.pid, who.uid
                )
                return
            self._open[who.network] += 1
            try:
                with contextlib.suppress(OSError):  # either side went away
                    await self._relay(who, connection, within, inner)
            finally:
                self._open[who.network] -= 1

    async def _relay(self, who: Caller, connection: socket.socket, within: socket.socket, inner: str) -> None:
        within.bind(b"")  # the kernel chooses an abstract address that nobody else has
        name = _PEER + within.getsockname()[1:].decode()
        for each in (connection, within):
            each.setblocking(False)  # noqa: FBT003 - the standard library's signature
        self._behind[name] = who
        try:
            await asyncio.get_running_loop().sock_connect(within, inner)
            await _until_one_ends(connection, within)
        finally:
            del self._behind[name]


async def _until_one_ends(one: socket.socket, other: socket.socket) -> None:
    """Bytes each way. Both of gRPC's sides close a connection as a whole, so that the end of one way ends both."""
    ways = [asyncio.create_task(_pass_on(*way)) for way in ((one, other), (other, one))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pass_on(source: socket.socket, target: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while piece := await loop.sock_recv(source, _PIECE_BYTES):
        await loop.sock_sendall(target, piece)
