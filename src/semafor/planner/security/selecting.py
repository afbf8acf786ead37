"""Which workloads a policy is for: those with labels, the Gateways it is attached to, or all of its namespace."""

from collections.abc import Iterator

from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.proxy import Labels, Workload
from semafor.resources.istio.common import PolicyTargetReference, WorkloadSelector

_GATEWAY = ("gateway.networking.k8s.io", "Gateway")
_GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"


class Scope(Value):
    """`gateways` are the names of the Gateways that a policy is attached to; without them, `labels` select."""

    namespace: str
    labels: Labels = ()
    gateways: tuple[str, ...] = ()
    attached: bool = False

    def covers(self, workload: Workload, root: str) -> bool:
        """Whether the policy is for the workload: in its own namespace, and from the root namespace everywhere."""
        if self.namespace not in (root, workload.namespace):
            return False
        if self.attached:
            return dict(workload.labels).get(_GATEWAY_LABEL) in self.gateways
        return selected(self.labels, workload.labels)


def scope(
    namespace: str, selector: WorkloadSelector | None, targets: tuple[PolicyTargetReference | None, ...]
) -> Scope:
    """What the selector and the references of a policy mean; a reference may be absent."""
    given = [target for target in targets if target]
    own = (target for target in given if target.namespace in ("", namespace))
    gateways = tuple(target.name for target in own if (target.group, target.kind) == _GATEWAY)
    return Scope(namespace=namespace, labels=labels(selector), gateways=gateways, attached=bool(given))


def mistakes(
    targets: tuple[PolicyTargetReference, ...], origin: Origin, old: PolicyTargetReference | None
) -> Iterator[Problem]:
    """References to what has no proxy that could keep the policy; `old` is the obsolete `targetRef`."""
    written = [(f"targetRefs[{index}]", target) for index, target in enumerate(targets)]
    for path, target in [*written, *([("targetRef", old)] if old else [])]:
        if (target.group, target.kind) != _GATEWAY:
            place = at(origin, f"{path}.kind")
            yield problems.value_not_supported(place, target.kind, "Gateway, or a selector in place of targetRefs")
        if target.namespace not in ("", origin.ref.namespace):
            why = "a policy can be attached to a Gateway of its own namespace only, so it is attached to nothing"
            yield problems.invalid(at(origin, f"{path}.namespace"), why, "create it in the namespace of the Gateway")


def labels(selector: WorkloadSelector | None) -> Labels:
    """The labels that a workload has to have; none when the policy is for all."""
    return tuple(sorted(selector.match_labels.items())) if selector else ()


def selected(wanted: Labels, of: Labels) -> bool:
    return set(wanted) <= set(of)
