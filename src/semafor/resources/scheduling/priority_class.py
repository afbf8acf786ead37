"""PriorityClass: which pods go first. Source: Kubernetes' API reference."""

from typing import Annotated, Any, Literal

from semafor.base.struct import Document
from semafor.resources.defaulting import fill
from semafor.resources.kind import Kind
from semafor.resources.marks import within
from semafor.resources.meta.meta import ObjectMeta


class PriorityClass(Document):
    """Which pods go first."""

    value: Annotated[int, within(-(2**31), 2**31 - 1), "The priority; higher ones go first."]
    api_version: Annotated[str, "API version of the object."] = "scheduling.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "PriorityClass"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    global_default: Annotated[bool, "Whether pods without a class get this one."] = False
    description: Annotated[str, "What the class is for."] = ""
    preemption_policy: Annotated[
        Literal["PreemptLowerPriority", "Never"] | None, "Whether its pods may push out others of less priority."
    ] = None


def defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """Pods of the class may push out others of less priority."""
    return fill(doc, {"preemptionPolicy": "PreemptLowerPriority"})


KIND = Kind(
    group="scheduling.k8s.io",
    versions=("v1",),
    kind="PriorityClass",
    plural="priorityclasses",
    short=("pc",),
    document=PriorityClass,
    namespaced=False,
    effect=False,
    defaults=defaults,
)
