"""Routes of Services: what callers in the mesh get, all (producers' routes) or those of one namespace (consumers').

Source: GEP-1294. Consumers' routes stand in place of the producers' for callers of their namespace.
"""

from collections.abc import Iterator

from semafor.planner.calling.view import View
from semafor.planner.gateway_api import attach, backends, steps
from semafor.planner.gateway_api.attach import MeshRoute
from semafor.planner.mesh import Mesh
from semafor.planner.routes.step import L4Step, Step
from semafor.planner.services.service import Port, Service


def routed(mesh: Mesh, view: View, service: Service, port: Port) -> tuple[MeshRoute, ...]:
    """The routes that these callers meet at the port of the service; none leaves it as it is."""
    if not some(mesh):
        return ()
    every = attach.attachments(mesh).services.get((service.namespace, service.name), ())
    here = [one for one in every if one.port == port.number and service.registry == "Kubernetes"]
    own = tuple(one for one in here if one.consumer == view.namespace)
    return own or tuple(one for one in here if not one.consumer)


def http(mesh: Mesh, view: View, service: Service, port: Port) -> tuple[Step, ...] | None:
    """The steps of the routes, in order; None where there are none. A TCPRoute takes requests as well as other bytes.

    A request that meets none of them is answered 404, as the specification wants it.
    """
    found = routed(mesh, view, service, port)
    if not found:
        return None
    if not found[0].route.is_http:
        return tuple(steps.of_all(mesh, one.route) for one in found[:1])
    return steps.of(mesh, steps.Place(port=port.number), (steps.Chosen(route=one.route) for one in found))


def of_bytes(mesh: Mesh, view: View, service: Service, port: Port) -> tuple[L4Step, ...]:
    """The step of the oldest TLSRoute or TCPRoute; it takes all connections, as GEP-1294 gives hostnames no meaning."""
    found = [one.route for one in routed(mesh, view, service, port) if not one.route.is_http]
    return tuple(steps.l4(mesh, route, ()) for route in found[:1])


def ground(mesh: Mesh) -> object:
    """The same object while nothing changes but other APIs' routes and the instances of services.

    With routes of this API, instances change it too: those of any service may be what a route leads to.
    """
    return mesh.all_but_routes if some(mesh) else mesh.all_but_routes_and_instances


def some(mesh: Mesh) -> bool:
    """Whether there are any routes of this API."""
    return bool(mesh.http_routes or mesh.grpc_routes or mesh.tls_routes or mesh.tcp_routes)


def inputs(mesh: Mesh, view: View, service: Service) -> Iterator[object]:
    """All that the routes of the service depend on."""
    for port in service.ports:
        for one in routed(mesh, view, service, port):
            yield one.route
            yield from _targets(mesh, one)
            yield from backends.inputs(mesh)


def _targets(mesh: Mesh, one: MeshRoute) -> Iterator[object]:
    for host in backends.hosts(one.route):
        service = mesh.by_host.get(host)
        yield service
        if service:
            yield mesh.instances(service)
            yield mesh.rule(host, one.consumer or one.route.ref.namespace, service.namespace)
