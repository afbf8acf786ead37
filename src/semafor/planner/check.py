"""Problems that need no proxy: what is wrong with the objects themselves, and between them."""

from collections.abc import Iterable, Iterator
from functools import partial

from semafor.base import names
from semafor.base.problem import Problem
from semafor.planner import delegates, destination_rule, problems, registry_check, resolve
from semafor.planner.destination_rule import DestinationRule
from semafor.planner.gateway import check as gateway_check
from semafor.planner.mesh import Mesh
from semafor.planner.smi import check as smi
from semafor.planner.step import Step
from semafor.planner.virtual_service import VirtualService

_ANY_PORT = 80  # for hosts that no service has


def check(mesh: Mesh) -> tuple[Problem, ...]:
    """Every problem once, sorted by object."""
    return mesh.memo("problems", mesh.tables, lambda: _sorted(_all(mesh)))


def _sorted(found: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(dict.fromkeys(found), key=lambda problem: (str(problem.ref), problem.path)))


def _all(mesh: Mesh) -> Iterator[Problem]:
    yield from mesh.unreadable.values()
    yield from mesh.memo("check delegates", (mesh.virtual_services,), lambda: tuple(_delegates(mesh)))
    for vs in mesh.all_virtual_services:
        own = (mesh.by_host.get(host) for host in vs.hosts)
        inputs = (*own, *resolve.inputs(mesh, vs.origin.ref.namespace, (vs,)))
        yield from mesh.memo(("check", vs.origin.ref), inputs, partial(_alone, mesh, vs))
        yield from gateway_check.routes(mesh, vs)
    for host in mesh.routing_by_host:
        services = [vs for pattern, vs in mesh.routing_by_host.covering(host) if pattern == host]
        if len(services) > 1:
            yield from _between(mesh, tuple(sorted(services, key=lambda vs: vs.age, reverse=True)))
    for rule in mesh.destination_rules.values():
        yield from rule.problems
        yield from _rule_host(mesh, rule)
    yield from smi.check(mesh.traffic_specs, mesh.traffic_splits, mesh.traffic_targets)
    for one in mesh.envoy_filters.values():
        yield from one.problems
    yield from gateway_check.gateways(mesh)
    yield from registry_check.check(mesh)
    yield from mesh.memo("check rules", (mesh.destination_rules,), lambda: tuple(_between_rules(mesh)))


def _delegates(mesh: Mesh) -> Iterator[Problem]:
    """What is wrong with those without hosts, but for their destinations, which depend on who hands over to them."""
    named = {key for vs in mesh.virtual_services.values() for key in delegates.named(vs)}
    for key, vs in mesh.virtual_services.items():
        if not vs.hosts:
            yield from vs.problems
            if key not in named:
                yield problems.delegate_unused(vs.origin)


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


def _rule_host(mesh: Mesh, rule: DestinationRule) -> Iterator[Problem]:
    if not rule.host.startswith("*") and rule.host not in mesh.by_host:
        short = rule.host.removesuffix(names.service_host("", rule.origin.ref.namespace))
        yield problems.unknown_host(problems.at(rule.origin, "host"), rule.host, short)


def _between_rules(mesh: Mesh) -> Iterator[Problem]:
    """Rules of one namespace for one host that say different things of the same."""
    grouped: dict[tuple[str, str], list[DestinationRule]] = {}
    for rule in mesh.destination_rules.values():
        grouped.setdefault((rule.origin.ref.namespace, rule.host), []).append(rule)
    for rules in grouped.values():
        yield from destination_rule.merged(tuple(rules))[1]
