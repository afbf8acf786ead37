"""StatefulSet: pods with lasting names and storage. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.apps import defaults, rules
from semafor.resources.core.persistent_volume_claim import PersistentVolumeClaim
from semafor.resources.core.pod import PodTemplateSpec
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, NON_NEGATIVE, IntOrString, Time, listing
from semafor.resources.meta.meta import LabelSelector, ObjectMeta


class RollingUpdateStatefulSetStrategy(Document):
    """How far a rolling update goes."""

    partition: Annotated[int | None, "Only pods with this ordinal or a higher one are replaced."] = None
    max_unavailable: Annotated[IntOrString | None, "How many pods may be missing at a time."] = None


class StatefulSetUpdateStrategy(Document):
    """How pods are replaced."""

    type: Annotated[
        Literal["RollingUpdate", "OnDelete"] | None, "Whether by the controller or only when they are deleted."
    ] = None
    rolling_update: Annotated[RollingUpdateStatefulSetStrategy | None, "Settings of RollingUpdate."] = None


class StatefulSetPersistentVolumeClaimRetentionPolicy(Document):
    """What happens to the claims of pods that go."""

    when_deleted: Annotated[str, "When the set is deleted: Retain or Delete."] = ""
    when_scaled: Annotated[str, "When the set is made smaller: Retain or Delete."] = ""


class StatefulSetOrdinals(Document):
    """How the pods are numbered."""

    start: Annotated[int, "Number of the first pod."] = 0


class StatefulSetSpec(Document):
    """Which pods, how many, and what storage each has."""

    selector: Annotated[LabelSelector, ATOMIC, "Which pods belong to it, by their labels."]
    replicas: Annotated[int | None, NON_NEGATIVE, "How many pods; 1 when absent."] = None
    template: Annotated[PodTemplateSpec, "What the pods look like."] = PodTemplateSpec()
    volume_claim_templates: Annotated[tuple[PersistentVolumeClaim, ...], ATOMIC, "Claims that each pod gets."] = ()
    service_name: Annotated[str, "Headless Service that gives the pods their names."] = ""
    pod_management_policy: Annotated[
        Literal["OrderedReady", "Parallel"] | None, "Whether pods are started one after another or all at once."
    ] = None
    update_strategy: Annotated[StatefulSetUpdateStrategy, "How pods are replaced."] = StatefulSetUpdateStrategy()
    revision_history_limit: Annotated[int | None, NON_NEGATIVE, "How many old revisions to keep for rolling back."] = (
        None
    )
    min_ready_seconds: Annotated[
        int, NON_NEGATIVE, "Seconds that a new pod must stay ready before it counts as available."
    ] = 0
    persistent_volume_claim_retention_policy: Annotated[
        StatefulSetPersistentVolumeClaimRetentionPolicy | None, "What happens to the claims of pods that go."
    ] = None
    ordinals: Annotated[StatefulSetOrdinals | None, "How the pods are numbered."] = None


class StatefulSetCondition(Document):
    """One aspect of a StatefulSet's state."""

    type: Annotated[str, "Which aspect."] = ""
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Whether it holds."] = None
    last_transition_time: Annotated[Time | None, "When the status last changed."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""


class StatefulSetStatus(Document):
    """The state of a StatefulSet."""

    observed_generation: Annotated[int, "The generation of the spec that this status was made for."] = 0
    replicas: Annotated[int, "Pods that there are."] = 0
    ready_replicas: Annotated[int, "Pods that are ready."] = 0
    current_replicas: Annotated[int, "Pods of the old revision."] = 0
    updated_replicas: Annotated[int, "Pods of the new revision."] = 0
    current_revision: Annotated[str, "Name of the old revision."] = ""
    update_revision: Annotated[str, "Name of the new revision."] = ""
    collision_count: Annotated[
        int | None, "How often a name made from the template's hash was taken; part of the next hash."
    ] = None
    conditions: Annotated[
        tuple[StatefulSetCondition, ...],
        listing("type", patch_key="type"),
        "Aspects of the present state, told apart by type.",
    ] = ()
    available_replicas: Annotated[int, "Pods that have been ready for minReadySeconds."] = 0


class StatefulSet(Document):
    """Pods with lasting names and storage."""

    api_version: Annotated[str, "API version of the object."] = "apps/v1"
    kind: Annotated[str, "Kind of the object."] = "StatefulSet"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[StatefulSetSpec | None, "What is wanted."] = None
    status: Annotated[StatefulSetStatus, "What is."] = StatefulSetStatus()


KIND = Kind(
    group="apps",
    versions=("v1",),
    kind="StatefulSet",
    plural="statefulsets",
    short=("sts",),
    categories=("all",),
    document=StatefulSet,
    subresources=("status", "scale"),
    defaults=defaults.stateful_set,
    validate=rules.stateful_set,
)
