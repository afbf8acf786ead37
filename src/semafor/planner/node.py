"""The plan of a node's own proxy: service addresses for pods without a sidecar, and the way out for all of them.

pod ─▶ 10.96.0.7:5432 ─▶ cluster outbound|5432||db..., bytes or datagrams as they are
    └▶ anything else ──▶ the host's proxy, by unix socket, with the caller's and the meant address ahead
"""

from collections.abc import Iterator

from msgspec.structs import replace

from semafor.ir import (
    ChainMatch,
    Cluster,
    Destination,
    EndpointSet,
    FilterChain,
    Listener,
    Plan,
    TcpProxy,
    UdpTunnel,
)
from semafor.planner.calling import clusters, datagrams, outbound, passthrough
from semafor.planner.mesh import Mesh
from semafor.planner.options import Options
from semafor.planner.proxy import Proxy
from semafor.planner.services import instances
from semafor.planner.services.service import Port, Service

EGRESS = "egress"


def plan(mesh: Mesh, proxy: Proxy) -> Plan:
    """What the node's proxy is told. Hosts of ServiceEntries are what they are without the mesh, so it knows none."""
    services = [each for each in mesh.by_host.values() if each.address and not each.is_entry]
    ports = [(service, port) for service in services for port in service.ports]
    of_datagrams = [(each, port) for each in services if not _is_dns(mesh, each) for port in each.udp_ports]
    return Plan(
        proxy=proxy.id,
        listeners=(
            _entrance(mesh.options),
            *(_listener(service, port) for service, port in ports),
            *(_of_datagrams(service, port) for service, port in of_datagrams),
            *_openings(mesh, proxy),
        ),
        clusters=(
            _egress(proxy.egress),
            passthrough.nowhere(),
            *(clusters.plain(service, port) for service, port in ports),
            *(datagrams.cluster(service, port) for service, port in of_datagrams),
        ),
        endpoints=(
            *(_endpoints(mesh, service, port, clusters.name(service, port)) for service, port in ports),
            *(_endpoints(mesh, service, port, datagrams.name(service, port)) for service, port in of_datagrams),
        ),
    )


def _entrance(options: Options) -> Listener:
    """What no service's listener takes: addresses of the cluster that are nobody's are refused, others lead out."""
    allocated = (options.allocated_network,) if options.allocated_network else ()
    nobody = _bytes_to(passthrough.BLACK_HOLE, ChainMatch(ranges=(*options.networks, *allocated)))
    return outbound.virtual_outbound(_bytes_to(EGRESS, ChainMatch()), nobody)


def _bytes_to(cluster: str, match: ChainMatch) -> FilterChain:
    destination = Destination(cluster=cluster)
    return FilterChain(name=cluster, match=match, filter=TcpProxy(stat_prefix=cluster, destinations=(destination,)))


def _egress(pipe: str) -> Cluster:
    return replace(passthrough.by_pipe(EGRESS, pipe), proxy_protocol="v2")


def _listener(service: Service, port: Port) -> Listener:
    cluster = clusters.name(service, port)
    return Listener(
        name=f"{service.address}_{port.number}",
        address=service.address,
        port=port.number,
        bind=False,
        default_chain=FilterChain(
            name="tcp", filter=TcpProxy(stat_prefix=cluster, destinations=(Destination(cluster=cluster),))
        ),
        origin=service.origin,
    )


def _of_datagrams(service: Service, port: Port) -> Listener:
    """The node has all service addresses, so what is sent to them arrives here without a redirection."""
    return Listener(
        name=f"{service.address}_{port.number}_udp",
        address=service.address,
        port=port.number,
        datagrams=datagrams.to(datagrams.name(service, port)),
        origin=service.origin,
    )


def _is_dns(mesh: Mesh, service: Service) -> bool:
    """Whether the mesh's own DNS listens there already."""
    return service.address in mesh.options.resolvers


def _openings(mesh: Mesh, proxy: Proxy) -> Iterator[Listener]:
    """What the host hands over, one unix socket for each port of a service."""
    by_pipe = {opening.pipe: opening for opening in proxy.openings}
    for pipe, opening in sorted(by_pipe.items()):
        service = mesh.services.get(opening.service)
        if service is None:
            continue
        if opening.protocol == "UDP" and (port := service.udp_port(opening.service_port)):
            yield _tunnel_end(service, port, pipe)
        elif opening.protocol == "TCP" and (port := service.port(opening.service_port)):
            name = f"{service.host}_{port.number}"
            yield replace(_listener(service, port), name=name, address="", port=0, pipe=pipe, bind=True)


def _tunnel_end(service: Service, port: Port, pipe: str) -> Listener:
    """A unix socket carries no datagrams between Envoys, so they come in a tunnel."""
    cluster = datagrams.name(service, port)
    return Listener(
        name=f"{service.host}_{port.number}_udp",
        pipe=pipe,
        tunnel_end=UdpTunnel(stat_prefix=cluster, cluster=cluster),
        origin=service.origin,
    )


def _endpoints(mesh: Mesh, service: Service, port: Port, cluster: str) -> EndpointSet:
    return instances.endpoints(cluster, port, mesh.instances(service))
