"""What is wrong with the objects of the Gateway API, as problems beside their statuses."""

from collections.abc import Iterator

from semafor.base.problem import ObjectRef, Problem
from semafor.ir import Origin
from semafor.planner.checks import problems as words
from semafor.planner.checks.problems import at
from semafor.planner.gateway_api import attach, backend_tls, backends, listeners
from semafor.planner.gateway_api.route import Route
from semafor.planner.gateway_api.verdict import Verdict
from semafor.planner.mesh import Mesh


def problems(mesh: Mesh) -> tuple[Problem, ...]:
    """Every problem of Gateways of ours, and of all routes."""
    own = (listeners.states(mesh), attach.attachments(mesh), backend_tls.states(mesh))
    inputs = (*own, mesh.services, mesh.reference_grants)
    return mesh.memo("gateway api problems", inputs, lambda: tuple(_problems(mesh)))


def _problems(mesh: Mesh) -> Iterator[Problem]:
    for state in listeners.states(mesh).values():
        gateway = state.gateway
        yield from gateway.problems
        if not state.accepted.holds:
            yield words.not_accepted(gateway.origin, state.accepted.reason, state.accepted.message)
        for one in state.every:
            for verdict in (one.accepted, one.resolved):
                if not verdict.holds:
                    yield words.not_accepted(one.listener.origin, verdict.reason, verdict.message)
        for each in state.sets:
            yield from each.listener_set.problems
            if not each.accepted.holds:
                yield words.not_accepted(each.listener_set.origin, each.accepted.reason, each.accepted.message)
    for route in attach.routes(mesh):
        yield from _route(mesh, route)
    for found in backend_tls.states(mesh).values():
        yield from found.policy.problems
        for said in (found.accepted, found.resolved):
            if not said.holds:
                yield words.not_accepted(found.policy.origin, said.reason, said.message)


def _route(mesh: Mesh, route: Route) -> Iterator[Problem]:
    yield from route.problems
    for outcome in attach.attachments(mesh).outcomes.get(route.ref, ()):
        accepted: Verdict = outcome.accepted
        if not accepted.holds:
            place = at(route.origin, f"parentRefs[{outcome.parent.index}]")
            yield words.not_accepted(place, accepted.reason, accepted.message)
    for target, port, origin in references(route):
        found = backends.resolve(mesh, route, target, port)
        if found.reason:
            yield words.not_accepted(origin, found.reason, found.message)


def references(route: Route) -> Iterator[tuple[ObjectRef, int, Origin]]:
    """Every backend that the route names: the object, its port, and where it is written."""
    for rule in route.rules:
        for backend in rule.backends:
            yield backend.ref, backend.port, backend.origin
            yield from ((each.ref, each.port, each.origin) for each in backend.filters.mirrors)
        yield from ((each.ref, each.port, each.origin) for each in rule.filters.mirrors)
