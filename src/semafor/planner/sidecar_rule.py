"""Sidecars as values: what the pods that one is for can call, and what their proxies listen to."""

from collections.abc import Iterator
from typing import Literal

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Endpoint, Origin
from semafor.planner import hosts, reserved
from semafor.planner.checks import problems, refused, sidecar_problems
from semafor.planner.checks.problems import at
from semafor.planner.hosts import Age
from semafor.planner.proxy import Labels
from semafor.planner.services import protocol
from semafor.planner.services.protocol import Protocol
from semafor.planner.traffic import pool
from semafor.planner.traffic.pool import Pool
from semafor.resources.istio import connection_pool
from semafor.resources.istio import sidecar as istio
from semafor.resources.meta.meta import ObjectMeta

_UNIX = "unix://"
_ANY_ADDRESS = "0.0.0.0"  # noqa: S104 -- as users write it
_TCP_POOL = ("max_connections", "connect_timeout", "tcp_keepalive", "max_connection_duration", "idle_timeout")
_HTTP_POOL = (
    "http1_max_pending_requests",
    "http2_max_requests",
    "max_requests_per_connection",
    "max_retries",
    "idle_timeout",
)
_LOOPBACK = ("127.0.0.1", "[::1]")


class Egress(Value):
    """What can be called, by namespace and host, at one port or (0) at all that have no listener of their own.

    The namespace `~` is nobody's.

    `bind` is where the proxy takes it; `captured` tells whether by interception, or by a socket of its own.
    """

    hosts: tuple[tuple[str, str], ...]
    port: int
    protocol: Protocol
    bind: str
    captured: bool
    origin: Origin

    def takes(self, namespace: str, host: str) -> bool:
        """Whether the host, perhaps a pattern, of an object of the namespace is among them."""
        return any(owner in ("*", namespace) and hosts.covers(pattern, host) for owner, pattern in self.hosts)

    def touches(self, namespace: str, host: str) -> bool:
        """The same, or whether the host is a pattern for one of them."""
        return any(
            owner in ("*", namespace) and (hosts.covers(pattern, host) or hosts.covers(host, pattern))
            for owner, pattern in self.hosts
        )


class Ingress(Value):
    """A port of the pod. `app` is where the application listens; None where the caller meant it to be.

    `app_port`: another port of the same address.
    """

    port: int
    protocol: Protocol
    bind: str
    captured: bool
    app: Endpoint | None
    app_port: int
    pool: Pool | None
    origin: Origin


class Sidecar(Value, cache_hash=True):
    """One object. `selector` of None takes every pod of the namespace; `outbound` of "" is the mesh's own policy."""

    selector: Labels | None
    egress: tuple[Egress, ...]
    ingress: tuple[Ingress, ...]
    outbound: Literal["", "ALLOW_ANY", "REGISTRY_ONLY"]
    pool: Pool | None
    age: Age
    origin: Origin
    problems: tuple[Problem, ...] = ()


def read(document: istio.Sidecar) -> Sidecar:
    """The object as a value, without a look at others."""
    meta, spec = document.metadata, document.spec
    ref = ObjectRef(kind="Sidecar", namespace=meta.namespace, name=meta.name, group="networking.istio.io")
    origin = Origin(ref=ref, path="spec")
    chosen, policy = spec.workload_selector, spec.outbound_traffic_policy
    return Sidecar(
        selector=tuple(sorted(chosen.labels.items())) if chosen and chosen.labels else None,
        egress=tuple(
            _egress(each, meta, at(origin, f"egress[{index}]"))
            for index, each in enumerate(spec.egress)
            if not _is_reserved(each.port)
        ),
        ingress=tuple(
            _ingress(each, at(origin, f"ingress[{index}]"))
            for index, each in enumerate(spec.ingress)
            if not _is_reserved(each.port)
        ),
        outbound=policy.mode if policy else "",
        pool=_pool(spec.inbound_connection_pool),
        age=hosts.age(meta),
        origin=origin,
        problems=tuple(_problems(spec, origin)),
    )


def _egress(listener: istio.IstioEgressListener, meta: ObjectMeta, origin: Origin) -> Egress:
    pairs = (written.partition("/")[::2] for written in listener.hosts)
    return Egress(
        hosts=tuple((meta.namespace if owner == "." else owner, host) for owner, host in pairs),
        port=listener.port.number if listener.port else 0,
        protocol=_protocol(listener.port),
        bind="" if listener.bind == _ANY_ADDRESS else listener.bind,
        captured=listener.capture_mode != "NONE",
        origin=origin,
    )


def _ingress(listener: istio.IstioIngressListener, origin: Origin) -> Ingress:
    address, _, number = listener.default_endpoint.rpartition(":")
    is_pipe, same_address = listener.default_endpoint.startswith(_UNIX), address in (_ANY_ADDRESS, "[::]")
    app = None
    if is_pipe:
        app = Endpoint(pipe=listener.default_endpoint.removeprefix(_UNIX))
    elif address in _LOOPBACK:
        app = Endpoint(address=address.strip("[]"), port=int(number))
    return Ingress(
        port=listener.port.number,
        protocol=_protocol(listener.port),
        bind="" if listener.bind == _ANY_ADDRESS else listener.bind,
        captured=listener.capture_mode != "NONE",
        app=app,
        app_port=int(number) if same_address else 0,
        pool=_pool(listener.connection_pool),
        origin=origin,
    )


def _is_reserved(port: istio.SidecarPort | None) -> bool:
    return port is not None and port.number in reserved.PORTS


def _protocol(port: istio.SidecarPort | None) -> Protocol:
    return protocol.declared(port.number, "", "TCP", port.protocol or None) if port else Protocol.SNIFFED


def _pool(settings: connection_pool.ConnectionPoolSettings | None) -> Pool | None:
    return pool.read(settings) if settings else None


def _problems(spec: istio.SidecarSpec, origin: Origin) -> Iterator[Problem]:
    fields = ("workload_selector", "ingress", "egress", "inbound_connection_pool", "outbound_traffic_policy")
    yield from refused.fields(spec, origin, *fields)
    yield from _pool_problems(spec.inbound_connection_pool, at(origin, "inboundConnectionPool"))
    if spec.outbound_traffic_policy:
        yield from refused.fields(spec.outbound_traffic_policy, at(origin, "outboundTrafficPolicy"), "mode")
    for index, listener in enumerate(spec.ingress):
        place = at(origin, f"ingress[{index}]")
        fields = ("port", "bind", "capture_mode", "default_endpoint", "connection_pool")
        yield from refused.fields(listener, place, *fields)
        yield from _port_problems(listener.port, place)
        yield from _pool_problems(listener.connection_pool, at(place, "connectionPool"))
        if listener.capture_mode == "NONE" and not listener.default_endpoint:
            yield sidecar_problems.no_endpoint(at(place, "defaultEndpoint"))
    for index, each in enumerate(spec.egress):
        place = at(origin, f"egress[{index}]")
        yield from refused.fields(each, place, "hosts", "port", "bind", "capture_mode")
        if each.port:
            yield from _port_problems(each.port, place)
        if each.bind.startswith(_UNIX):
            yield problems.value_not_supported(at(place, "bind"), each.bind, "IP addresses")
        elif not each.port and (each.bind or each.capture_mode == "NONE"):
            yield sidecar_problems.no_port(at(place, "port"))


def _pool_problems(settings: connection_pool.ConnectionPoolSettings | None, place: Origin) -> Iterator[Problem]:
    """What the application is spoken to follows from the port's protocol, so nothing here can choose it."""
    if settings is None:
        return
    yield from refused.fields(settings, place, "tcp", "http")
    if settings.tcp:
        yield from refused.fields(settings.tcp, at(place, "tcp"), *_TCP_POOL)
    if settings.http:
        yield from refused.fields(settings.http, at(place, "http"), *_HTTP_POOL)


def _port_problems(port: istio.SidecarPort, place: Origin) -> Iterator[Problem]:
    yield from refused.fields(port, at(place, "port"), "number", "protocol", "name")
    if _is_reserved(port):
        yield problems.reserved_port(at(place, "port.number"), port.number)
    if port.protocol.upper() in ("HTTP_PROXY", "UDP"):
        path = at(place, "port.protocol")
        yield problems.value_not_supported(path, port.protocol, "HTTP, HTTP2, GRPC, HTTPS, TLS and TCP")


def choose(sidecars: tuple[Sidecar, ...], namespace: str, root: str, labels: Labels) -> Sidecar | None:
    """The one that is for a pod: one that selects it, else its namespace's, else the root namespace's; the oldest.

    Source: Istio's reference of Sidecar.
    """
    own = [each for each in sidecars if each.origin.ref.namespace == namespace]
    selecting = [each for each in own if each.selector is not None and set(each.selector) <= set(labels)]
    common = [each for each in own if each.selector is None]
    everywhere = [each for each in sidecars if each.origin.ref.namespace == root and each.selector is None]
    fitting = selecting or common or everywhere
    return min(fitting, key=lambda each: each.age, default=None)
