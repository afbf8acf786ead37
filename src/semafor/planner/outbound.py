"""The outbound half of a sidecar's plan: the same for all callers of one view, so it is made once for each view."""

from collections.abc import Iterable, Iterator

from semafor.base.struct import Value
from semafor.ir import Cluster, EndpointSet, FilterChain, Listener, RouteTable
from semafor.planner import clusters, headless, instances, outbound_http, outbound_tcp, passthrough
from semafor.planner.mesh import Mesh
from semafor.planner.protocol import Protocol
from semafor.planner.service import Port, Service
from semafor.planner.view import View

OUTBOUND_PORT = 15001


class Outbound(Value, frozen=True):
    """Parts of a plan, each sorted."""

    listeners: tuple[Listener, ...]
    tables: tuple[RouteTable, ...]
    clusters: tuple[Cluster, ...]
    endpoints: tuple[EndpointSet, ...]


def plan(mesh: Mesh, view: View) -> Outbound:
    """Everything that callers of the view are told of how to call others."""
    key = ("outbound", view)
    if key not in mesh.once:
        mesh.once[key] = _plan(mesh, view)
    found: Outbound = mesh.once[key]
    return found


def _plan(mesh: Mesh, view: View) -> Outbound:
    services = mesh.by_host.values()
    http = outbound_http.tables(mesh, view)
    sniffed = [table for service in services for table in outbound_tcp.tables(mesh, view, service)]
    own = [listener for service in services for listener in outbound_tcp.listeners(mesh, service)]
    shared = [mesh.memo(outbound_http.listener, int(table.name), mesh.options) for table in http]
    pairs = [pair for service in services for pair in _clusters(mesh, view, service)]
    return Outbound(
        listeners=(virtual_outbound(passthrough.chain(mesh.options)), *_distinct([*shared, *own])),
        tables=(*http, *sniffed),
        clusters=(*passthrough.clusters(), *(cluster for cluster, _ in pairs)),
        endpoints=tuple(found for _, found in pairs if found),
    )


def virtual_outbound(default: FilterChain) -> Listener:
    """Where the kernel redirects what workloads send; hands over to the listener of the address that was meant."""
    return Listener(
        name="virtualOutbound",
        address="0.0.0.0",  # noqa: S104 -- redirected connections keep no address of their own
        port=OUTBOUND_PORT,
        hand_over=True,
        default_chain=default,
    )


def _clusters(mesh: Mesh, view: View, service: Service) -> Iterator[tuple[Cluster, EndpointSet | None]]:
    """The clusters of all ports and subsets, with the endpoints of those that have any of their own."""
    for port in service.ports:
        yield from _for_instances(mesh, view, service, port)
        if service.headless:
            yield from ((cluster, None) for cluster in headless.pod_clusters(mesh, view, service, port))


def _for_instances(
    mesh: Mesh, view: View, service: Service, port: Port
) -> Iterator[tuple[Cluster, EndpointSet | None]]:
    rule = mesh.rule(service.host, view.namespace, service.namespace)
    everyone = mesh.instances(service)
    facts = mesh.memo(clusters.behind, everyone, mesh.options.trust_domain)
    whole = mesh.memo(clusters.outbound, service, port, rule, facts)
    yield whole, _endpoints(mesh, whole, port, everyone)
    if port.protocol is Protocol.SNIFFED:
        for_bytes = mesh.memo(clusters.outbound_bytes, service, port, rule, facts)
        yield for_bytes, _endpoints(mesh, for_bytes, port, everyone)
    for subset in rule.subsets if rule and port.protocol.is_routed else ():
        members = mesh.memo(instances.with_labels, everyone, subset.labels)
        facts = mesh.memo(clusters.behind, members, mesh.options.trust_domain)
        part = mesh.memo(clusters.outbound, service, port, rule, facts, subset.name)
        yield part, _endpoints(mesh, part, port, members)


def _endpoints(mesh: Mesh, cluster: Cluster, port: Port, members: tuple[instances.Instance, ...]) -> EndpointSet | None:
    if cluster.discovery != "eds":
        return None
    return mesh.memo(instances.endpoints, cluster.name, port, members)


def _distinct(listeners: Iterable[Listener]) -> tuple[Listener, ...]:
    """The first listener of each address: Envoy refuses a second one."""
    return tuple({(item.address, item.port): item for item in reversed(list(listeners))}.values())[::-1]
