"""Requests to declared HTTP ports: a listener and a route table for each port number, a virtual host for each host.

app ─▶ 0.0.0.0_80 ─ is it HTTP? ─ yes ─▶ route table "80" ─ by host ─▶ cluster outbound|80||reviews...
                                └ no ──▶ where the caller was going, or nowhere
"""

from collections.abc import Iterable, Iterator

from semafor.base import names
from semafor.ir import Fail, Route, RouteMatch, RouteTable, VirtualHost
from semafor.planner import hosts
from semafor.planner.calling import headless, passthrough, scope
from semafor.planner.calling.view import View
from semafor.planner.gateway_api import producers
from semafor.planner.mesh import Mesh
from semafor.planner.routes import http_routes, resolve
from semafor.planner.routes.virtual_service import VirtualService
from semafor.planner.services.service import Port, Service

_STRAY_PORT = 80  # where hosts that the mesh does not know are routed; as Istio


def hosts_by_port(mesh: Mesh, view: View, service: Service) -> Iterator[tuple[int, VirtualHost]]:
    """The virtual hosts of the ports where a host tells what is meant; for a headless one those of its named pods."""
    for port in service.ports:
        if port.protocol.is_http or (port.protocol.is_routed and service.shares_ports):
            yield port.number, _virtual_host(mesh, view, service, port)
            if service.headless:
                yield from ((port.number, host) for host in headless.virtual_hosts(mesh, view, service, port))


def _virtual_host(mesh: Mesh, view: View, service: Service, port: Port) -> VirtualHost:
    return VirtualHost(
        name=f"{service.host}:{port.number}",
        domains=(*domains(service, port.number, view.namespace), *_aliases(mesh, view, service, port)),
        routes=routes(mesh, view, service, port),
        origin=service.origin,
    )


def tables(mesh: Mesh, view: View, services: Iterable[tuple[int, VirtualHost]]) -> tuple[RouteTable, ...]:
    """One table for each port number, out of the services' virtual hosts and those that are no service's."""
    found: dict[int, list[VirtualHost]] = {}
    for port, host in services:
        found.setdefault(port, []).append(host)
    for name, routing in strays(mesh, view):
        if any(vs.steps for vs in routing):
            found.setdefault(_STRAY_PORT, []).append(_stray_host(mesh, view, name, routing))
    last = passthrough.host(scope.options(mesh, view))
    return tuple(RouteTable(name=str(port), hosts=_distinct([*found[port], last])) for port in sorted(found))


def routes(mesh: Mesh, view: View, service: Service, port: Port) -> tuple[Route, ...]:
    """What VirtualServices say of the host, and the service itself for the rest.

    Routes of the Gateway API stand in place of both.

    Differs from Istio: there a request that no route takes is answered 404. With layers, the service is the last one.
    """
    attached = producers.http(mesh, view, service, port)
    if attached is not None:
        return http_routes.routes(mesh, view, attached, port.number)
    said = http_routes.of(mesh, view, scope.routing(mesh, view, service.host), port.number)
    if said and (said[-1].match.is_catch_all or mesh.options.several_virtual_services == "oldest"):
        return said
    return (*said, http_routes.default(mesh, view, service, port))


def domains(service: Service, port: int, namespace: str) -> tuple[str, ...]:
    """What callers of `namespace` may call the service, each with and without the port.

    Source: Istio's generateVirtualHostDomains.
    """
    bare = [*names.aliases(service.host, namespace), *service.own_addresses]
    return tuple(name for host in bare for name in (host, f"{host}:{port}"))


def _aliases(mesh: Mesh, view: View, service: Service, port: Port) -> Iterator[str]:
    """The service's other names, but for those that VirtualServices have routes for."""
    for each in mesh.aliases_of(service.host):
        seen = hosts.visible(each.export_to, each.namespace, view.namespace)
        if seen and not mesh.routing_by_host.at(each.host):
            for name in names.aliases(each.host, view.namespace):
                yield from (name, f"{name}:{port.number}")


def strays(mesh: Mesh, view: View) -> Iterator[tuple[str, tuple[VirtualService, ...]]]:
    """Hosts of VirtualServices that are no service's, with the VirtualServices that callers of the view see."""
    yield from mesh.memo.once(("strays", view), lambda: tuple(_strays(mesh, view)))


def _strays(mesh: Mesh, view: View) -> Iterator[tuple[str, tuple[VirtualService, ...]]]:
    seen = scope.services(mesh, view)
    candidates = (host for host in scope.routed_hosts(mesh, view) if host not in seen)
    for host in sorted(candidates):
        if not (host.startswith("*") and any(hosts.covers(host, known) for known in seen)):
            services = scope.routing(mesh, view, host)
            if services:
                yield host, services


def _stray_host(mesh: Mesh, view: View, host: str, services: tuple[VirtualService, ...]) -> VirtualHost:
    return VirtualHost(
        name=f"{host}:{_STRAY_PORT}",
        domains=(host, f"{host}:{_STRAY_PORT}") if host != "*" else (host,),
        routes=_stray_routes(mesh, view, services),
        origin=services[0].origin,
    )


def _stray_routes(mesh: Mesh, view: View, services: tuple[VirtualService, ...]) -> tuple[Route, ...]:
    """There is no service to fall back to, so a host all of whose routes are held says why."""
    said = http_routes.of(mesh, view, services, _STRAY_PORT)
    if said and said[-1].match.is_catch_all:
        return said
    wrong = [
        problem
        for vs in services
        for step in vs.steps
        for problem in resolve.mistakes(mesh, view.namespace, step, _STRAY_PORT)
    ]
    if not wrong:
        return said
    return (*said, Route(match=RouteMatch(), action=Fail(reason=str(wrong[0])), origin=services[0].origin))


def _distinct(found: list[VirtualHost]) -> tuple[VirtualHost, ...]:
    """Without domains that an earlier host has: Envoy refuses a whole table for one that is there twice."""
    every = [domain for host in found for domain in host.domains]
    if len(set(every)) == len(every):
        return tuple(found)
    seen: set[str] = set()
    kept = []
    for host in found:
        fresh = tuple(domain for domain in host.domains if domain not in seen)
        seen.update(fresh)
        if fresh == host.domains:
            kept.append(host)
        elif fresh:
            kept.append(VirtualHost(name=host.name, domains=fresh, routes=host.routes, origin=host.origin))
    return tuple(kept)
