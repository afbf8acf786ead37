"""Telemetry objects, and which of them count for a workload: the mesh's, its namespace's, its own, in this order.

Source: Istio's reference of Telemetry; of several for one level the oldest counts.
"""

from collections.abc import Iterable, Iterator, Mapping

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner import hosts
from semafor.planner.checks import problems
from semafor.planner.hosts import Age
from semafor.planner.proxy import Workload
from semafor.planner.security import selecting
from semafor.planner.security.selecting import Scope
from semafor.planner.services.instances import Key
from semafor.resources.istio import telemetry as istio


class Telemetry(Value):
    """One object, with its document, for most of that is said once more in each level."""

    scope: Scope
    spec: istio.TelemetrySpec
    age: Age
    origin: Origin

    @property
    def is_wide(self) -> bool:
        """Whether it is for all of a namespace."""
        return not self.scope.labels and not self.scope.attached


Table = Mapping[Key, Telemetry]


def read(document: istio.Telemetry) -> Telemetry:
    """The object as a value."""
    meta, spec = document.metadata, document.spec
    ref = ObjectRef(kind=istio.KIND.kind, namespace=meta.namespace, name=meta.name, group=istio.KIND.group)
    targets = (*spec.target_refs, spec.target_ref)
    scope = selecting.scope(meta.namespace, spec.selector, targets)
    return Telemetry(scope=scope, spec=spec, age=hosts.age(meta), origin=Origin(ref=ref, path="spec"))


def levels(known: Table, root: str, workload: Workload) -> tuple[Telemetry, ...]:
    """The objects that count for the workload, from the widest to the narrowest."""
    namespaces = dict.fromkeys((root, workload.namespace))
    wide = (
        _oldest(one for one in known.values() if one.is_wide and one.scope.namespace == where) for where in namespaces
    )
    own = _oldest(one for one in known.values() if not one.is_wide and _selects(one, workload))
    return tuple(one for one in (*wide, own) if one)


def _selects(one: Telemetry, workload: Workload) -> bool:
    return one.scope.namespace == workload.namespace and one.scope.covers(workload, workload.namespace)


def _oldest(found: Iterable[Telemetry]) -> Telemetry | None:
    return min(found, key=lambda one: one.age, default=None)


def between(known: Table) -> Iterator[Problem]:
    """Objects that never count, because an older one is for the same."""
    seen: dict[Scope, Telemetry] = {}
    for one in sorted(known.values(), key=lambda each: each.age):
        first = seen.setdefault(one.scope, one)
        if first is not one:
            yield problems.second_policy(one.origin, first.origin)
