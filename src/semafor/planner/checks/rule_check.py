"""What is wrong with one DestinationRule, seen against the mesh."""

from collections.abc import Iterator
from math import ceil

from semafor.base import names
from semafor.base.problem import Problem
from semafor.ir import Origin
from semafor.planner import touched
from semafor.planner.calling import client_tls
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.memo import Made
from semafor.planner.mesh import Mesh
from semafor.planner.services import instances
from semafor.planner.services.instances import Instance
from semafor.planner.traffic.destination_rule import DestinationRule
from semafor.planner.traffic.policy import Policy

_ALL = 100


def check(mesh: Mesh, rule: DestinationRule) -> tuple[Problem, ...]:
    """Every problem of the rule, but for those that other rules of the host make."""
    key = ("check", rule.origin.ref)
    if touched.of(mesh).leaves_instances(mesh.meant(rule.host)):
        known: tuple[Problem, ...] | None = mesh.memo.again(key)
        if known is not None:
            return known
    made = Made(
        near=lambda: (mesh.all_but_routes, rule),
        inputs=lambda: _inputs(mesh, rule),
        compute=lambda: tuple(_check(mesh, rule)),
    )
    return mesh.memo.near(key, made)


def _inputs(mesh: Mesh, rule: DestinationRule) -> tuple[object, ...]:
    """All that decides what is wrong with it."""
    namespace = rule.origin.ref.namespace
    service = mesh.service(rule.host, namespace)
    return (rule, service, service and mesh.instances(service), *client_tls.inputs(mesh, rule, namespace))


def _check(mesh: Mesh, rule: DestinationRule) -> Iterator[Problem]:
    yield from rule.problems
    yield from client_tls.mistakes(mesh, rule)
    if rule.host.startswith("*"):
        return
    service = mesh.service(rule.host, rule.origin.ref.namespace)
    if service is None:
        short = rule.host.removesuffix(names.service_host("", rule.origin.ref.namespace))
        yield problems.unknown_host(at(rule.origin, "host"), rule.host, short)
        return
    everyone = mesh.instances(service)
    for said, origin, labels in _parts(rule):
        members = instances.with_labels(everyone, labels)
        yield from _ejections(said, at(origin, "outlierDetection"), members)


def _parts(rule: DestinationRule) -> Iterator[tuple[Policy, Origin, tuple[tuple[str, str], ...]]]:
    """The policies of the whole host and of each subset, with where they are written and whom they are about."""
    yield rule.policy, at(rule.origin, "trafficPolicy"), ()
    for subset in rule.subsets:
        yield subset.policy, at(subset.origin, "trafficPolicy"), subset.labels


def _ejections(said: Policy, origin: Origin, members: tuple[Instance, ...]) -> Iterator[Problem]:
    """Envoy leaves out no instance when that would be more than the per cent that are allowed."""
    if said.outlier is None or not members:
        return
    allowed, least = said.outlier.max_ejection_percent, ceil(_ALL / len(members))
    if allowed < least:
        yield problems.never_ejects(origin, len(members), allowed, least)
