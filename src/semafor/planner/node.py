"""The plan of a node's own proxy: service addresses for pods without a sidecar, and the way out for all of them.

pod ─▶ 10.96.0.7:5432 ─▶ cluster outbound|5432||db..., bytes as they are
    └▶ anything else ──▶ the host's proxy, by unix socket, with the caller's and the meant address ahead
"""

from collections.abc import Iterator

from semafor.ir import (
    Cluster,
    Destination,
    Endpoint,
    EndpointSet,
    FilterChain,
    Listener,
    LocalityEndpoints,
    Plan,
    SimpleBalancer,
    TcpProxy,
)
from semafor.planner import clusters, instances, outbound
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Proxy
from semafor.planner.service import Port, Service

EGRESS = "egress"


def plan(mesh: Mesh, proxy: Proxy) -> Plan:
    """What the node's proxy is told."""
    ports = [(service, port) for service in mesh.by_host.values() if service.address for port in service.ports]
    return Plan(
        proxy=proxy.id,
        listeners=(_entrance(), *(_listener(service, port) for service, port in ports)),
        clusters=(_egress(proxy.egress), *(clusters.plain(service, port) for service, port in ports)),
        endpoints=tuple(_endpoints(mesh, ports)),
    )


def _entrance() -> Listener:
    out = FilterChain(name=EGRESS, filter=TcpProxy(stat_prefix=EGRESS, destinations=(Destination(cluster=EGRESS),)))
    return outbound.virtual_outbound(out)


def _egress(pipe: str) -> Cluster:
    endpoint = LocalityEndpoints(endpoints=(Endpoint(pipe=pipe),))
    return Cluster(
        name=EGRESS,
        discovery="static",
        endpoints=EndpointSet(cluster=EGRESS, localities=(endpoint,)),
        balancer=SimpleBalancer(policy="round_robin"),
        proxy_protocol=True,
    )


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


def _endpoints(mesh: Mesh, ports: list[tuple[Service, Port]]) -> Iterator[EndpointSet]:
    for service, port in ports:
        yield instances.endpoints(clusters.name(service, port), port, mesh.instances(service))
