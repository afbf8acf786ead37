"""What is wrong with the tcp and tls routes of VirtualServices."""

from collections.abc import Iterator

from semafor.base.problem import Problem
from semafor.planner import hosts
from semafor.planner.calling.view import View
from semafor.planner.checks import problems, route_problems
from semafor.planner.checks.problems import at
from semafor.planner.gateway import check as gateway_check
from semafor.planner.mesh import Mesh
from semafor.planner.routes import resolve, tcp_routes
from semafor.planner.routes.route_order import Layers, Shadow
from semafor.planner.routes.step import L4Step
from semafor.planner.routes.tcp_routes import Kind
from semafor.planner.routes.virtual_service import VirtualService
from semafor.planner.services.protocol import Protocol
from semafor.planner.services.service import Service

_KINDS: tuple[Kind, ...] = ("tcp", "tls")
_CARRIES = {"tcp": {Protocol.TCP, Protocol.SNIFFED}, "tls": {Protocol.TLS}}


def alone(mesh: Mesh, vs: VirtualService, services: tuple[Service, ...]) -> Iterator[Problem]:
    """What is wrong with those of one object. `services` are those of its hosts, if sidecars use it."""
    for kind in _KINDS:
        steps = _steps(vs, kind)
        yield from _ports(vs, kind, services)
        yield from _destinations(mesh, vs, kind)
        before: Shadow[L4Step] = Shadow()
        for step in steps:
            if by := before.over(step):
                yield route_problems.unreachable(step.origin, by.origin)
            before.add(step)
    if vs.only_in_mesh:
        yield from _strays(mesh, vs)


def between(mesh: Mesh, services: tuple[VirtualService, ...]) -> Iterator[Problem]:
    """Steps of one host's objects, newest first, that newer ones make useless."""
    for kind in _KINDS:
        newer: Layers[L4Step] = Layers()
        for vs in services:
            audience = hosts.audience(vs.export_to, vs.origin.ref.namespace)
            in_force = []
            for step in _steps(vs, kind) if audience != frozenset() else ():
                if winner := newer.over(step, audience):
                    yield route_problems.overridden(step.origin, winner.origin)
                    yield route_problems.overrides(winner.origin, step.origin)
                elif _is_live(mesh, vs, step, _listening(mesh, vs, kind)):
                    in_force.append(step)
            for step in in_force:
                newer.add(step, audience)


def _is_live(mesh: Mesh, vs: VirtualService, step: L4Step, ports: tuple[int, ...]) -> bool:
    """Whether it has a destination for connections to one of the ports; 0 is one that decides nothing."""
    view = View(namespace=vs.origin.ref.namespace)
    return any(tcp_routes.destinations(mesh, view, step, port) for port in ports or (0,))


def _steps(vs: VirtualService, kind: Kind) -> tuple[L4Step, ...]:
    return vs.tcp if kind == "tcp" else vs.tls


def _carried(services: tuple[Service, ...], kind: Kind) -> dict[int, None]:
    """The ports that the routes are for."""
    ports = (port for service in services for port in service.ports)
    return dict.fromkeys(port.number for port in ports if port.protocol in _CARRIES[kind])


def _listening(mesh: Mesh, vs: VirtualService, kind: Kind) -> tuple[int, ...]:
    """Where connections for the object's hosts come in."""
    services = tuple(mesh.by_host[host] for host in vs.hosts if host in mesh.by_host) if vs.in_mesh else ()
    named = {step.source.port: None for step in _steps(vs, kind) if step.source.port}
    return tuple({**_carried(services, kind), **dict.fromkeys(gateway_check.ports(mesh, vs))} or named)


def _ports(vs: VirtualService, kind: Kind, services: tuple[Service, ...]) -> Iterator[Problem]:
    """Routes for ports that nobody has. Gateways have ports of their own, and hosts without a service any."""
    steps = _steps(vs, kind)
    if not steps or len(services) < len(vs.hosts) or not vs.only_in_mesh:
        return
    named, ports = ", ".join(service.host for service in services), _carried(services, kind)
    if not ports:
        yield route_problems.nothing_carries(at(vs.origin, kind), kind, named)
        return
    for step in steps:
        if step.source.port not in {0, *ports}:
            yield route_problems.no_such_port(at(step.origin, "port"), step.source.port, named)


def _destinations(mesh: Mesh, vs: VirtualService, kind: Kind) -> Iterator[Problem]:
    namespace = vs.origin.ref.namespace
    for step in _steps(vs, kind):
        ports = [step.source.port] if step.source.port else [*_listening(mesh, vs, kind)] or [0]
        found = [(target, port) for port in ports for target in step.targets]
        mistakes = [resolve.destination(mesh, namespace, target, port).problem for target, port in found]
        yield from (mistake for mistake in mistakes if mistake)
        if mesh.options.hold and not _is_live(mesh, vs, step, tuple(ports)):
            yield problems.held(step.origin)


def _strays(mesh: Mesh, vs: VirtualService) -> Iterator[Problem]:
    """Routes for hosts that no service has, where nothing tells a connection to the host."""
    unknown = [host for host in vs.hosts if host not in mesh.by_host and not host.startswith("*")]
    for step in vs.tcp:
        if unknown and len(unknown) == len(vs.hosts) and not (step.source.port and step.ranges):
            yield route_problems.nothing_tells(step.origin, unknown[0])
