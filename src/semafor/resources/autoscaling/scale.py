"""Scale: the number of pods of any workload. Source: Kubernetes' API reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.kind import Kind
from semafor.resources.marks import NON_NEGATIVE
from semafor.resources.meta.meta import ObjectMeta


class ScaleSpec(Document):
    """How many pods are wanted."""

    replicas: Annotated[int, NON_NEGATIVE, "How many."] = 0


class ScaleStatus(Document):
    """How many pods there are."""

    replicas: Annotated[int, "How many."] = 0
    selector: Annotated[str, "Which pods, as text."] = ""


class Scale(Document):
    """The number of pods of any workload."""

    api_version: Annotated[str, "API version of the object."] = "autoscaling/v1"
    kind: Annotated[str, "Kind of the object."] = "Scale"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[ScaleSpec, "What is wanted."] = ScaleSpec()
    status: Annotated[ScaleStatus, "What is."] = ScaleStatus()


# Answered under NAME/scale of workloads; it has no collection of its own.
KIND = Kind(group="autoscaling", versions=("v1",), kind="Scale", plural="scales", document=Scale, virtual=True)
