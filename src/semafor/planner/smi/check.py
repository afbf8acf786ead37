"""What is wrong with SMI's objects, but for the routes of TrafficSplits, which are checked as VirtualServices are."""

from collections.abc import Iterator, Mapping

from semafor.base.problem import Problem
from semafor.planner import problems
from semafor.planner.instances import Key
from semafor.planner.smi import access
from semafor.planner.smi.access import Specs, TrafficTarget
from semafor.planner.smi.split import TrafficSplit


def check(specs: Specs, splits: Mapping[Key, TrafficSplit], targets: Mapping[Key, TrafficTarget]) -> Iterator[Problem]:
    """The problems of all of them."""
    for target in targets.values():
        yield from access.check(target, specs)
    for group in specs.groups.values():
        yield from group.problems
    used = {key for one in splits.values() for key in one.keys}
    used |= {reference.key for target in targets.values() for reference in target.references}
    yield from (problems.unused_traffic(group.origin) for key, group in specs.groups.items() if key not in used)
    yield from (problems.unused_traffic(ports.origin) for key, ports in specs.ports.items() if key not in used)
