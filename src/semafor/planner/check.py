"""Problems that need no proxy: what is wrong with the objects themselves, and between them."""

from collections.abc import Iterable, Iterator
from functools import partial

from semafor.base.problem import ObjectRef, Problem
from semafor.planner import (
    delegates,
    destination_rule,
    problems,
    registry_check,
    resolve,
    rule_check,
    sidecar_check,
    topic,
)
from semafor.planner.destination_rule import DestinationRule
from semafor.planner.gateway import check as gateway_check
from semafor.planner.gateway_api import check as api_check
from semafor.planner.gateway_api.route import KINDS as ROUTES
from semafor.planner.mesh import Mesh
from semafor.planner.security import peer_authentication
from semafor.planner.smi import check as smi
from semafor.planner.step import Step
from semafor.planner.topic import Topic
from semafor.planner.virtual_service import VirtualService

_ANY_PORT = 80  # for hosts that no service has


def check(mesh: Mesh) -> tuple[Problem, ...]:
    """Every problem once, sorted by object."""
    return mesh.memo("problems", mesh.tables, lambda: _sorted(_all(mesh)))


def about(mesh: Mesh, ref: ObjectRef) -> tuple[Problem, ...]:
    """The problems of one object: what `check` says of it, without a look at what has nothing to do with it."""
    return tuple(problem for problem in _sorted(_touching(mesh, ref)) if problem.ref == ref)


def _sorted(found: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(dict.fromkeys(found), key=lambda problem: (str(problem.ref), problem.path)))


def _all(mesh: Mesh) -> Iterator[Problem]:
    yield from mesh.unreadable.values()
    for each in TOPICS:
        for piece in each.pieces(mesh):
            yield from each.problems(mesh, piece)


def _touching(mesh: Mesh, ref: ObjectRef) -> Iterator[Problem]:
    if ref in mesh.unreadable:
        yield mesh.unreadable[ref]
    for each in TOPICS:
        for piece in each.about(mesh, ref):
            yield from each.problems(mesh, piece)


def _routes(mesh: Mesh, vs: VirtualService) -> Iterator[Problem]:
    own = (mesh.by_host.get(host) for host in vs.hosts)
    inputs = (*own, *gateway_check.named(mesh, vs), *resolve.inputs(mesh, vs.origin.ref.namespace, (vs,)))
    yield from mesh.memo(("check", vs.origin.ref), inputs, partial(_alone, mesh, vs))
    yield from gateway_check.routes(mesh, vs)


def _delegate(mesh: Mesh, vs: VirtualService) -> Iterator[Problem]:
    """What is wrong with one without hosts, but for its destinations, which depend on who hands over to it."""
    if vs.hosts:
        return
    yield from vs.problems
    if (vs.origin.ref.namespace, vs.origin.ref.name) not in _delegated(mesh):
        yield problems.delegate_unused(vs.origin)


def _delegated(mesh: Mesh) -> frozenset[tuple[str, str]]:
    services = mesh.virtual_services
    named = (key for vs in services.values() for key in delegates.named(vs))
    return mesh.memo("delegated", (services,), lambda: frozenset(named))


def _alone(mesh: Mesh, vs: VirtualService) -> tuple[Problem, ...]:
    """What is wrong with one VirtualService, whatever the others say."""
    return (*vs.problems, *_destinations(mesh, vs), *_own_order(vs))


def _ports(mesh: Mesh, vs: VirtualService) -> tuple[int, ...]:
    """The ports where requests for the object's hosts come in."""
    services = [mesh.by_host[host] for host in vs.hosts if host in mesh.by_host] if vs.in_mesh else []
    found = [port.number for service in services for port in service.ports if port.protocol.is_routed]
    return tuple(dict.fromkeys([*found, *gateway_check.ports(mesh, vs)])) or (_ANY_PORT,)


def _destinations(mesh: Mesh, vs: VirtualService) -> Iterator[Problem]:
    namespace = vs.origin.ref.namespace
    for port in _ports(mesh, vs):
        for step in vs.steps:
            if step.source.port in {0, port}:
                yield from resolve.mistakes(mesh, namespace, step, port)
                if not resolve.live(mesh, namespace, step, port):
                    yield problems.held(step.origin)


def _own_order(vs: VirtualService) -> Iterator[Problem]:
    """Steps behind one that takes everything."""
    last: Step | None = None
    for step in vs.steps:
        if last:
            yield problems.unreachable(step.origin, last.origin)
        elif step.takes_all and not step.source.port:
            last = step


def _hosts_of(mesh: Mesh, ref: ObjectRef) -> Iterable[str]:
    """The hosts that the object has routes for."""
    return dict.fromkeys(host for vs in mesh.saying(ref) if vs.in_mesh for host in vs.hosts)


def _host(mesh: Mesh, host: str) -> tuple[Problem, ...]:
    """What is wrong between the VirtualServices of one host."""
    services = tuple(sorted(mesh.routing_by_host.at(host), key=lambda vs: vs.age, reverse=True))
    if len(services) < 2:
        return ()
    inputs = (item for vs in services for item in resolve.inputs(mesh, vs.origin.ref.namespace, (vs,)))
    return mesh.memo(("between", host), tuple(inputs), lambda: tuple(_between(mesh, services)))


def _between(mesh: Mesh, services: tuple[VirtualService, ...]) -> Iterator[Problem]:
    """Steps that those of newer objects for the same host make useless, as far as all callers see both."""
    if mesh.options.several_virtual_services == "oldest":
        yield from (problems.ignored(vs.origin, services[-1].origin) for vs in services[:-1])
        return
    taken: dict[object, Step] = {}
    for vs in services:
        own: dict[object, Step] = {}
        for step in vs.steps:
            key = (step.match, step.source)
            if winner := taken.get(key):
                yield problems.overridden(step.origin, winner.origin)
                yield problems.overrides(winner.origin, step.origin)
            elif resolve.live(mesh, vs.origin.ref.namespace, step, _ports(mesh, vs)[0]):
                own.setdefault(key, step)
            if step.takes_all:
                break
        taken = {**own, **taken}


_Rules = tuple[DestinationRule, ...]


def _rules_by_host(mesh: Mesh) -> dict[tuple[str, str], _Rules]:
    """The rules of one namespace for one host, together."""
    return mesh.memo("check rules", (mesh.destination_rules,), lambda: _grouped(mesh.destination_rules.values()))


def _grouped(rules: Iterable[DestinationRule]) -> dict[tuple[str, str], _Rules]:
    found: dict[tuple[str, str], list[DestinationRule]] = {}
    for rule in rules:
        found.setdefault((rule.origin.ref.namespace, rule.host), []).append(rule)
    return {key: tuple(each) for key, each in found.items()}


def _rules_beside(mesh: Mesh, ref: ObjectRef) -> Iterator[_Rules]:
    rule = mesh.destination_rules.get((ref.namespace, ref.name)) if ref.kind == "DestinationRule" else None
    if rule:
        yield _rules_by_host(mesh)[ref.namespace, rule.host]


def _between_rules(_: Mesh, rules: _Rules) -> tuple[Problem, ...]:
    """What they say differently of the same."""
    return destination_rule.merged(rules)[1] if len(rules) > 1 else ()


def _peer_authentications(mesh: Mesh) -> Iterator[Problem]:
    yield from peer_authentication.check(mesh.peer_authentications, mesh.options.root_namespace)


# What is looked at. A kind of mistake is a function, and its line here.
TOPICS: tuple[Topic, ...] = (
    Topic(pieces=lambda mesh: mesh.all_virtual_services, about=Mesh.saying, problems=_routes),
    Topic(pieces=lambda mesh: mesh.routing_by_host, about=_hosts_of, problems=_host),
    topic.each("DestinationRule", lambda mesh: mesh.destination_rules, rule_check.check),
    Topic(pieces=lambda mesh: _rules_by_host(mesh).values(), about=_rules_beside, problems=_between_rules),
    topic.each("TrafficTarget", lambda mesh: mesh.traffic_targets, smi.target),
    topic.each("HTTPRouteGroup", lambda mesh: mesh.route_groups, smi.group),
    topic.each("TCPRoute", lambda mesh: mesh.port_groups, smi.ports),
    topic.each("AuthorizationPolicy", lambda mesh: mesh.authorization_policies, lambda _, one: one.problems),
    topic.whole(("PeerAuthentication",), _peer_authentications),
    topic.each("EnvoyFilter", lambda mesh: mesh.envoy_filters, lambda _, one: one.problems),
    topic.each("VirtualService", lambda mesh: mesh.virtual_services, _delegate),
    topic.whole(("Gateway",), gateway_check.gateways),
    topic.whole(("Gateway", "ListenerSet", "BackendTLSPolicy", *ROUTES), api_check.problems),
    topic.whole(("ServiceEntry", "WorkloadEntry", "WorkloadGroup"), registry_check.check),
    topic.whole(("Sidecar",), sidecar_check.check),
)
