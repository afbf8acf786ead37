"""What is wrong with SMI's objects, but for the routes of TrafficSplits, which are checked as VirtualServices are."""

from collections.abc import Iterator

from semafor.base.problem import Problem
from semafor.planner.checks import problems
from semafor.planner.mesh import Mesh
from semafor.planner.services.instances import Key
from semafor.planner.smi import access
from semafor.planner.smi.access import TrafficTarget
from semafor.planner.smi.specs import PortGroup, RouteGroup


def target(mesh: Mesh, one: TrafficTarget) -> Iterator[Problem]:
    """Of a TrafficTarget."""
    return access.check(one, mesh.traffic_specs)


def group(mesh: Mesh, one: RouteGroup) -> Iterator[Problem]:
    """Of an HTTPRouteGroup."""
    yield from one.problems
    if ("HTTPRouteGroup", _key(one)) not in _used(mesh):
        yield problems.unused_traffic(one.origin)


def ports(mesh: Mesh, one: PortGroup) -> Iterator[Problem]:
    """Of a TCPRoute."""
    if ("TCPRoute", _key(one)) not in _used(mesh):
        yield problems.unused_traffic(one.origin)


def _key(one: RouteGroup | PortGroup) -> Key:
    return (one.origin.ref.namespace, one.origin.ref.name)


def _used(mesh: Mesh) -> frozenset[tuple[str, Key]]:
    """The kinds of traffic that some object refers to."""
    inputs = (mesh.traffic_splits, mesh.traffic_targets)
    return mesh.memo("used traffic", inputs, lambda: frozenset(_references(mesh)))


def _references(mesh: Mesh) -> Iterator[tuple[str, Key]]:
    for split in mesh.traffic_splits.values():
        yield from (("HTTPRouteGroup", key) for key in split.keys)
    for one in mesh.traffic_targets.values():
        yield from ((reference.kind, reference.key) for reference in one.references)
