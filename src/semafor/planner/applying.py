"""Which objects are for a workload, and what they come to: for those who want to see it. Plans are made without."""

from collections.abc import Iterable, Iterator

from semafor.base.problem import ObjectRef
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner import hosts, inbound, patches
from semafor.planner.calling import view
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Proxy, Workload
from semafor.planner.security import peer_authentication
from semafor.planner.security.authorization_policy import AuthorizationPolicy
from semafor.planner.security.peer_authentication import Mode
from semafor.planner.security.request_authentication import RequestAuthentication
from semafor.planner.services import service
from semafor.planner.services.service import Service
from semafor.planner.traffic.destination_rule import DestinationRule


class Door(Value):
    """A port of a workload, 0 for all that no service names; what it takes, and the field that says so, if any does."""

    port: int
    protocol: str
    mode: Mode
    by: Origin | None


def doors(mesh: Mesh, proxy: Proxy) -> tuple[Door, ...]:
    """The effective mode of mutual TLS of each port."""
    workload, modes = proxy.workloads[0], inbound.modes(mesh, proxy)
    known, root = mesh.peer_authentications, mesh.options.root_namespace

    def door(port: int, protocol: str) -> Door:
        by = peer_authentication.decisive(known, root, workload, port)
        return Door(port=port, protocol=protocol, mode=modes.at(port), by=by)

    named = (door(each.port, each.protocol.name) for each in inbound.entries(mesh, proxy))
    return (*named, door(0, "SNIFFED"))


def services(mesh: Mesh, workload: Workload) -> tuple[Service, ...]:
    """The services that the workload is behind."""
    return tuple(each for each in mesh.every_service() if service.selects(each, workload))


def authorizations(mesh: Mesh, workload: Workload) -> tuple[AuthorizationPolicy, ...]:
    """The AuthorizationPolicies for the workload, in the order of their names."""
    known, root = mesh.authorization_policies, mesh.options.root_namespace
    return tuple(known[key] for key in sorted(known) if known[key].scope.covers(workload, root))


def authentications(mesh: Mesh, workload: Workload) -> tuple[RequestAuthentication, ...]:
    """The RequestAuthentications for the workload, in the order of their names."""
    known, root = mesh.request_authentications, mesh.options.root_namespace
    return tuple(known[key] for key in sorted(known) if known[key].scope.covers(workload, root))


def destination_rules(mesh: Mesh, called: Iterable[Service]) -> tuple[DestinationRule, ...]:
    """The DestinationRules for the services, whoever calls them."""
    covered = tuple(each.host for each in called)
    rules = mesh.destination_rules.values()
    return tuple(rule for rule in rules if any(hosts.covers(rule.host, host) for host in covered))


def objects(mesh: Mesh, proxy: Proxy) -> tuple[ObjectRef, ...]:
    """Every object that has a say in what the workload gets or may call, each once, by kind and name."""
    found = dict.fromkeys(_objects(mesh, proxy))
    return tuple(sorted(found, key=lambda ref: (ref.kind, ref.namespace, ref.name)))


def _objects(mesh: Mesh, proxy: Proxy) -> Iterator[ObjectRef]:
    workload = proxy.workloads[0]
    called = services(mesh, workload)
    yield from routing(mesh, called)
    yield from (each.origin.ref for each in destination_rules(mesh, called))
    yield from (each.origin.ref for each in authorizations(mesh, workload))
    yield from (each.origin.ref for each in authentications(mesh, workload))
    yield from (each.by.ref for each in doors(mesh, proxy) if each.by)
    yield from (each.origin.ref for each in patches.of(mesh, proxy))
    if key := view.of(mesh, workload).sidecar:
        yield mesh.sidecars[key].origin.ref


def routing(mesh: Mesh, called: Iterable[Service]) -> Iterator[ObjectRef]:
    """The VirtualServices and their like for the services, and the Gateways that they are bound to."""
    for each in called:
        for _, vs in mesh.routing_by_host.covering(each.host):
            yield vs.origin.ref
        for vs in mesh.all_virtual_services:
            if each.host in vs.destinations:
                yield vs.origin.ref
                yield from _gateways(mesh, vs.gateways)
        yield from _api_routes(mesh, each)


def _api_routes(mesh: Mesh, called: Service) -> Iterator[ObjectRef]:
    """The Gateway API's routes that lead to the service, or are attached to it, and the Gateways that they are at."""
    own = ("", "Service", called.namespace, called.name)
    for table in (mesh.http_routes, mesh.grpc_routes, mesh.tls_routes, mesh.tcp_routes, mesh.udp_routes):
        for route in table.values():
            parents = tuple(each.ref for each in route.parents)
            backends = (backend.ref for rule in route.rules for backend in rule.backends)
            if any((ref.group, ref.kind, ref.namespace, ref.name) == own for ref in (*parents, *backends)):
                yield route.ref
                yield from (ref for ref in parents if ref.kind == "Gateway")


def _gateways(mesh: Mesh, named: Iterable[str]) -> Iterator[ObjectRef]:
    for name in named:
        namespace, _, own = name.partition("/")
        if gateway := mesh.gateways.get((namespace, own)):
            yield gateway.origin.ref
