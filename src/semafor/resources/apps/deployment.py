"""Deployment: pods that are replaced step by step when their template changes. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.apps import defaults, rules
from semafor.resources.core.pod import PodTemplateSpec
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, NON_NEGATIVE, RETAIN_KEYS, IntOrString, Time, listing
from semafor.resources.meta.meta import LabelSelector, ObjectMeta


class RollingUpdateDeployment(Document):
    """How far a rolling update may go at a time."""

    max_unavailable: Annotated[
        IntOrString | None, "How many pods may be missing, as a number or a percentage; 25% when absent."
    ] = None
    max_surge: Annotated[IntOrString | None, "How many pods there may be too many; 25% when absent."] = None


class DeploymentStrategy(Document):
    """How old pods are replaced."""

    type: Annotated[Literal["Recreate", "RollingUpdate"], "Whether step by step or all at once."] = "RollingUpdate"
    rolling_update: Annotated[RollingUpdateDeployment | None, "Settings of RollingUpdate."] = None


class DeploymentSpec(Document):
    """Which pods, how many, and how they are replaced."""

    selector: Annotated[LabelSelector, ATOMIC, "Which pods belong to it, by their labels."]
    template: Annotated[PodTemplateSpec, "What the pods look like."]
    replicas: Annotated[int | None, NON_NEGATIVE, "How many pods; 1 when absent."] = None
    strategy: Annotated[DeploymentStrategy, RETAIN_KEYS, "How old pods are replaced."] = DeploymentStrategy()
    min_ready_seconds: Annotated[
        int, NON_NEGATIVE, "Seconds that a new pod must stay ready before it counts as available."
    ] = 0
    revision_history_limit: Annotated[int | None, NON_NEGATIVE, "How many old revisions to keep for rolling back."] = (
        None
    )
    paused: Annotated[bool, "Whether changes of the template wait."] = False
    progress_deadline_seconds: Annotated[
        int | None, NON_NEGATIVE, "Seconds without progress after which a rollout counts as failed; 600 when absent."
    ] = None


class DeploymentCondition(Document):
    """One aspect of a Deployment's state."""

    type: Annotated[str, "Which aspect: Available, Progressing or ReplicaFailure."] = ""
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Whether it holds."] = None
    last_update_time: Annotated[Time | None, "When the condition was last written."] = None
    last_transition_time: Annotated[Time | None, "When the status last changed."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""


class DeploymentStatus(Document):
    """The state of a Deployment."""

    observed_generation: Annotated[int, "The generation of the spec that this status was made for."] = 0
    replicas: Annotated[int, "Pods that there are."] = 0
    updated_replicas: Annotated[int, "Pods of the newest template."] = 0
    ready_replicas: Annotated[int, "Pods that are ready."] = 0
    available_replicas: Annotated[int, "Pods that have been ready for minReadySeconds."] = 0
    unavailable_replicas: Annotated[int, "Pods that are missing or not available."] = 0
    conditions: Annotated[
        tuple[DeploymentCondition, ...],
        listing("type", patch_key="type"),
        "Aspects of the present state, told apart by type.",
    ] = ()
    collision_count: Annotated[
        int | None, "How often a name made from the template's hash was taken; part of the next hash."
    ] = None


class Deployment(Document):
    """Pods that are replaced step by step when their template changes."""

    api_version: Annotated[str, "API version of the object."] = "apps/v1"
    kind: Annotated[str, "Kind of the object."] = "Deployment"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[DeploymentSpec | None, "What is wanted."] = None
    status: Annotated[DeploymentStatus, "What is."] = DeploymentStatus()


KIND = Kind(
    group="apps",
    versions=("v1",),
    kind="Deployment",
    plural="deployments",
    short=("deploy",),
    categories=("all",),
    document=Deployment,
    subresources=("status", "scale"),
    defaults=defaults.deployment,
    validate=rules.deployment,
)
