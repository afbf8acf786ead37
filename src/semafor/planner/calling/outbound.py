"""The outbound half of a sidecar's plan: the same for all callers of one view, so it is made once for each view."""

from collections.abc import Hashable, Iterable, Iterator
from functools import partial

from msgspec.structs import replace

from semafor.base.struct import Value
from semafor.ir import Cluster, Credential, EndpointSet, FilterChain, Listener, RouteTable, VirtualHost
from semafor.planner import touched
from semafor.planner.calling import (
    client_tls,
    clusters,
    door,
    egress,
    headless,
    outbound_http,
    outbound_tcp,
    passthrough,
    scope,
)
from semafor.planner.calling.door import Door
from semafor.planner.calling.view import View
from semafor.planner.gateway_api import backend_tls, producers
from semafor.planner.memo import Made
from semafor.planner.mesh import Mesh
from semafor.planner.routes import resolve, tcp_chains, tcp_routes
from semafor.planner.services import discovery, instances
from semafor.planner.services.instances import Instance
from semafor.planner.services.protocol import Protocol
from semafor.planner.services.service import Port, Service
from semafor.planner.traffic.security import Security

OUTBOUND_PORT = 15001


class Part(Value):
    """What one service adds to the plans of a view. `hosts` are virtual hosts by the port of their shared table.

    `listeners` are those of its own addresses, `doors` what it adds to the listeners that services share.
    """

    hosts: tuple[tuple[int, VirtualHost], ...] = ()
    listeners: tuple[Listener, ...] = ()
    doors: tuple[Door, ...] = ()
    tables: tuple[RouteTable, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    credentials: tuple[Credential, ...] = ()
    endpoints: tuple[EndpointSet, ...] = ()


def plan(mesh: Mesh, view: View) -> Part:
    """Everything that callers of the view are told of how to call others; all route tables are complete."""
    return mesh.memo.once(("outbound", view), lambda: _plan(mesh, view))


def _plan(mesh: Mesh, view: View) -> Part:
    seen = scope.services(mesh, view)
    parts = [_kept(mesh, view, service) for service in seen.values()]
    inputs = (*parts, seen, mesh.all_virtual_services, scope.sidecar(mesh, view))
    return mesh.memo(("outbound", view), inputs, lambda: _joined(mesh, view, parts))


def _kept(mesh: Mesh, view: View, service: Service) -> Part:
    """The part, made anew only when something that it depends on is another object than before."""
    key = _key(mesh, view, service)
    if touched.of(mesh).leaves(service.host) and not producers.some(mesh):
        known: Part | None = mesh.memo.again(key)
        if known is not None:
            return known
    made = Made(
        near=lambda: _near(mesh, view, service),
        inputs=lambda: _inputs(mesh, view, service),
        compute=lambda: _part(mesh, view, service),
    )
    return mesh.memo.near(key, made)


def _near(mesh: Mesh, view: View, service: Service) -> tuple[object, ...]:
    """What the inputs follow from."""
    routing = scope.routing(mesh, view, service.host)
    said = (tcp_routes.reaches(mesh, service), *_said_of_aliases(mesh, service), *routing)
    members = resolve.members(mesh, view.namespace, routing)
    return (producers.ground(mesh), service, mesh.instances(service), *said, *members)


def _inputs(mesh: Mesh, view: View, service: Service) -> tuple[object, ...]:
    """All that the part depends on."""
    routing = scope.routing(mesh, view, service.host)
    rule = mesh.rule(service.host, view.namespace, service.namespace, view.labels)
    return (
        service,
        mesh.instances(service),
        tcp_routes.reaches(mesh, service),
        *_said_of_aliases(mesh, service),
        rule,
        *client_tls.inputs(mesh, rule, view.namespace),
        *backend_tls.inputs(mesh, view, service),
        *producers.inputs(mesh, view, service),
        *resolve.inputs(mesh, view.namespace, routing, view.labels),
    )


def _said_of_aliases(mesh: Mesh, service: Service) -> Iterator[object]:
    """The service's aliases, and what decides whether they are more than that."""
    if aliases := mesh.aliases_of(service.host):
        yield aliases
        yield mesh.all_virtual_services


def _key(mesh: Mesh, view: View, service: Service) -> Hashable:
    """Callers with different Sidecars share what these Sidecars do not change."""
    if view.sidecar is None:
        return (service.host, view)
    ports = tuple(port.number for port in service.ports)
    refs = tuple(vs.origin.ref for vs in scope.routing(mesh, view, service.host))
    return (service.host, replace(view, sidecar=None), service.namespace, ports, refs)


def clusters_of(mesh: Mesh, view: View, service: Service) -> tuple[tuple[Cluster, EndpointSet | None], ...]:
    """The clusters of all ports and subsets of the service for callers of the view, each with its endpoints."""
    rule = mesh.rule(service.host, view.namespace, service.namespace, view.labels)
    secured = (*client_tls.inputs(mesh, rule, view.namespace), *backend_tls.inputs(mesh, view, service))
    inputs = (service, mesh.instances(service), rule, *secured)
    return mesh.memo(
        ("clusters", service.host, view), inputs, lambda: tuple(_clusters(mesh, view, service, by_bytes=True))
    )


def cluster_of(mesh: Mesh, view: View, service: Service, port: Port) -> tuple[Cluster, EndpointSet | None]:
    """The cluster of all instances of one port, for callers of the view, with its endpoints."""
    return next(_for_instances(mesh, view, service, port, twice=False))


def _part(mesh: Mesh, view: View, service: Service) -> Part:
    pairs = tuple(_clusters(mesh, view, service, by_bytes=tcp_routes.reaches(mesh, service)))
    return Part(
        hosts=tuple(outbound_http.hosts_by_port(mesh, view, service)),
        listeners=tuple(outbound_tcp.listeners(mesh, view, service)),
        doors=tuple(outbound_tcp.doors(mesh, view, service)),
        tables=tuple(outbound_tcp.tables(mesh, view, service)),
        clusters=tuple(cluster for cluster, _ in pairs),
        endpoints=tuple(found for _, found in pairs if found),
    )


def _joined(mesh: Mesh, view: View, parts: list[Part]) -> Part:
    hosts = [pair for part in parts for pair in part.hosts]
    shared = outbound_http.tables(mesh, view, hosts)
    doors = [
        *(each for part in parts for each in part.doors),
        *tcp_chains.strays(mesh, view),
        *(door.http(int(each.name), each.name) for each in shared),
    ]
    options = scope.options(mesh, view)
    services, names = scope.services(mesh, view).values(), frozenset(table.name for table in shared)
    asked = egress.listeners(scope.sidecar(mesh, view), services, names, options)
    own = [*asked, *(listener for part in parts for listener in part.listeners)]
    direct = passthrough.chain(options)
    listeners = (virtual_outbound(direct, _no_loop()), *door.listeners(doors, direct), *_distinct(own))
    return Part(
        listeners=listeners,
        tables=(*shared, *(table for part in parts for table in part.tables)),
        clusters=(*passthrough.clusters(), *(cluster for part in parts for cluster in part.clusters)),
        credentials=_credentials(parts),
        endpoints=tuple(found for part in parts for found in part.endpoints),
    )


def _credentials(parts: Iterable[Part]) -> tuple[Credential, ...]:
    """What is in the secrets that the clusters name, each once."""
    found = (one for part in parts for cluster in part.clusters for one in cluster.credentials)
    used = {one.name: one for one in found}
    return tuple(used[name] for name in sorted(used))


def _no_loop() -> FilterChain:
    return passthrough.no_loop("virtualOutbound", OUTBOUND_PORT)


def virtual_outbound(default: FilterChain, *chains: FilterChain) -> Listener:
    """Where the kernel redirects what workloads send; hands over to the listener of the address that was meant."""
    return Listener(
        name="virtualOutbound",
        address="0.0.0.0",  # noqa: S104 -- redirected connections keep no address of their own
        port=OUTBOUND_PORT,
        hand_over=True,
        chains=chains,
        default_chain=default,
    )


def _clusters(
    mesh: Mesh, view: View, service: Service, *, by_bytes: bool
) -> Iterator[tuple[Cluster, EndpointSet | None]]:
    """The clusters of all ports and subsets, with the endpoints of those that have any of their own.

    `by_bytes`: bytes may be sent to ports that are declared to speak HTTP.
    """
    for port in service.ports:
        twice = port.protocol is Protocol.SNIFFED or (by_bytes and port.protocol.is_http)
        yield from _for_instances(mesh, view, service, port, twice=twice)
        if service.headless:
            yield from ((cluster, None) for cluster in headless.pod_clusters(mesh, view, service, port))


def _for_instances(
    mesh: Mesh, view: View, service: Service, port: Port, *, twice: bool
) -> Iterator[tuple[Cluster, EndpointSet | None]]:
    """`twice`: for requests and for bytes."""
    rule = mesh.rule(service.host, view.namespace, service.namespace, view.labels)
    everyone = mesh.instances(service)
    facts = clusters.behind(everyone, mesh.options, at_edge=bool(view.gateways))

    def fed(cluster: Cluster, members: tuple[Instance, ...], subset: str = "") -> discovery.Fed:
        said, labels = clusters.policy_of(rule, port, subset), instances.labels(members)
        complete = client_tls.completed(mesh, cluster, rule, said.security or Security(), view)
        complete = backend_tls.applied(mesh, view, service, port, complete)
        made, found = discovery.fitted(complete, service, port, members, mesh.options)
        near = partial(clusters.near, said=said, options=mesh.options, caller=view, labels=labels)
        if made.endpoints:
            made = replace(made, endpoints=near(made.endpoints))
        return made, near(found) if found else None

    yield fed(clusters.outbound(service, port, rule, facts), everyone)
    if twice:
        yield fed(clusters.outbound_bytes(service, port, rule, facts), everyone)
    for subset in rule.subsets if rule else ():
        members = instances.with_labels(everyone, subset.labels)
        facts = clusters.behind(members, mesh.options, at_edge=bool(view.gateways))
        yield fed(clusters.outbound(service, port, rule, facts, subset.name), members, subset.name)
        if twice:
            yield fed(clusters.outbound_bytes(service, port, rule, facts, subset.name), members, subset.name)


def _distinct(listeners: Iterable[Listener]) -> tuple[Listener, ...]:
    """The first listener of each address: Envoy refuses a second one."""
    return tuple({(item.address, item.port): item for item in reversed(list(listeners))}.values())[::-1]
