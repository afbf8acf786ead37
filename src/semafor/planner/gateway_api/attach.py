"""Which route belongs to which listener or Service, and why a route belongs to none."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from semafor.base.problem import ObjectRef
from semafor.base.struct import Value
from semafor.planner.gateway_api import GROUP, hostnames, listeners, verdict
from semafor.planner.gateway_api.gateway import Listener
from semafor.planner.gateway_api.listeners import GatewayState, State
from semafor.planner.gateway_api.route import Parent, Route
from semafor.planner.gateway_api.verdict import Verdict
from semafor.planner.mesh import Mesh
from semafor.planner.services.instances import Key
from semafor.planner.services.service import Port, Service

# Of several kinds of routes for one port of a Service the first applies alone. Source: GEP-1294.
_BY_SPECIFICITY = ("GRPCRoute", "HTTPRoute", "TLSRoute", "TCPRoute")


class Joined(Value, cache_hash=True):
    """A route at a listener: the hosts that both take, each with the hostname that the route has written for it."""

    route: Route
    hosts: tuple[tuple[str, str], ...]


class MeshRoute(Value, cache_hash=True):
    """A route at one port of a Service. `consumer` is the namespace whose callers it is for; empty for all."""

    route: Route
    port: int
    consumer: str = ""


class Outcome(Value):
    """What became of one parent of a route. `section` is not empty where a listener took it."""

    parent: Parent
    accepted: Verdict
    controller: str
    listeners: tuple[tuple[ObjectRef, str], ...] = ()  # owner, name


@dataclass(frozen=True)
class Attachments:
    """Everything about who belongs to whom. `services` is by namespace and name, `listeners` by owner and name."""

    outcomes: Mapping[ObjectRef, tuple[Outcome, ...]] = field(default_factory=dict)
    listeners: Mapping[tuple[ObjectRef, str], tuple[Joined, ...]] = field(default_factory=dict)
    services: Mapping[Key, tuple[MeshRoute, ...]] = field(default_factory=dict)


MESH_CONTROLLER = "semafor.io/mesh-controller"


def routes(mesh: Mesh) -> tuple[Route, ...]:
    """Every route of every kind, the oldest first."""
    tables = (mesh.http_routes, mesh.grpc_routes, mesh.tls_routes, mesh.tcp_routes, mesh.udp_routes)
    return mesh.memo(
        "gateway api routes",
        tables,
        lambda: tuple(
            sorted((one for table in tables for one in table.values()), key=lambda one: (one.seniority, one.kind))
        ),
    )


def attachments(mesh: Mesh) -> Attachments:
    """Who belongs to whom now."""
    gateways, every = listeners.states(mesh), routes(mesh)
    inputs = (gateways, every, mesh.services, mesh.namespaces, mesh.gateway_classes)
    return mesh.memo("gateway api attachments", inputs, lambda: _attach(mesh, gateways, every))


def _attach(mesh: Mesh, gateways: Mapping[Key, GatewayState], every: tuple[Route, ...]) -> Attachments:
    joined: dict[tuple[ObjectRef, str], list[Joined]] = {}
    outcomes: dict[ObjectRef, tuple[Outcome, ...]] = {}
    services = _services(mesh, every)
    for route in every:
        found: list[Outcome] = []
        for parent in route.parents:
            if (parent.ref.group, parent.ref.kind) == ("", "Service"):
                found += _at_service(mesh, route, parent, services)
            elif parent.ref.group == GROUP:
                found += _at_gateway(mesh, gateways, route, parent)
        for outcome in found:
            for place in outcome.listeners:
                joined.setdefault(place, []).append(_join(gateways, route, place))
        outcomes[route.ref] = tuple(found)
    return Attachments(
        outcomes=outcomes,
        listeners={place: tuple(dict.fromkeys(found)) for place, found in joined.items()},
        services=services,
    )


# --- at gateways ---


def _at_gateway(mesh: Mesh, gateways: Mapping[Key, GatewayState], route: Route, parent: Parent) -> Iterator[Outcome]:
    """What becomes of the route at a Gateway or ListenerSet; nothing where those are not ours."""
    found = _owner(gateways, parent.ref)
    if found is None:
        return
    state, candidates, refusal = found
    controller = mesh.gateway_classes["", state.gateway.class_name].controller
    if refusal:
        yield Outcome(parent=parent, accepted=refusal, controller=controller)
        return
    named = [
        one for one in candidates if parent.section in {"", one.listener.name} and parent.port in {0, one.listener.port}
    ]
    allowed = [one for one in named if _allows(mesh, one, route)]
    meeting = [one for one in allowed if _meet(one.listener, route)]
    yield Outcome(
        parent=parent,
        accepted=_verdict(parent, named, allowed, meeting, route),
        controller=controller,
        listeners=tuple((one.listener.owner, one.listener.name) for one in meeting) if _works(route) else (),
    )


def _owner(
    gateways: Mapping[Key, GatewayState], ref: ObjectRef
) -> tuple[GatewayState, tuple[State, ...], Verdict | None] | None:
    """The Gateway behind a parent, the listeners that the parent stands for, and why it takes nobody."""
    if ref.kind == "Gateway":
        state = gateways.get((ref.namespace, ref.name))
        return (state, state.listeners, None) if state else None
    for state in gateways.values():
        for added in state.sets:
            if added.listener_set.ref == ref:
                why = None
                if not added.listeners:
                    why = verdict.refused(
                        "NoMatchingParent", f"{ref} is not part of its Gateway: {added.accepted.message}"
                    )
                return state, added.listeners, why
    return None


def _works(route: Route) -> bool:
    """Whether anything of the route can be put into effect."""
    return not route.rules or any(not rule.wrong for rule in route.rules)


def _verdict(parent: Parent, named: list[State], allowed: list[State], meeting: list[State], route: Route) -> Verdict:
    if not named:
        wanted = f"{parent.section or 'any name'}, port {parent.port or 'any'}"
        return verdict.refused("NoMatchingParent", f"{parent.ref} has no listener that is meant ({wanted})")
    if not allowed:
        why = f"no listener of {parent.ref} takes a {route.kind} of the namespace {route.ref.namespace}"
        return verdict.refused("NotAllowedByListeners", why)
    if not meeting:
        why = f"no listener of {parent.ref} is for one of the route's hostnames"
        return verdict.refused("NoMatchingListenerHostname", why)
    return _by_rules(route, f"the route belongs to {parent.ref}")


def _by_rules(route: Route, message: str) -> Verdict:
    if not _works(route):
        incompatible = any("cannot be used together" in rule.wrong for rule in route.rules)
        return verdict.refused("IncompatibleFilters" if incompatible else "UnsupportedValue", route.rules[0].wrong)
    return verdict.accepted(message)


def _allows(mesh: Mesh, state: State, route: Route) -> bool:
    namespace = route.ref.namespace
    labels = dict(mesh.namespaces.get(("", namespace), ()))
    own = state.listener.owner.namespace
    return route.kind in state.kinds and state.listener.namespaces.takes(namespace, labels, own=own)


def _meet(listener: Listener, route: Route) -> tuple[tuple[str, str], ...]:
    if route.kind in {"TCPRoute", "UDPRoute"}:
        return ((hostnames.ANY, hostnames.ANY),)
    return tuple(hostnames.intersections(listener.hostname, route.hostnames))


def _join(gateways: Mapping[Key, GatewayState], route: Route, place: tuple[ObjectRef, str]) -> Joined:
    owner, name = place
    found = _owner(gateways, owner)
    assert found is not None, place
    listener = next(one.listener for one in found[1] if one.listener.name == name)
    return Joined(route=route, hosts=_meet(listener, route))


# --- at Services ---


def _services(mesh: Mesh, every: Iterable[Route]) -> Mapping[Key, tuple[MeshRoute, ...]]:
    """The routes of each Service's ports: of each group (producers, consumers of one namespace) one kind alone."""
    found: dict[tuple[Key, int, str], list[Route]] = {}
    for route in every:
        for parent in route.parents:
            service = _service(mesh, parent)
            if service is not None and route.kind in _BY_SPECIFICITY and _works(route):
                own = route.ref.namespace == service.namespace
                for number in _ports(service, parent, route.kind):
                    group = ((service.namespace, service.name), number, "" if own else route.ref.namespace)
                    found.setdefault(group, []).append(route)
    services: dict[Key, list[MeshRoute]] = {}
    for (key, number, consumer), members in found.items():
        kind = min((route.kind for route in members), key=_BY_SPECIFICITY.index)
        services.setdefault(key, []).extend(
            MeshRoute(route=route, port=number, consumer=consumer)
            for route in dict.fromkeys(members)
            if route.kind == kind
        )
    return {key: tuple(placed) for key, placed in services.items()}


def _service(mesh: Mesh, parent: Parent) -> Service | None:
    if (parent.ref.group, parent.ref.kind) != ("", "Service"):
        return None
    return mesh.services.get((parent.ref.namespace, parent.ref.name))


def _ports(service: Service, parent: Parent, kind: str = "") -> tuple[int, ...]:
    """The ports of the Service that the parent stands for; with a kind of route, those that carry what it routes."""
    return tuple(
        port.number
        for port in service.ports
        if parent.port in {0, port.number} and parent.section in {"", port.name} and _carries(port, kind)
    )


def _carries(port: Port, kind: str) -> bool:
    """Whether a route of the kind has anything to say of what the port carries."""
    if kind in {"HTTPRoute", "GRPCRoute"}:
        return port.protocol.is_routed
    return not kind or not port.protocol.is_http


def _at_service(
    mesh: Mesh, route: Route, parent: Parent, services: Mapping[Key, tuple[MeshRoute, ...]]
) -> Iterator[Outcome]:
    service = _service(mesh, parent)
    if service is None:
        return
    numbers = _ports(service, parent)
    placed = services.get((service.namespace, service.name), ())
    if not numbers:
        accepted = verdict.refused("NoMatchingParent", f"{parent.ref} has no port that is meant")
    elif route.kind not in _BY_SPECIFICITY:
        accepted = verdict.refused("NotAllowedByListeners", f"a {route.kind} cannot belong to a Service")
    elif not _ports(service, parent, route.kind):
        why = f"no port of {parent.ref} that is meant carries what a {route.kind} routes"
        accepted = verdict.refused("NoMatchingParent", why)
    elif not _works(route) or any(one.route is route and one.port in numbers for one in placed):
        accepted = _by_rules(route, f"the route belongs to {parent.ref}")
    else:
        why = f"a route of a more specific kind belongs to {parent.ref}"
        accepted = verdict.refused("Conflicted", why)
    yield Outcome(parent=parent, accepted=accepted, controller=MESH_CONTROLLER)
