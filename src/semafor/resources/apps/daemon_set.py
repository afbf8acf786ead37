"""DaemonSet: one pod on each node. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.apps import defaults, rules
from semafor.resources.core.pod import PodTemplateSpec
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, NON_NEGATIVE, IntOrString, Time, listing
from semafor.resources.meta.meta import LabelSelector, ObjectMeta


class RollingUpdateDaemonSet(Document):
    """How far a rolling update may go at a time."""

    max_unavailable: Annotated[IntOrString | None, "How many pods may be missing; 1 when absent."] = None
    max_surge: Annotated[IntOrString | None, "How many nodes may have two pods; 0 when absent."] = None


class DaemonSetUpdateStrategy(Document):
    """How pods are replaced."""

    type: Annotated[
        Literal["RollingUpdate", "OnDelete"] | None, "Whether by the controller or only when they are deleted."
    ] = None
    rolling_update: Annotated[RollingUpdateDaemonSet | None, "Settings of RollingUpdate."] = None


class DaemonSetSpec(Document):
    """Which pod runs on each node."""

    selector: Annotated[LabelSelector, ATOMIC, "Which pods belong to it, by their labels."]
    template: Annotated[PodTemplateSpec, "What the pods look like."]
    update_strategy: Annotated[DaemonSetUpdateStrategy, "How pods are replaced."] = DaemonSetUpdateStrategy()
    min_ready_seconds: Annotated[
        int, NON_NEGATIVE, "Seconds that a new pod must stay ready before it counts as available."
    ] = 0
    revision_history_limit: Annotated[int | None, NON_NEGATIVE, "How many old revisions to keep for rolling back."] = (
        None
    )


class DaemonSetCondition(Document):
    """One aspect of a DaemonSet's state."""

    type: Annotated[str, "Which aspect."] = ""
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Whether it holds."] = None
    last_transition_time: Annotated[Time | None, "When the status last changed."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""


class DaemonSetStatus(Document):
    """The state of a DaemonSet."""

    current_number_scheduled: Annotated[int, "Nodes that run the pod and should."] = 0
    number_misscheduled: Annotated[int, "Nodes that run the pod and should not."] = 0
    desired_number_scheduled: Annotated[int, "Nodes that should run the pod."] = 0
    number_ready: Annotated[int, "Nodes whose pod is ready."] = 0
    observed_generation: Annotated[int, "The generation of the spec that this status was made for."] = 0
    updated_number_scheduled: Annotated[int, "Nodes that run the newest pod."] = 0
    number_available: Annotated[int, "Nodes whose pod is available."] = 0
    number_unavailable: Annotated[int, "Nodes whose pod is missing or not available."] = 0
    collision_count: Annotated[
        int | None, "How often a name made from the template's hash was taken; part of the next hash."
    ] = None
    conditions: Annotated[
        tuple[DaemonSetCondition, ...],
        listing("type", patch_key="type"),
        "Aspects of the present state, told apart by type.",
    ] = ()


class DaemonSet(Document):
    """One pod on each node."""

    api_version: Annotated[str, "API version of the object."] = "apps/v1"
    kind: Annotated[str, "Kind of the object."] = "DaemonSet"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[DaemonSetSpec | None, "What is wanted."] = None
    status: Annotated[DaemonSetStatus, "What is."] = DaemonSetStatus()


KIND = Kind(
    group="apps",
    versions=("v1",),
    kind="DaemonSet",
    plural="daemonsets",
    short=("ds",),
    categories=("all",),
    document=DaemonSet,
    subresources=("status",),
    defaults=defaults.daemon_set,
    validate=rules.daemon_set,
)
