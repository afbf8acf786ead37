"""WorkloadGroups: what machines that register themselves are made like. No machine does so here.

Differs from Istio: there an agent on each machine makes a WorkloadEntry out of the template. Here entries are written.
"""

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner.checks import registry_problems
from semafor.resources.istio import workload_group as istio


class WorkloadGroup(Value, cache_hash=True):
    """One object, of which nothing counts but that it is there."""

    origin: Origin
    problems: tuple[Problem, ...]


def read(document: istio.WorkloadGroup) -> WorkloadGroup:
    """The object as a value."""
    meta = document.metadata
    ref = ObjectRef(kind="WorkloadGroup", namespace=meta.namespace, name=meta.name, group="networking.istio.io")
    origin = Origin(ref=ref, path="spec")
    return WorkloadGroup(origin=origin, problems=(registry_problems.no_machines(origin),))
