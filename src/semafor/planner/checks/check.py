"""Problems that need no proxy: what is wrong with the objects themselves, and between them."""

from collections.abc import Iterable, Iterator

from semafor.base.problem import ObjectRef, Problem
from semafor.planner import authorization
from semafor.planner.checks import registry_check, rival_check, route_check, rule_check, sidecar_check, topic, udp_check
from semafor.planner.checks.topic import Topic
from semafor.planner.gateway import check as gateway_check
from semafor.planner.gateway_api import check as api_check
from semafor.planner.gateway_api.route import KINDS as ROUTES
from semafor.planner.mesh import Mesh
from semafor.planner.security import peer_authentication, request_authentication
from semafor.planner.security.request_authentication import RequestAuthentication
from semafor.planner.smi import check as smi
from semafor.planner.telemetry import wanted
from semafor.planner.traffic import destination_rule
from semafor.planner.traffic.destination_rule import DestinationRule


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


def _tokens(mesh: Mesh, policy: RequestAuthentication) -> Iterator[Problem]:
    yield from request_authentication.check(policy, mesh.token_keys)


def _peer_authentications(mesh: Mesh) -> Iterator[Problem]:
    yield from peer_authentication.check(mesh.peer_authentications, mesh.options.root_namespace)


def _rivals(mesh: Mesh) -> Iterator[Problem]:
    yield from rival_check.in_mesh(mesh)
    for workload in gateway_check.workloads(mesh):
        yield from rival_check.at_gateway(mesh, workload)


# What is looked at. A kind of mistake is a function, and its line here.
TOPICS: tuple[Topic, ...] = (
    Topic(pieces=lambda mesh: mesh.all_virtual_services, about=Mesh.saying, problems=route_check.alone),
    Topic(pieces=lambda mesh: mesh.routing_by_host, about=route_check.hosts_of, problems=route_check.between),
    topic.each("DestinationRule", lambda mesh: mesh.destination_rules, rule_check.check),
    Topic(pieces=lambda mesh: _rules_by_host(mesh).values(), about=_rules_beside, problems=_between_rules),
    topic.each("TrafficTarget", lambda mesh: mesh.traffic_targets, smi.target),
    topic.each("HTTPRouteGroup", lambda mesh: mesh.route_groups, smi.group),
    topic.each("TCPRoute", lambda mesh: mesh.port_groups, smi.ports),
    topic.each("RequestAuthentication", lambda mesh: mesh.request_authentications, _tokens),
    topic.each("AuthorizationPolicy", lambda mesh: mesh.authorization_policies, authorization.check),
    topic.whole(("PeerAuthentication",), _peer_authentications),
    topic.whole(("PeerAuthentication", "AuthorizationPolicy"), udp_check.check),
    topic.each("Telemetry", lambda mesh: mesh.telemetries, wanted.check),
    topic.whole(("Telemetry",), wanted.between),
    topic.each("EnvoyFilter", lambda mesh: mesh.envoy_filters, lambda _, one: one.problems),
    topic.each("VirtualService", lambda mesh: mesh.virtual_services, route_check.delegate),
    topic.whole(("Gateway",), gateway_check.gateways),
    topic.whole(("Gateway", "ListenerSet", "BackendTLSPolicy", *ROUTES), api_check.problems),
    topic.whole(("VirtualService", "TrafficSplit", *ROUTES), _rivals),
    topic.whole(("ServiceEntry", "WorkloadEntry", "WorkloadGroup"), registry_check.check),
    topic.whole(("Sidecar",), sidecar_check.check),
)
