"""Destinations: from what a route says to a cluster, if there is one and it is live."""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.ir import HashKey
from semafor.planner.calling import clusters
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Labels
from semafor.planner.routes.step import Step, Target
from semafor.planner.routes.virtual_service import VirtualService
from semafor.planner.services import instances
from semafor.planner.traffic import policy
from semafor.planner.traffic.policy import Policy


class Resolved(Value):
    """The cluster of a destination, whether it may get requests now, and why it may not.

    `carrier` is the cluster for bytes, which on a port of an undeclared protocol is another one. `said` is what
    DestinationRules say of it.
    """

    cluster: str = ""
    carrier: str = ""
    live: bool = False
    hash_key: HashKey | None = None
    said: Policy = policy.NOTHING
    problem: Problem | None = None


Wrong = Callable[[Target], Problem]


def destination(mesh: Mesh, namespace: str, target: Target, listen_port: int, labels: Labels = ()) -> Resolved:
    """What the target means to callers of `namespace` with these labels that came in at `listen_port`.

    Source: Istio's GetDestinationCluster, for the port when the target names none.
    """
    asked = (target.host, target.subset, target.port, target.same_port, listen_port)
    key = ("destination", namespace, labels, asked)
    known, wrong = mesh.memo.once(key, lambda: _found(mesh, namespace, target, listen_port, labels))
    return replace(known, problem=wrong(target)) if wrong else known


def _found(
    mesh: Mesh, namespace: str, target: Target, listen_port: int, labels: Labels
) -> tuple[Resolved, Wrong | None]:
    """What is the same for all targets that ask for the same, and how to say what is wrong."""
    service = mesh.service(target.host, namespace)
    if service is None:
        return Resolved(), lambda one: problems.unknown_host(at(one.origin, one.host_path), one.host, one.short)
    sole = service.ports[0].number if len(service.ports) == 1 and not target.same_port else listen_port
    number = target.port or sole
    port = service.port(number)
    if port is None:
        return Resolved(), lambda one: problems.unknown_port(at(one.origin, one.port_path), number, one.host)
    rule = mesh.rule(service.host, namespace, service.namespace, labels)
    said = clusters.policy_of(rule, port, target.subset)
    known = Resolved(
        cluster=clusters.name(service, port, target.subset),
        carrier=clusters.bytes_name(service, port, target.subset),
        live=True,
        hash_key=said.balancing.hash_key if said.balancing else None,
        said=said,
    )
    if not target.subset:
        return known, None
    part = rule.subset(target.subset) if rule else None
    if part is None:
        return Resolved(), _unknown_subset
    if service.resolution in {"none", "dynamic_dns"}:  # whose instances only the caller knows
        return known, None
    if not instances.some(mesh.instances(service), part.labels, port.name):
        return replace(known, live=False), _subset_not_live
    return known, None


def _unknown_subset(target: Target) -> Problem:
    return problems.unknown_subset(at(target.origin, target.subset_path), target.subset, target.host)


def _subset_not_live(target: Target) -> Problem:
    return problems.subset_not_live(at(target.origin, target.subset_path), target.subset, target.host)


def inputs(mesh: Mesh, namespace: str, services: tuple[VirtualService, ...], labels: Labels = ()) -> Iterator[object]:
    """Everything that the destinations of these VirtualServices are resolved by, the objects themselves included."""
    for vs in services:
        yield vs
        for host in vs.destinations:
            service = mesh.service(host, namespace)
            yield service
            if service:
                yield mesh.instances(service)
                yield mesh.rule(host, namespace, service.namespace, labels)


def members(mesh: Mesh, namespace: str, services: tuple[VirtualService, ...]) -> Iterator[object]:
    """The instances of the destinations of these VirtualServices."""
    for vs in services:
        for host in vs.destinations:
            if service := mesh.service(host, namespace):
                yield mesh.instances(service)


def weighted(step: Step) -> tuple[Target, ...]:
    """The targets that may get requests at all: those of weight 0 get none, unless there is only one.

    Source: Istio's applyHTTPRouteDestination.
    """
    targets = step.will.targets
    return targets if len(targets) == 1 else tuple(target for target in targets if target.weight > 0)


def live(mesh: Mesh, namespace: str, step: Step, listen_port: int, labels: Labels = ()) -> bool:
    """Whether the step may take requests now.

    One with no live destination is held: the routing that applies without it stays, so that the order in which objects
    and pods appear never makes a moment of failures. See docs/decisions/.
    """
    if not mesh.options.hold or not step.will.forwards:
        return True
    return any(destination(mesh, namespace, target, listen_port, labels).live for target in weighted(step))


def mistakes(mesh: Mesh, namespace: str, step: Step, listen_port: int) -> Iterator[Problem]:
    """What is wrong with the step's destinations, and those of copies."""
    for target in (*step.will.targets, *(mirrored.target for mirrored in step.will.mirrors)):
        if problem := destination(mesh, namespace, target, listen_port).problem:
            yield problem
