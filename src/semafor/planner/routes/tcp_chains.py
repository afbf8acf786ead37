"""What VirtualServices say of the bytes of a host, as filter chains beside the one that leads to the host itself."""

from collections.abc import Iterator

from semafor.ir import ChainMatch, FilterChain
from semafor.planner import hosts
from semafor.planner.calling import door, outbound_http, scope
from semafor.planner.calling.door import Door
from semafor.planner.calling.view import View
from semafor.planner.gateway_api import producers
from semafor.planner.mesh import Mesh
from semafor.planner.routes import tcp_routes
from semafor.planner.routes.tcp_routes import Way
from semafor.planner.routes.virtual_service import VirtualService
from semafor.planner.services.protocol import Protocol
from semafor.planner.services.service import Port, Service

_ANY = ChainMatch()
_TLS_PORT = 443  # where a server name is looked for when a tls route of a host without a service names no port


def of(mesh: Mesh, view: View, service: Service, port: Port, own: FilterChain) -> tuple[FilterChain, ...]:
    """The chains of the service's port: those of its routes, then `own`, which leads to the service itself.

    Only connections that `own` would take are taken from it, unless a route says where else they go. It is left out
    where nothing is left for it. Routes of the Gateway API stand in place of all of them.
    """
    attached = producers.of_bytes(mesh, view, service, port)
    if attached:
        return tuple(_chain(way, own.match) for way in tcp_routes.ways(mesh, view, attached, port.number))
    kind: tcp_routes.Kind = "tls" if port.protocol is Protocol.TLS else "tcp"
    found = tcp_routes.of(mesh, view, scope.routing(mesh, view, service.host), port.number, kind)
    chains = tuple(_chain(way, own.match) for way in found)
    strict = kind == "tls" and mesh.options.several_virtual_services == "oldest"
    if found and (strict or any(_takes_all_of(way, own.match) for way in found)):
        return chains
    return (*chains, own)


def strays(mesh: Mesh, view: View) -> Iterator[Door]:
    """Doors for hosts that no service has. There the routes themselves must tell what is meant: names or networks."""
    for host, services in outbound_http.strays(mesh, view):
        names = ChainMatch(server_names=(host,), transport="tls")
        for port in _ports(services, "tls"):
            found = tcp_routes.of(mesh, view, services, port, "tls")
            yield Door(port=port, chains=tuple(_chain(way, names) for way in found))
        for port in _ports(services, "tcp"):
            found = tcp_routes.of(mesh, view, services, port, "tcp")
            yield Door(port=port, chains=tuple(_chain(way, _ANY) for way in found if way.ranges))


def with_requests(chains: tuple[FilterChain, ...], requests: FilterChain) -> tuple[FilterChain, ...]:
    """The chains of a port that may carry requests: a network's chain would take those too."""
    return (requests, *(each for chain in chains for each in door.beside(requests, chain)))


def _ports(services: tuple[VirtualService, ...], kind: tcp_routes.Kind) -> tuple[int, ...]:
    """The ports that the routes name. Bytes without a name need one; TLS has a usual one."""
    steps = (step for vs in services for step in (vs.tls if kind == "tls" else vs.tcp))
    ports = {step.source.port or (_TLS_PORT if kind == "tls" else 0) for step in steps}
    return tuple(sorted(ports - {0}))


def _chain(way: Way, own: ChainMatch) -> FilterChain:
    names = way.server_names or own.server_names
    match = ChainMatch(ranges=way.ranges or own.ranges, server_names=names, transport="tls" if names else "")
    return FilterChain(name=str(way.origin), match=match, filter=way.proxy, origin=way.origin)


def _takes_all_of(way: Way, own: ChainMatch) -> bool:
    if way.ranges and not (own.ranges and set(own.ranges) <= set(way.ranges)):
        return False
    if not way.server_names:
        return True
    covered = (any(hosts.covers(pattern, name) for pattern in way.server_names) for name in own.server_names)
    return bool(own.server_names) and all(covered)
