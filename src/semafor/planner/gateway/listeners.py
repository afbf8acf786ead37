"""Listeners of a gateway: one for each entrance, with a filter chain for each server that needs one of its own.

:8080 ─ HTTP servers ──────────── one chain ──── route table http.8080
:8443 ─ HTTPS, name a.com ─────── end TLS ────── route table https.443...
      ├ TLS, passed through ───── by name ────── bytes to a cluster
      └ TLS, certificate missing ─────────────── closed
:9000 ─ TCP ──────────────────── one chain ──── bytes to a cluster
:5300 ─ UDP ──────────────────── no chain ───── datagrams to a cluster
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from semafor.ir import (
    ChainMatch,
    Destination,
    DownstreamTls,
    Edge,
    FilterChain,
    HttpConnection,
    Inspector,
    Listener,
    TcpProxy,
)
from semafor.planner import authorization
from semafor.planner.calling import door, passthrough
from semafor.planner.calling import view as views
from semafor.planner.calling.view import View
from semafor.planner.gateway import auto, credentials, entrances, tables, udp
from semafor.planner.gateway.attached import Attached
from semafor.planner.gateway.entrances import Entrance
from semafor.planner.gateway.server import Server, ServerTls
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Proxy
from semafor.planner.routes import tcp_routes
from semafor.planner.routes.step import L4Step

Said = Mapping[Server, tuple[Attached, ...]]


class _Ground(NamedTuple):
    """What every chain is made of, beside its server."""

    mesh: Mesh
    view: View
    said: Said
    edge: Edge


SERVER_NAME = "istio-envoy"  # what Istio's gateways put into the header `server`
_HTTP_ALPN = ("h2", "http/1.1")
_HELLO_S = 10.0  # for the first bytes of TLS: whoever takes longer only wants to hold a connection


def plan(mesh: Mesh, proxy: Proxy, found: tuple[Entrance, ...], said: Said) -> tuple[Listener, ...]:
    """The listeners of all entrances. One where nothing could be answered is left out: its port refuses."""
    edge = replace(proxy.edge or mesh.options.edge, underscores=mesh.options.underscores)
    ground = _Ground(mesh, views.of(mesh, proxy.workloads[0]), said, edge)
    checks = authorization.of(mesh, proxy)
    made: list[Listener] = []
    for entrance in found:
        if entrance.transport == "UDP":
            datagrams = udp.listener(entrance, said[entrance.servers[0]])
            made += [datagrams] if datagrams else []
            continue
        chains = door.distinct(authorization.checked(chain, checks) for chain in _chains(ground, entrance))
        if chains:
            made.append(_listener(entrance, chains))
    return tuple(made)


def _listener(entrance: Entrance, chains: tuple[FilterChain, ...]) -> Listener:
    by_hello = any(chain.match.transport == "tls" for chain in chains)
    return Listener(
        name=entrance.name,
        address=entrance.address,
        port=entrance.port,
        inspectors=(Inspector(kind="tls"),) if by_hello else (),
        inspection_timeout_s=_HELLO_S if by_hello else 0.0,
        chains=chains,
        origin=entrance.servers[0].origin,
    )


def _chains(ground: _Ground, entrance: Entrance) -> Iterator[FilterChain]:
    for server in entrance.servers:
        if server.speaks == "http":
            filter_ = _http(entrance, server, ground.edge)
            yield FilterChain(name=tables.name(entrance, server), filter=filter_, origin=server.origin)
        elif server.tls is None:
            yield from _bytes(ground, server)
        elif auto.is_auto(server):
            yield from auto.chains(ground.mesh, ground.view, server)
        elif not server.tls.ends_here:
            yield from _passed_through(ground, server)
        else:
            yield from _ended(ground, entrance, server, server.tls)


def _http(entrance: Entrance, server: Server, edge: Edge) -> HttpConnection:
    return HttpConnection(
        stat_prefix=server.name or f"outbound_{entrance.name}",
        direction="outbound",
        rds=tables.name(entrance, server),
        server_name=SERVER_NAME,
        edge=edge,
        http_10=False,
    )


def _ended(ground: _Ground, entrance: Entrance, server: Server, said: ServerTls) -> Iterator[FilterChain]:
    """The chain of a server that ends TLS. Without its certificate it closes: another server must not stand in."""
    secrets = credentials.of(ground.mesh, server, ground.view.namespace)
    match = ChainMatch(transport="tls", server_names=entrances.server_names(server))
    if not secrets.certificates:
        yield FilterChain(name=f"{server.port_name}-closed", match=match, filter=_closed(), origin=server.origin)
        return
    tls = _tls(said, secrets, ground.mesh.options.trust_domains, requests=server.carries_requests)
    if server.carries_requests:
        name, requests = tables.name(entrance, server), _http(entrance, server, ground.edge)
        yield FilterChain(name=name, match=match, filter=requests, tls=tls, origin=server.origin)
        return
    for step in _steps(ground, server):
        match = ChainMatch(transport="tls", server_names=step.server_names or entrances.server_names(server))
        filter_ = _proxy(ground, server, step)
        yield FilterChain(name=server.port_name, match=match, filter=filter_, tls=tls, origin=step.origin)


def _tls(
    tls: ServerTls, secrets: credentials.Found, trust_domains: tuple[str, ...], *, requests: bool
) -> DownstreamTls:
    own = tls.mode == "istio_mutual"
    return DownstreamTls(
        certificates=secrets.certificates,
        validation=secrets.validation,
        require_client_certificate=tls.mode in {"mutual", "istio_mutual"},
        trust_domains=trust_domains if own and not tls.sans else (),
        sans=tls.sans,
        public_keys=tls.public_keys,
        hashes=tls.hashes,
        alpn=_HTTP_ALPN if requests else (),
        min_version=tls.min_version or "1.2",
        max_version=tls.max_version or "1.3",
        ciphers=tls.ciphers,
        untrusted=tls.untrusted,
    )


def _steps(ground: _Ground, server: Server) -> tuple[L4Step, ...]:
    return tuple(step for attached in ground.said[server] for step in attached.l4)


def _bytes(ground: _Ground, server: Server) -> Iterator[FilterChain]:
    """Plain TCP: the first step takes it all."""
    for step in _steps(ground, server)[:1]:
        yield FilterChain(name=server.port_name, filter=_proxy(ground, server, step), origin=step.origin)


def _passed_through(ground: _Ground, server: Server) -> Iterator[FilterChain]:
    """TLS as it is, to where the name in the client's hello leads."""
    for step in _steps(ground, server):
        match = ChainMatch(transport="tls", server_names=step.server_names or entrances.server_names(server))
        filter_ = _proxy(ground, server, step)
        yield FilterChain(name=server.port_name, match=match, filter=filter_, origin=step.origin)


def _proxy(ground: _Ground, server: Server, step: L4Step) -> TcpProxy:
    if not tcp_routes.destinations(ground.mesh, ground.view, step, server.port):
        return _closed()
    return tcp_routes.proxy(ground.mesh, ground.view, step, server.port)


def _closed() -> TcpProxy:
    """Nobody answers: the connection is closed at once."""
    hole = passthrough.BLACK_HOLE
    return TcpProxy(stat_prefix=hole, destinations=(Destination(cluster=hole),))
