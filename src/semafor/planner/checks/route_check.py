"""What is wrong with VirtualServices: with one by itself, and between those of one host."""

from collections.abc import Iterable, Iterator
from functools import partial

from semafor.base import names
from semafor.base.problem import ObjectRef, Problem
from semafor.planner import hosts, touched
from semafor.planner.checks import l4_check, problems, route_problems
from semafor.planner.checks.problems import at
from semafor.planner.gateway import check as gateway_check
from semafor.planner.memo import Made
from semafor.planner.mesh import Mesh
from semafor.planner.routes import delegates, resolve
from semafor.planner.routes.route_order import Layers, Shadow
from semafor.planner.routes.step import Step
from semafor.planner.routes.virtual_service import VirtualService
from semafor.planner.services.service import Service

_ANY_PORT = 80  # for hosts that no service has


def alone(mesh: Mesh, vs: VirtualService) -> Iterator[Problem]:
    """What is wrong with one VirtualService, whatever the others say."""
    key = ("check", vs.origin.ref)
    known = mesh.memo.again(key) if touched.of(mesh).leaves_routes(vs) else None
    if known is None:
        made = Made(partial(_near, mesh, vs), partial(_inputs, mesh, vs), partial(_alone, mesh, vs))
        known = mesh.memo.near(key, made)
    yield from known
    yield from gateway_check.routes(mesh, vs)


def _near(mesh: Mesh, vs: VirtualService) -> tuple[object, ...]:
    """What the inputs follow from."""
    return (mesh.all_but_routes_and_instances, vs, *resolve.members(mesh, vs.origin.ref.namespace, (vs,)))


def _inputs(mesh: Mesh, vs: VirtualService) -> tuple[object, ...]:
    """All that decides what is wrong with it."""
    own = (mesh.by_host.get(host) or mesh.alias(host) for host in vs.hosts)
    return (*own, *gateway_check.named(mesh, vs), *resolve.inputs(mesh, vs.origin.ref.namespace, (vs,)))


def delegate(mesh: Mesh, vs: VirtualService) -> Iterator[Problem]:
    """What is wrong with one without hosts, but for its destinations, which depend on who hands over to it."""
    if vs.hosts:
        return
    yield from vs.problems
    if (vs.origin.ref.namespace, vs.origin.ref.name) not in _delegated(mesh):
        yield problems.delegate_unused(vs.origin)


def hosts_of(mesh: Mesh, ref: ObjectRef) -> Iterable[str]:
    """The hosts that the object has routes for."""
    return dict.fromkeys(host for vs in mesh.saying(ref) if vs.in_mesh for host in vs.hosts)


def between(mesh: Mesh, host: str) -> tuple[Problem, ...]:
    """What is wrong between the VirtualServices of one host."""
    services = tuple(sorted(mesh.routing_by_host.at(host), key=lambda vs: vs.age, reverse=True))
    if len(services) < 2:
        return ()
    inputs = (item for vs in services for item in resolve.inputs(mesh, vs.origin.ref.namespace, (vs,)))
    return mesh.memo(("between", host), tuple(inputs), lambda: tuple(_between(mesh, services)))


def _delegated(mesh: Mesh) -> frozenset[delegates.Key]:
    services = mesh.virtual_services
    named = (key for vs in services.values() for key in delegates.named(vs))
    return mesh.memo("delegated", (services,), lambda: frozenset(named))


def _alone(mesh: Mesh, vs: VirtualService) -> tuple[Problem, ...]:
    services = tuple(mesh.by_host[host] for host in vs.hosts if host in mesh.by_host) if vs.in_mesh else ()
    return (
        *vs.problems,
        *_seen(vs),
        *_hosts(mesh, vs),
        *_http_ports(vs, services),
        *_destinations(mesh, vs),
        *_order(vs),
        *l4_check.alone(mesh, vs, services),
    )


def _seen(vs: VirtualService) -> Iterator[Problem]:
    if vs.export_to == ("~",):
        yield route_problems.nobody_sees(at(vs.origin, "exportTo"))


def _hosts(mesh: Mesh, vs: VirtualService) -> Iterator[Problem]:
    """Hosts in the cluster's own domain that no service has. Others may well be outside."""
    for index, host in enumerate(vs.hosts):
        of_cluster = host.endswith(f".svc.{names.CLUSTER_DOMAIN}") and not host.startswith("*")
        if of_cluster and host not in mesh.by_host and mesh.alias(host) is None:
            short = host.removesuffix(names.service_host("", vs.origin.ref.namespace))
            yield problems.unknown_host(at(vs.origin, f"hosts[{index}]"), host, short)


def _ports(mesh: Mesh, vs: VirtualService) -> tuple[int, ...]:
    """The ports where requests for the object's hosts come in."""
    services = [mesh.by_host[host] for host in vs.hosts if host in mesh.by_host] if vs.in_mesh else []
    found = [port.number for service in services for port in service.ports if port.protocol.is_routed]
    return tuple(dict.fromkeys([*found, *gateway_check.ports(mesh, vs)])) or (_ANY_PORT,)


def _http_ports(vs: VirtualService, services: tuple[Service, ...]) -> Iterator[Problem]:
    """Routes for ports that nobody has. Gateways have ports of their own, and hosts without a service any."""
    if not vs.steps or len(services) < len(vs.hosts) or not vs.only_in_mesh:
        return
    named = ", ".join(service.host for service in services)
    ports = {port.number for service in services for port in service.ports if port.protocol.is_routed}
    if not ports:
        yield route_problems.nothing_carries(at(vs.origin, "http"), "http", named)
        return
    for step in vs.steps:
        if step.source.port not in {0, *ports}:
            yield route_problems.no_such_port(at(step.origin, "port"), step.source.port, named)


def _destinations(mesh: Mesh, vs: VirtualService) -> Iterator[Problem]:
    namespace = vs.origin.ref.namespace
    for port in _ports(mesh, vs):
        for step in vs.steps:
            if step.source.port in {0, port}:
                yield from resolve.mistakes(mesh, namespace, step, port)
                if not resolve.live(mesh, namespace, step, port):
                    yield problems.held(step.origin)


def _order(vs: VirtualService) -> Iterator[Problem]:
    """Steps behind one that takes all of theirs."""
    before: Shadow[Step] = Shadow()
    for step in vs.steps:
        if by := before.over(step):
            yield route_problems.unreachable(step.origin, by.origin)
        before.add(step)


def _between(mesh: Mesh, services: tuple[VirtualService, ...]) -> Iterator[Problem]:
    """Steps that those of newer objects for the same host make useless, as far as all callers see both."""
    if mesh.options.several_virtual_services == "oldest":
        yield from (problems.ignored(vs.origin, services[-1].origin) for vs in services[:-1])
        return
    yield from _overridden(mesh, services)
    yield from l4_check.between(mesh, services)


def _overridden(mesh: Mesh, services: tuple[VirtualService, ...]) -> Iterator[Problem]:
    newer: Layers[Step] = Layers()
    for vs in services:
        audience, in_force = hosts.audience(vs.export_to, vs.origin.ref.namespace), []
        for step in vs.steps if audience != frozenset() else ():
            if winner := newer.over(step, audience):
                yield route_problems.overridden(step.origin, winner.origin)
                yield route_problems.overrides(winner.origin, step.origin)
            elif resolve.live(mesh, vs.origin.ref.namespace, step, _ports(mesh, vs)[0]):
                in_force.append(step)
            if step.takes_all:
                break
        for step in in_force:
            newer.add(step, audience)
