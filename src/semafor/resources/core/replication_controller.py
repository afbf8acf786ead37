"""ReplicationController: the predecessor of ReplicaSet. Source: Kubernetes' API reference."""

from collections.abc import Iterator
from typing import Annotated, Any

from semafor.base.struct import Document
from semafor.resources.apps.replica_set import ReplicaSetCondition, ReplicaSetStatus
from semafor.resources.core import pod_defaults, pod_rules
from semafor.resources.core.pod import PodTemplateSpec
from semafor.resources.defaulting import fill, inside
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, NON_NEGATIVE, Labels, listing
from semafor.resources.meta.meta import ObjectMeta


class ReplicationControllerSpec(Document):
    """Which pods, and how many."""

    replicas: Annotated[int | None, NON_NEGATIVE, "How many pods; 1 when absent."] = None
    min_ready_seconds: Annotated[
        int, NON_NEGATIVE, "Seconds that a new pod must stay ready before it counts as available."
    ] = 0
    selector: Annotated[Labels, ATOMIC, "Labels of the pods; the template's when absent."] = {}
    template: Annotated[PodTemplateSpec | None, "What the pods look like."] = None


class ReplicationControllerCondition(ReplicaSetCondition):
    """One aspect of a controller's state."""


class ReplicationControllerStatus(ReplicaSetStatus):
    """The state of a controller."""

    conditions: Annotated[
        tuple[ReplicationControllerCondition, ...],
        listing("type", patch_key="type"),
        "Aspects of the present state, told apart by type.",
    ] = ()


class ReplicationController(Document):
    """The predecessor of ReplicaSet."""

    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "ReplicationController"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[ReplicationControllerSpec, "What is wanted."] = ReplicationControllerSpec()
    status: Annotated[ReplicationControllerStatus, "What is."] = ReplicationControllerStatus()


def defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """One pod, selected by the labels of the template."""
    template = doc.get("spec", {}).get("template", {})
    labels = template.get("metadata", {}).get("labels", {})
    filled = {"replicas": 1, **({"selector": labels} if labels else {})}
    return inside(doc, "spec", lambda spec: inside(fill(spec, filled), "template", pod_defaults.template))


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """The template is that of a pod that is always restarted."""
    template = doc.get("spec", {}).get("template")
    if template is not None:
        yield from pod_rules.lasting_template(template, "spec.template")


KIND = Kind(
    group="",
    versions=("v1",),
    kind="ReplicationController",
    plural="replicationcontrollers",
    document=ReplicationController,
    short=("rc",),
    categories=("all",),
    subresources=("status", "scale"),
    effect=False,
    defaults=defaults,
    validate=validate,
)
