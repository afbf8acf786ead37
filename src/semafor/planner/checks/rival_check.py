"""Routes of Istio's API and of the Gateway API for the same requests: which of them wins, told on both sides."""

from collections.abc import Iterator

from semafor.base.problem import Problem
from semafor.planner.calling import view as views
from semafor.planner.checks import route_problems
from semafor.planner.checks.problems import at
from semafor.planner.gateway import entrances, sources
from semafor.planner.gateway.attached import Attached
from semafor.planner.gateway.entrances import Entrance
from semafor.planner.gateway_api import attach
from semafor.planner.gateway_api.attach import MeshRoute
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Workload
from semafor.planner.routes.virtual_service import VirtualService


def in_mesh(mesh: Mesh) -> tuple[Problem, ...]:
    """At Services, routes of the Gateway API stand in place of VirtualServices."""
    attached = attach.attachments(mesh)
    inputs = (attached, mesh.all_virtual_services, mesh.services)
    return mesh.memo("rivals in the mesh", inputs, lambda: tuple(_in_mesh(mesh)) if attached.services else ())


def _in_mesh(mesh: Mesh) -> Iterator[Problem]:
    for (namespace, name), placed in attach.attachments(mesh).services.items():
        host = mesh.services[namespace, name].host
        for vs in (vs for _, vs in mesh.routing_by_host.covering(host)):
            for one in placed:
                if _says(vs, one):
                    place = at(vs.origin, "hosts")
                    yield route_problems.displaced(place, host, one.port, one.route.origin, one.consumer)
                    yield route_problems.displaces(one.route.origin, host, one.port, vs.origin)


def _says(vs: VirtualService, one: MeshRoute) -> bool:
    """Whether the VirtualService has anything to say of what the route takes."""
    return bool(vs.steps) if one.route.is_http else bool(vs.tcp or vs.tls)


def at_gateway(mesh: Mesh, workload: Workload) -> Iterator[Problem]:
    """At pods that serve Gateways of both APIs, the routes of the older Gateway are tried first."""
    for entrance in entrances.of(mesh, workload)[0]:
        if len({server.gateway.group for server in entrance.servers}) > 1:
            yield from _at_entrance(mesh, workload, entrance)


def _at_entrance(mesh: Mesh, workload: Workload, entrance: Entrance) -> Iterator[Problem]:
    view = views.of(mesh, workload)
    first: dict[str, tuple[str, Attached]] = {}
    for server in (server for server in entrance.servers if server.speaks == "http"):
        for attached in sources.attached(mesh, server, view):
            for domain in attached.domains if attached.steps else ():
                group, earlier = first.setdefault(domain, (server.gateway.group, attached))
                if group != server.gateway.group:
                    by = earlier.steps[0].origin
                    for ref in dict.fromkeys(step.origin.ref for step in attached.steps):
                        step = next(step for step in attached.steps if step.origin.ref == ref)
                        yield route_problems.asked_later(step.origin, domain, server.port, by)
