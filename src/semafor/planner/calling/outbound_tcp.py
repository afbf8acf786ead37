"""Bytes: one listener for each address and port of a service whose protocol is not declared to be HTTP.

app ─▶ 10.96.0.7_5432 ─▶ cluster outbound|5432||db...                      declared tcp, tls, mysql...
app ─▶ 10.96.0.8_9000 ─ is it HTTP? ─ yes ─▶ route table "svc...:9000"      undeclared
                                    └ no, or the server speaks first ─▶ cluster outbound-tcp|9000||svc...
"""

from collections.abc import Iterator

from msgspec.structs import replace

from semafor.base.struct import Value
from semafor.ir import ChainMatch, Destination, FilterChain, Inspector, Listener, RouteTable, TcpProxy, VirtualHost
from semafor.planner.calling import clusters, door, headless, outbound_http
from semafor.planner.calling.door import Door
from semafor.planner.calling.view import View
from semafor.planner.mesh import Mesh
from semafor.planner.options import Options
from semafor.planner.routes import tcp_chains
from semafor.planner.services.protocol import Protocol
from semafor.planner.services.service import Port, Service
from semafor.planner.traffic.policy import Policy

_ANY = ChainMatch()


class Entry(Value):
    """An address and port that callers use, and the cluster for bytes to it."""

    address: str
    port: int
    cluster: str

    @property
    def name(self) -> str:
        return f"{self.address}_{self.port}"


def listeners(mesh: Mesh, view: View, service: Service) -> Iterator[Listener]:
    """The listeners of all ports of the service that carry bytes."""
    rule = mesh.rule(service.host, view.namespace, service.namespace, view.labels)
    for port in service.ports:
        if not port.protocol.is_http:
            said = clusters.policy_of(rule, port)
            for entry in _entries(mesh, service, port):
                chain = FilterChain(name="tcp", filter=clusters.tcp_proxy(entry.cluster, _only(entry), said))
                chains = tcp_chains.of(mesh, view, service, port, chain)
                yield _listener(service, port, entry, chains, mesh.options.outbound_detection_s)


def _only(entry: Entry) -> tuple[Destination, ...]:
    return (Destination(cluster=entry.cluster),)


def _entries(mesh: Mesh, service: Service, port: Port) -> Iterator[Entry]:
    for address in service.own_addresses:
        yield Entry(address=address, port=port.number, cluster=clusters.bytes_name(service, port))
    if service.headless:
        for instance, number in headless.pods(mesh, service, port):
            cluster = headless.cluster_name(service, port, "tcp", in_mesh=instance.in_mesh)
            yield Entry(address=instance.ip, port=number, cluster=cluster)


def _listener(
    service: Service, port: Port, entry: Entry, found: tuple[FilterChain, ...], detection_s: float
) -> Listener:
    chains = tuple(chain for chain in found if chain.match != _ANY)
    if port.protocol is Protocol.SNIFFED:
        chains = tcp_chains.with_requests(chains, door.requests(entry.name, table_name(service, port)))
    kinds = door.kinds_of(chains)
    return Listener(
        name=entry.name,
        address=entry.address,
        port=entry.port,
        bind=False,
        inspectors=tuple(Inspector(kind=kind) for kind in kinds),
        inspection_timeout_s=detection_s if kinds else 0.0,
        continue_on_timeout=bool(kinds),
        chains=chains,
        default_chain=next((chain for chain in found if chain.match == _ANY), None),
        origin=service.origin,
    )


def doors(mesh: Mesh, view: View, service: Service) -> Iterator[Door]:
    """What the service adds to ports that it shares with others, as its address alone does not tell it from them."""
    if service.is_entry:
        rule = mesh.rule(service.host, view.namespace, service.namespace, view.labels)
        for port in service.ports:
            for found in _doors(mesh.options, service, port, clusters.policy_of(rule, port)):
                yield found if port.protocol.is_http else _routed(mesh, view, service, port, found)


def _routed(mesh: Mesh, view: View, service: Service, port: Port, found: Door) -> Door:
    """The door with what VirtualServices say of the service's bytes before each chain that leads to the service."""
    chains: list[FilterChain] = []
    for chain in found.chains:
        carries_bytes = isinstance(chain.filter, TcpProxy)
        chains += tcp_chains.of(mesh, view, service, port, chain) if carries_bytes else (chain,)
    last = tcp_chains.of(mesh, view, service, port, found.last) if found.last else ()
    return replace(
        found,
        chains=(*chains, *(chain for chain in last if chain.match != _ANY)),
        last=next((chain for chain in last if chain.match == _ANY), None),
    )


def _doors(options: Options, service: Service, port: Port, said: Policy) -> Iterator[Door]:
    networks = service.networks
    patience_s = options.outbound_detection_s
    if service.resolution == "dynamic_dns" and port.protocol.is_http:
        chain = door.requests(f"0.0.0.0_{port.number}", str(port.number), resolvers=options.resolvers)
        yield Door(port=port.number, chains=(chain,))
    elif service.resolution == "dynamic_dns" and port.protocol is not Protocol.TLS:
        return  # it says no host
    elif port.protocol is Protocol.TLS:
        if not service.own_addresses or networks or service.allocated:
            yield Door(port=port.number, chains=(_by_server_name(options, service, port, said),))
    elif not port.protocol.is_http and networks:
        yield Door(port=port.number, chains=_by_network(service, port, said), patience_s=patience_s)
    elif not port.protocol.is_http and service.shares_ports:
        yield Door(port=port.number, last=_bytes(service, port, said), patience_s=patience_s)


def _bytes(service: Service, port: Port, said: Policy, match: ChainMatch = _ANY) -> FilterChain:
    cluster = clusters.bytes_name(service, port)
    proxy = clusters.tcp_proxy(cluster, (Destination(cluster=cluster),), said)
    return FilterChain(name=cluster, match=match, filter=proxy, origin=service.origin)


def _by_server_name(options: Options, service: Service, port: Port, said: Policy) -> FilterChain:
    """Source: Istio's buildSidecarOutboundTLSFilterChainOpts."""
    match = ChainMatch(ranges=service.networks, server_names=(service.host,), transport="tls")
    chain = _bytes(service, port, said, match)
    if service.resolution != "dynamic_dns" or not isinstance(chain.filter, TcpProxy):
        return chain
    number = port.target if isinstance(port.target, int) else port.number
    return replace(chain, filter=replace(chain.filter, dynamic_port=number, resolvers=options.resolvers))


def _by_network(service: Service, port: Port, said: Policy) -> tuple[FilterChain, ...]:
    chain = _bytes(service, port, said, ChainMatch(ranges=service.networks))
    if port.protocol is not Protocol.SNIFFED:
        return (chain,)
    name = table_name(service, port)
    requests = replace(door.requests(name, name), name=name, origin=service.origin)
    return door.beside(requests, chain)


def table_name(service: Service, port: Port) -> str:
    """The route table of an undeclared port, which is this service's alone."""
    return f"{service.host}:{port.number}"


def tables(mesh: Mesh, view: View, service: Service) -> Iterator[RouteTable]:
    """The route tables of the service's undeclared ports. The address says whose they are, whatever the host."""
    for port in service.ports:
        if port.protocol is Protocol.SNIFFED and not service.shares_ports:
            host = VirtualHost(
                name=table_name(service, port),
                domains=("*",),
                routes=outbound_http.routes(mesh, view, service, port),
                origin=service.origin,
            )
            yield RouteTable(name=table_name(service, port), hosts=(host,))
