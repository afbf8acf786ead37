"""What a backendRef leads to, or why it leads nowhere."""

from collections.abc import Iterator

from semafor.base import names
from semafor.base.problem import ObjectRef
from semafor.base.struct import Value
from semafor.planner.gateway_api import grant
from semafor.planner.gateway_api.route import Mirroring, Route, Rule
from semafor.planner.mesh import Mesh
from semafor.planner.services.service import Service


class Resolved(Value):
    """The host behind a reference and, when there is none, the specification's reason."""

    host: str = ""
    reason: str = ""
    message: str = ""


def resolve(mesh: Mesh, route: Route, target: ObjectRef, port: int) -> Resolved:
    """The host that the route's reference means. Beside Services, Istio's references to a `Hostname` are known.

    Routes of Services alone need no ReferenceGrant, as in Istio: their callers may call any Service anyway.
    """
    host = _host(target)
    if not host:
        return Resolved(reason="InvalidKind", message=f"{target} is not a Service")
    free = target.kind != "Service" or route.in_mesh
    if not free and not grant.permits(mesh.reference_grants.values(), route.ref, target):
        why = f"no ReferenceGrant in {target.namespace} lets a {route.kind} of {route.ref.namespace} refer to {target}"
        return Resolved(reason="RefNotPermitted", message=why)
    service = mesh.by_host.get(host)
    if service is None:
        return Resolved(reason="BackendNotFound", message=f"there is no {target}")
    return _port(service, target, port, route)


def _host(target: ObjectRef) -> str:
    """The host that the reference stands for; empty for kinds that are no backends."""
    match target.group, target.kind:
        case ("", "Service"):
            return names.service_host(target.name, target.namespace)
        case ("networking.istio.io", "Hostname"):
            return target.name
    return ""


def _port(service: Service, target: ObjectRef, number: int, route: Route) -> Resolved:
    ports = (service.port(number), service.udp_port(number))
    found, other = reversed(ports) if route.kind == "UDPRoute" else ports
    if found is None and other is None:
        return Resolved(reason="BackendNotFound", message=f"{target} has no port {number}")
    if found is None:
        return Resolved(reason="UnsupportedProtocol", message=f"the port {number} of {target} does not carry that")
    return Resolved(host=service.host)


def inputs(mesh: Mesh) -> tuple[object, ...]:
    """All that `resolve` depends on beside the services."""
    return (mesh.reference_grants,)


def hosts(route: Route) -> Iterator[str]:
    """The hosts that the route names, whether or not they are there."""
    for rule in route.rules:
        refs = [*(backend.ref for backend in rule.backends), *(mirror.ref for mirror in _mirrors(rule))]
        for ref in refs:
            if host := _host(ref):
                yield host


def _mirrors(rule: Rule) -> Iterator[Mirroring]:
    yield from rule.filters.mirrors
    for backend in rule.backends:
        yield from backend.filters.mirrors
