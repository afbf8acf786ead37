"""The gRPC shell: one aggregated delta stream per Envoy, raw bytes in and out. `doors` says where they come in.

    push(proxy, resources, generation) ─▶ Proxy ─▶ every Session of that proxy ─▶ its stream

There is no queue to overflow: a stream that is slow only finds newer resources when it gets round to writing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import grpc
import grpc.aio

from semafor.base.xds import Resources
from semafor.xds import session, wire
from semafor.xds.doors import Door, NotYet

METHOD: Final = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
MAX_STREAMS_PER_PROXY: Final = 8  # Envoy opens one; a few more while it reconnects
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", 64 << 20),  # a reconnect names every version that the proxy has
    ("grpc.max_send_message_length", -1),  # a full mesh of 1,000 services takes 3 MB
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.so_reuseport", 0),  # a second daemon on our socket is a mistake, not a load balancer
)


class Observer(Protocol):
    """Hears what happens to proxies. Called in the event loop, so it returns at once."""

    def connected(self, proxy: str, node_id: str) -> None:
        """The first stream of this proxy has sent its first message."""

    def disconnected(self, proxy: str) -> None:
        """The last stream of this proxy has ended."""

    def acked(self, proxy: str, type_url: str, generation: int) -> None: ...

    def refused(self, proxy: str, event: session.Refused) -> None: ...

    def settled(self, proxy: str, event: session.Settled) -> None:
        """The proxy has everything of this generation."""


class Server:
    """Serve ADS at the door, which knows whom to let in."""

    def __init__(self, door: Door, *, observer: Observer) -> None:
        self._door = door
        self._observer = observer
        self._proxies: dict[str, _Proxy] = {}
        self._grpc: Any = None

    async def start(self) -> None:
        """Raises OSError when nothing can listen there."""
        self._grpc = grpc.aio.server(options=_OPTIONS)
        self._grpc.add_generic_rpc_handlers((_Handler(self._serve),))
        self._door.open(self._grpc)
        await self._grpc.start()

    async def stop(self, grace_s: float = 1.0) -> None:
        """End the streams, so that Envoys keep what they have and reconnect to the next server."""
        for proxy in self._proxies.values():
            for stream in proxy.streams:
                stream.end()
        if self._grpc is not None:
            await self._grpc.stop(grace_s)
        self._door.close()

    def push(self, proxy: str, resources: Resources, generation: int) -> None:
        """Let `proxy` have exactly `resources`, now or when it connects."""
        known = self._proxies.setdefault(proxy, _Proxy())
        known.resources, known.generation = resources, generation
        for stream in known.streams:
            stream.wake()

    def forget(self, proxy: str) -> None:
        """Drop a proxy that will not come back; its streams, if any, end."""
        known = self._proxies.pop(proxy, None)
        for stream in known.streams if known else ():
            stream.end()

    def settled(self, proxy: str) -> int:
        """The newest generation that this proxy has in full; 0 when it is not connected."""
        known = self._proxies.get(proxy)
        return max((stream.session.settled for stream in known.streams), default=0) if known else 0

    def refuses(self, proxy: str, type_url: str) -> bool:
        """Whether the proxy goes on with an older version of a resource of this type than it was sent."""
        known = self._proxies.get(proxy)
        return any(stream.session.refuses(type_url) for stream in known.streams) if known else False

    def states(self, proxy: str) -> dict[str, str]:
        """How each type of resources stands that the proxy asks for; nothing when it is not connected."""
        known = self._proxies.get(proxy)
        return {} if known is None or not known.streams else known.streams[-1].session.states()

    @property
    def connected(self) -> tuple[str, ...]:
        return tuple(name for name, proxy in self._proxies.items() if proxy.streams)

    async def _serve(self, call: Any) -> None:
        name = await self._admit(call)
        proxy = self._proxies.setdefault(name, _Proxy())
        if len(proxy.streams) >= MAX_STREAMS_PER_PROXY:
            await call.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{name} has {MAX_STREAMS_PER_PROXY} streams already")
        stream = _Stream(name, proxy, self._observer)
        proxy.streams.append(stream)
        try:
            await stream.run(call)
        except* grpc.aio.InternalError:
            pass  # it went away while we wrote
        except* wire.ProtocolError as group:
            await call.abort(grpc.StatusCode.INVALID_ARGUMENT, str(group.exceptions[0]))
        finally:
            proxy.streams.remove(stream)
            if not proxy.streams and stream.announced:
                self._observer.disconnected(name)

    async def _admit(self, call: Any) -> str:
        try:
            name = await self._door.admit(call)
        except NotYet as later:
            await call.abort(grpc.StatusCode.UNAVAILABLE, str(later))
        if name is None:
            await call.abort(grpc.StatusCode.UNAUTHENTICATED, self._door.REFUSAL)
        assert name is not None
        return name


class _Proxy:
    """What a proxy should have, and its open streams."""

    def __init__(self) -> None:
        self.resources = Resources({})
        self.generation = 0
        self.streams: list[_Stream] = []


class _Stream:
    def __init__(self, name: str, proxy: _Proxy, observer: Observer) -> None:
        self.session = session.Session()
        self.announced = False
        self._name = name
        self._proxy = proxy
        self._observer = observer
        self._awake = asyncio.Event()
        self._over = False

    def wake(self) -> None:
        self._awake.set()

    def end(self) -> None:
        self._over = True
        self._awake.set()

    async def run(self, call: Any) -> None:
        """Read and write until either ends, which ends the other."""
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(self._read(call))
            writer = group.create_task(self._write(call))
            reader.add_done_callback(lambda _: self.end())
            writer.add_done_callback(lambda _: reader.cancel())

    async def _read(self, call: Any) -> None:
        while (raw := await call.read()) is not grpc.aio.EOF:
            self.session.receive(wire.parse(raw))
            if not self.announced:
                self.announced = True
                self._observer.connected(self._name, self.session.node_id)
            self.wake()

    async def _write(self, call: Any) -> None:
        while True:
            await self._awake.wait()
            self._awake.clear()
            if self._over:
                return
            if self._proxy.generation:
                self.session.offer(self._proxy.resources, self._proxy.generation)
            step = self.session.poll()
            for event in step.events:
                self._tell(event)
            for response in step.responses:
                await call.write(response)

    def _tell(self, event: session.Event) -> None:
        match event:
            case session.Acked():
                self._observer.acked(self._name, event.type_url, event.generation)
            case session.Refused():
                self._observer.refused(self._name, event)
            case session.Settled():
                self._observer.settled(self._name, event)


class _Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
    """One method, no stubs, no serializers: bytes as they come."""

    def __init__(self, serve: Callable[[Any], Awaitable[None]]) -> None:
        async def delta(_requests: Any, call: Any) -> None:
            await serve(call)

        self._delta = grpc.stream_stream_rpc_method_handler(delta)

    def service(self, details: Any) -> Any:
        return self._delta if details.method == METHOD else None
