"""Where pods may and should run: affinity, tolerations, topology. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.marks import ATOMIC, POSITIVE, within
from semafor.resources.meta.meta import LabelSelector


class NodeSelectorRequirement(Document):
    """One condition on a node."""

    key: Annotated[str, "Key of the label, or name of the field."]
    operator: Annotated[
        Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"], "How the label relates to the values."
    ]
    values: Annotated[
        tuple[str, ...], ATOMIC, "Values for In and NotIn; one number for Gt and Lt; empty for Exists and DoesNotExist."
    ] = ()


class NodeSelectorTerm(Document):
    """Conditions that must hold together."""

    match_expressions: Annotated[tuple[NodeSelectorRequirement, ...], ATOMIC, "Conditions on the node's labels."] = ()
    match_fields: Annotated[
        tuple[NodeSelectorRequirement, ...], ATOMIC, "Conditions on the node's fields; only metadata.name."
    ] = ()


class NodeSelector(Document):
    """Nodes that meet at least one of the terms."""

    node_selector_terms: Annotated[tuple[NodeSelectorTerm, ...], ATOMIC, "The terms; one that holds is enough."] = ()


class PreferredSchedulingTerm(Document):
    """A wish for certain nodes."""

    weight: Annotated[int, within(1, 100), "How much it counts, 1 to 100."]
    preference: Annotated[NodeSelectorTerm, ATOMIC, "Which nodes are liked."]


class NodeAffinity(Document):
    """Nodes that a pod needs or likes."""

    required_during_scheduling_ignored_during_execution: Annotated[
        NodeSelector | None, ATOMIC, "Nodes that it must run on; looked at when it is placed."
    ] = None
    preferred_during_scheduling_ignored_during_execution: Annotated[
        tuple[PreferredSchedulingTerm, ...], ATOMIC, "Nodes that it would rather run on."
    ] = ()


class PodAffinityTerm(Document):
    """Pods to be near to or far from."""

    topology_key: Annotated[str, "Label of nodes that says what counts as the same place."]
    label_selector: Annotated[LabelSelector | None, ATOMIC, "Which pods, by their labels; none when absent."] = None
    namespaces: Annotated[
        tuple[str, ...], ATOMIC, "Namespaces of these pods; the pod's own when empty and there is no namespaceSelector."
    ] = ()
    namespace_selector: Annotated[LabelSelector | None, ATOMIC, "Namespaces by their labels; empty means all."] = None
    match_label_keys: Annotated[
        tuple[str, ...], ATOMIC, "Labels whose values the other pods must share with this one."
    ] = ()
    mismatch_label_keys: Annotated[tuple[str, ...], ATOMIC, "Labels whose values must differ from this pod's."] = ()


class WeightedPodAffinityTerm(Document):
    """A wish to be near to or far from certain pods."""

    weight: Annotated[int, within(1, 100), "How much it counts, 1 to 100."]
    pod_affinity_term: Annotated[PodAffinityTerm, "The pods."]


class PodAffinity(Document):
    """Pods to be near to."""

    required_during_scheduling_ignored_during_execution: Annotated[
        tuple[PodAffinityTerm, ...], ATOMIC, "Pods that must be near; looked at when the pod is placed."
    ] = ()
    preferred_during_scheduling_ignored_during_execution: Annotated[
        tuple[WeightedPodAffinityTerm, ...], ATOMIC, "Pods that should be near."
    ] = ()


class PodAntiAffinity(Document):
    """Pods to be far from."""

    required_during_scheduling_ignored_during_execution: Annotated[
        tuple[PodAffinityTerm, ...], ATOMIC, "Pods that must not be near; looked at when the pod is placed."
    ] = ()
    preferred_during_scheduling_ignored_during_execution: Annotated[
        tuple[WeightedPodAffinityTerm, ...], ATOMIC, "Pods that should not be near."
    ] = ()


class Affinity(Document):
    """Rules on where the pod is placed."""

    node_affinity: Annotated[NodeAffinity | None, "Nodes that it needs or likes."] = None
    pod_affinity: Annotated[PodAffinity | None, "Pods to be near to."] = None
    pod_anti_affinity: Annotated[PodAntiAffinity | None, "Pods to be far from."] = None


class Toleration(Document):
    """A taint of nodes that the pod accepts."""

    key: Annotated[str, "Key of the taint; empty with Exists means any taint."] = ""
    operator: Annotated[
        Literal["Exists", "Equal"] | None, "Whether the taint must have the value (Equal) or only exist."
    ] = None
    value: Annotated[str, "Value of the taint."] = ""
    effect: Annotated[
        Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None, "Effect of the taint; empty means all effects."
    ] = None
    toleration_seconds: Annotated[int | None, "For NoExecute, how long the taint is borne; for ever when absent."] = (
        None
    )


class TopologySpreadConstraint(Document):
    """How evenly matching pods are spread over places."""

    max_skew: Annotated[int, POSITIVE, "By how many pods two places may differ."]
    topology_key: Annotated[str, "Label of nodes that says what counts as one place."]
    when_unsatisfiable: Annotated[
        Literal["DoNotSchedule", "ScheduleAnyway"], "Whether the pod waits or is placed all the same."
    ]
    label_selector: Annotated[LabelSelector | None, ATOMIC, "Pods that are counted."] = None
    min_domains: Annotated[int | None, "Least number of places that count."] = None
    node_affinity_policy: Annotated[
        Literal["Ignore", "Honor"] | None, "Whether nodes that the pod cannot run on count."
    ] = None
    node_taints_policy: Annotated[
        Literal["Ignore", "Honor"] | None, "Whether nodes with taints that the pod does not tolerate count."
    ] = None
    match_label_keys: Annotated[
        tuple[str, ...], ATOMIC, "Labels whose values the counted pods share with this one."
    ] = ()


class TopologySelectorLabelRequirement(Document):
    """One condition on the place of a volume."""

    key: Annotated[str, "Label of nodes."]
    values: Annotated[tuple[str, ...], ATOMIC, "Values, one of which it must have."] = ()


class TopologySelectorTerm(Document):
    """Conditions on the place of a volume; all must hold."""

    match_label_expressions: Annotated[tuple[TopologySelectorLabelRequirement, ...], ATOMIC, "The conditions."] = ()
