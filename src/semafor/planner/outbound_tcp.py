"""Bytes: one listener for each address and port of a service whose protocol is not declared to be HTTP.

app ─▶ 10.96.0.7_5432 ─▶ cluster outbound|5432||db...                      declared tcp, tls, mysql...
app ─▶ 10.96.0.8_9000 ─ is it HTTP? ─ yes ─▶ route table "svc...:9000"      undeclared
                                    └ no, or the server speaks first ─▶ cluster outbound-tcp|9000||svc...
"""

from collections.abc import Iterator

from semafor.base.struct import Value
from semafor.ir import Destination, FilterChain, Inspector, Listener, RouteTable, TcpProxy, VirtualHost
from semafor.planner import clusters, door, headless, outbound_http
from semafor.planner.mesh import Mesh
from semafor.planner.protocol import Protocol
from semafor.planner.service import Port, Service
from semafor.planner.view import View


class Entry(Value):
    """An address and port that callers use, and the cluster for bytes to it."""

    address: str
    port: int
    cluster: str

    @property
    def name(self) -> str:
        return f"{self.address}_{self.port}"


def listeners(mesh: Mesh, service: Service) -> Iterator[Listener]:
    """The listeners of all ports of the service that carry bytes."""
    for port in service.ports:
        if not port.protocol.is_http:
            for entry in _entries(mesh, service, port):
                yield _listener(service, port, entry, mesh.options.outbound_detection_s)


def _entries(mesh: Mesh, service: Service, port: Port) -> Iterator[Entry]:
    for address in service.addresses:
        yield Entry(address=address, port=port.number, cluster=clusters.bytes_name(service, port))
    if service.headless:
        for instance, number in headless.pods(mesh, service, port):
            cluster = headless.cluster_name(service, port, "tcp", in_mesh=instance.in_mesh)
            yield Entry(address=instance.ip, port=number, cluster=cluster)


def _listener(service: Service, port: Port, entry: Entry, detection_s: float) -> Listener:
    bytes_chain = FilterChain(
        name="tcp",
        filter=TcpProxy(stat_prefix=entry.cluster, destinations=(Destination(cluster=entry.cluster),)),
    )
    sniffed = port.protocol is Protocol.SNIFFED
    return Listener(
        name=entry.name,
        address=entry.address,
        port=entry.port,
        bind=False,
        inspectors=(Inspector(kind="http"),) if sniffed else (),
        inspection_timeout_s=detection_s if sniffed else 0.0,
        continue_on_timeout=sniffed,
        chains=(door.requests(entry.name, table_name(service, port)),) if sniffed else (),
        default_chain=bytes_chain,
        origin=service.origin,
    )


def table_name(service: Service, port: Port) -> str:
    """The route table of an undeclared port, which is this service's alone."""
    return f"{service.host}:{port.number}"


def tables(mesh: Mesh, view: View, service: Service) -> Iterator[RouteTable]:
    """The route tables of the service's undeclared ports. The address says whose they are, whatever the host."""
    for port in service.ports:
        if port.protocol is Protocol.SNIFFED:
            host = VirtualHost(
                name=table_name(service, port),
                domains=("*",),
                routes=outbound_http.routes(mesh, view, service, port),
                origin=service.origin,
            )
            yield RouteTable(name=table_name(service, port), hosts=(host,))
