"""The plan of a node's own proxy: service addresses for pods without a sidecar, and the way out for all of them.

pod ─▶ 10.96.0.7:5432 ─▶ cluster outbound|5432||db..., bytes as they are
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
)
from semafor.planner.calling import clusters, outbound, passthrough
from semafor.planner.mesh import Mesh
from semafor.planner.options import Options
from semafor.planner.proxy import Proxy
from semafor.planner.services import instances
from semafor.planner.services.service import Port, Service

EGRESS = "egress"


def plan(mesh: Mesh, proxy: Proxy) -> Plan:
    """What the node's proxy is told. Hosts of ServiceEntries are what they are without the mesh, so it knows none."""
    services = (each for each in mesh.by_host.values() if each.address and not each.is_entry)
    ports = [(service, port) for service in services for port in service.ports]
    return Plan(
        proxy=proxy.id,
        listeners=(
            _entrance(mesh.options),
            *(_listener(service, port) for service, port in ports),
            *_openings(mesh, proxy),
        ),
        clusters=(
            _egress(proxy.egress),
            passthrough.nowhere(),
            *(clusters.plain(service, port) for service, port in ports),
        ),
        endpoints=tuple(_endpoints(mesh, ports)),
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


def _openings(mesh: Mesh, proxy: Proxy) -> Iterator[Listener]:
    """What the host hands over, one unix socket for each port of a service."""
    by_pipe = {opening.pipe: opening for opening in proxy.openings}
    for pipe, opening in sorted(by_pipe.items()):
        service = mesh.services.get(opening.service)
        port = service.port(opening.service_port) if service else None
        if service and port:
            name = f"{service.host}_{port.number}"
            yield replace(_listener(service, port), name=name, address="", port=0, pipe=pipe, bind=True)


def _endpoints(mesh: Mesh, ports: list[tuple[Service, Port]]) -> Iterator[EndpointSet]:
    for service, port in ports:
        yield instances.endpoints(clusters.name(service, port), port, mesh.instances(service))
