"""Problems that need no proxy: what is wrong with the objects themselves, and between them."""

from collections.abc import Iterator

from semafor.base.problem import Problem
from semafor.planner import destination_rule, problems, resolve
from semafor.planner.destination_rule import DestinationRule
from semafor.planner.mesh import Mesh
from semafor.planner.virtual_service import Step, VirtualService

_ANY_PORT = 80  # for hosts that no service has


def check(mesh: Mesh) -> tuple[Problem, ...]:
    """Every problem once, sorted by object."""
    key = "problems"
    if key not in mesh.once:
        found = dict.fromkeys(_all(mesh))
        mesh.once[key] = tuple(sorted(found, key=lambda problem: (str(problem.ref), problem.path)))
    known: tuple[Problem, ...] = mesh.once[key]
    return known


def _all(mesh: Mesh) -> Iterator[Problem]:
    yield from mesh.unreadable.values()
    for vs in mesh.virtual_services.values():
        yield from vs.problems
        yield from _destinations(mesh, vs)
        yield from _own_order(vs)
        if not vs.in_mesh:
            yield problems.gateway_only(problems.at(vs.origin, "gateways"))
    for host in sorted({host for vs in mesh.virtual_services.values() for host in vs.hosts}):
        yield from _between(mesh, host)
    for rule in mesh.destination_rules.values():
        yield from rule.problems
        yield from _rule_host(mesh, rule)
    yield from _between_rules(mesh)


def _ports(mesh: Mesh, vs: VirtualService) -> tuple[int, ...]:
    """The ports where requests for the object's hosts come in."""
    services = [mesh.by_host[host] for host in vs.hosts if host in mesh.by_host]
    return tuple(port.number for service in services for port in service.ports if port.protocol.is_routed) or (
        _ANY_PORT,
    )


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


def _between(mesh: Mesh, host: str) -> Iterator[Problem]:
    """Steps that those of newer objects for the same host make useless, as far as all callers see both."""
    services = tuple(sorted(_for_host(mesh, host), key=lambda vs: vs.age, reverse=True))
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


def _for_host(mesh: Mesh, host: str) -> Iterator[VirtualService]:
    return (vs for vs in mesh.virtual_services.values() if vs.in_mesh and host in vs.hosts)


def _rule_host(mesh: Mesh, rule: DestinationRule) -> Iterator[Problem]:
    if not rule.host.startswith("*") and rule.host not in mesh.by_host:
        short = rule.host.removesuffix(".svc.cluster.local")
        yield problems.unknown_host(problems.at(rule.origin, "host"), rule.host, short)


def _between_rules(mesh: Mesh) -> Iterator[Problem]:
    """Rules of one namespace for one host that say different things of the same."""
    grouped: dict[tuple[str, str], list[DestinationRule]] = {}
    for rule in mesh.destination_rules.values():
        grouped.setdefault((rule.origin.ref.namespace, rule.host), []).append(rule)
    for rules in grouped.values():
        yield from destination_rule.merged(tuple(rules))[1]
