"""ReplicaSet: keeps a number of equal pods. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.apps import defaults, rules
from semafor.resources.core.pod import PodTemplateSpec
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, NON_NEGATIVE, Time, listing
from semafor.resources.meta.meta import LabelSelector, ObjectMeta


class ReplicaSetSpec(Document):
    """Which pods, and how many."""

    selector: Annotated[LabelSelector, ATOMIC, "Which pods belong to it, by their labels."]
    replicas: Annotated[int | None, NON_NEGATIVE, "How many pods; 1 when absent."] = None
    min_ready_seconds: Annotated[
        int, NON_NEGATIVE, "Seconds that a new pod must stay ready before it counts as available."
    ] = 0
    template: Annotated[PodTemplateSpec, "What the pods look like."] = PodTemplateSpec()


class ReplicaSetCondition(Document):
    """One aspect of a ReplicaSet's state."""

    type: Annotated[str, "Which aspect."] = ""
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Whether it holds."] = None
    last_transition_time: Annotated[Time | None, "When the status last changed."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""


class ReplicaSetStatus(Document):
    """The state of a ReplicaSet."""

    replicas: Annotated[int, "Pods that there are."] = 0
    fully_labeled_replicas: Annotated[int, "Pods that have all labels of the template."] = 0
    ready_replicas: Annotated[int, "Pods that are ready."] = 0
    available_replicas: Annotated[int, "Pods that have been ready for minReadySeconds."] = 0
    observed_generation: Annotated[int, "The generation of the spec that this status was made for."] = 0
    conditions: Annotated[
        tuple[ReplicaSetCondition, ...],
        listing("type", patch_key="type"),
        "Aspects of the present state, told apart by type.",
    ] = ()


class ReplicaSet(Document):
    """Keeps a number of equal pods running."""

    api_version: Annotated[str, "API version of the object."] = "apps/v1"
    kind: Annotated[str, "Kind of the object."] = "ReplicaSet"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[ReplicaSetSpec | None, "What is wanted."] = None
    status: Annotated[ReplicaSetStatus, "What is."] = ReplicaSetStatus()


KIND = Kind(
    group="apps",
    versions=("v1",),
    kind="ReplicaSet",
    plural="replicasets",
    short=("rs",),
    categories=("all",),
    document=ReplicaSet,
    subresources=("status", "scale"),
    defaults=defaults.replica_set,
    validate=rules.replica_set,
)
