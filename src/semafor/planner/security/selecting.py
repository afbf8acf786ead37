"""Which workloads a policy is for, by labels."""

from semafor.planner.proxy import Labels
from semafor.resources.istio.common import WorkloadSelector


def labels(selector: WorkloadSelector | None) -> Labels:
    """The labels that a workload has to have; none when the policy is for all."""
    return tuple(sorted(selector.match_labels.items())) if selector else ()


def selected(wanted: Labels, of: Labels) -> bool:
    return set(wanted) <= set(of)
