"""What callers of a view know: every service that their namespace sees, or what their Sidecar names.

Sidecar: egress ─▶ services by namespace and host, cut to the listener's port
                └▶ VirtualServices by the same ─▶ the services that they route to
         outboundTrafficPolicy ─▶ what becomes of everything else
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from semafor.planner import hosts
from semafor.planner.calling.view import View
from semafor.planner.mesh import Mesh
from semafor.planner.options import Options
from semafor.planner.routes.virtual_service import VirtualService
from semafor.planner.services import registry
from semafor.planner.services.service import Service
from semafor.planner.sidecar_rule import Egress, Sidecar


def sidecar(mesh: Mesh, view: View) -> Sidecar | None:
    """The Sidecar of the view."""
    return mesh.sidecars.get(view.sidecar) if view.sidecar else None


def services(mesh: Mesh, view: View) -> Mapping[str, Service]:
    """The services that callers of the view know, by host."""
    rule = sidecar(mesh, view)
    if rule is None or not rule.egress:
        return mesh.visible(view.namespace)
    named = mesh.memo(("named", *_key(view)), (rule, mesh.services, mesh.entries), lambda: _named(mesh, rule, view))
    inputs = (named, _imported(mesh, rule, view))
    return mesh.memo(("scope", *_key(view)), inputs, lambda: _with_destinations(mesh, named, rule, view))


def routing(mesh: Mesh, view: View, host: str) -> tuple[VirtualService, ...]:
    """The VirtualServices for the host that count for callers of the view, the newest first."""
    rule = sidecar(mesh, view)
    if rule is None or not rule.egress:
        return mesh.routing(host, view.namespace)
    inputs = (rule, mesh.all_virtual_services)
    key = ("routing", host, *_key(view))
    return mesh.memo(key, inputs, lambda: mesh.chosen_routing(host, view.namespace, lambda vs: _imports(rule, vs)))


def routed_hosts(mesh: Mesh, view: View) -> Iterable[str]:
    """The hosts that VirtualServices have routes for, of those that count for callers of the view."""
    rule = sidecar(mesh, view)
    if rule is None or not rule.egress:
        return mesh.routing_by_host
    return dict.fromkeys(host for vs in _imported(mesh, rule, view) for host in vs.hosts)


def options(mesh: Mesh, view: View) -> Options:
    """The mesh's options, with the outbound policy of the view's Sidecar."""
    rule = sidecar(mesh, view)
    if rule is None or not rule.outbound:
        return mesh.options
    return replace(mesh.options, outbound=rule.outbound)


def _key(view: View) -> tuple[str, tuple[str, str] | None]:
    return (view.namespace, view.sidecar)


def _imported(mesh: Mesh, rule: Sidecar, view: View) -> tuple[VirtualService, ...]:
    """The VirtualServices that the Sidecar names; the same objects while none of them changes."""
    inputs, namespace = (rule, mesh.all_virtual_services), view.namespace

    def found() -> tuple[VirtualService, ...]:
        seen = (
            vs for vs in mesh.all_virtual_services if hosts.visible(vs.export_to, vs.origin.ref.namespace, namespace)
        )
        return tuple(vs for vs in seen if vs.in_mesh and _imports(rule, vs))

    every = mesh.memo(("imported", *_key(view)), inputs, found)
    return mesh.memo(("imported alone", *_key(view)), every, lambda: every)


def _imports(rule: Sidecar, vs: VirtualService) -> bool:
    return any(each.touches(vs.origin.ref.namespace, host) for each in rule.egress for host in vs.hosts)


def _named(mesh: Mesh, rule: Sidecar, view: View) -> Mapping[str, Service]:
    """The services that the Sidecar names."""
    namespace = view.namespace
    seen = [each for each in mesh.every_service() if hosts.visible(each.export_to, each.namespace, namespace)]
    named = frozenset(each.port for each in rule.egress)
    found: dict[str, Service] = {}
    for listener in rule.egress:
        imported = [each for each in seen if listener.takes(each.namespace, each.host)]
        for service in _cut(registry.by_host(imported, namespace).values(), listener, named):
            known = found.get(service.host)
            found[service.host] = _united(known, service) if known else service
    return dict(sorted(found.items()))


def _with_destinations(mesh: Mesh, named: Mapping[str, Service], rule: Sidecar, view: View) -> Mapping[str, Service]:
    """And those that its VirtualServices lead to. Source: Istio's virtualServiceDestinations."""
    found = dict(named)
    for host in (host for vs in _imported(mesh, rule, view) for host in vs.destinations):
        if service := mesh.service(host, view.namespace):
            found.setdefault(service.host, service)
    return dict(sorted(found.items()))


def _cut(services: Iterable[Service], listener: Egress, named: frozenset[int]) -> Iterator[Service]:
    """The services with the ports that the listener is for: its own, or those that no other listener has."""
    for service in services:
        ports = tuple(
            port
            for port in service.ports
            if (port.number == listener.port if listener.port else port.number not in named)
        )
        if len(ports) == len(service.ports):
            yield service
        elif ports:
            yield replace(service, ports=ports)


def _united(one: Service, other: Service) -> Service:
    """Both listeners' ports of a service; of two services the first."""
    if one.namespace != other.namespace:
        return one
    ports = {port.number: port for port in (*one.ports, *other.ports)}
    return replace(one, ports=tuple(ports[number] for number in sorted(ports)))
