"""NodeMetrics and PodMetrics: what `kubectl top` shows. Source: Kubernetes' metrics.k8s.io API."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.kind import Kind
from semafor.resources.marks import Quantity, Time
from semafor.resources.meta.meta import ObjectMeta

GROUP = "metrics.k8s.io"


class ContainerMetrics(Document):
    """What a container uses."""

    name: Annotated[str, "Name of the container."] = ""
    usage: Annotated[dict[str, Quantity], "Processor and memory."] = {}


class PodMetrics(Document):
    """What the containers of a pod use."""

    api_version: Annotated[str, "API version of the object."] = "metrics.k8s.io/v1beta1"
    kind: Annotated[str, "Kind of the object."] = "PodMetrics"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    timestamp: Annotated[Time | None, "When it was measured."] = None
    window: Annotated[str, "Over which time."] = ""
    containers: Annotated[tuple[ContainerMetrics, ...], "Its containers."] = ()


class NodeMetrics(Document):
    """What the pods of a node use."""

    api_version: Annotated[str, "API version of the object."] = "metrics.k8s.io/v1beta1"
    kind: Annotated[str, "Kind of the object."] = "NodeMetrics"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    timestamp: Annotated[Time | None, "When it was measured."] = None
    window: Annotated[str, "Over which time."] = ""
    usage: Annotated[dict[str, Quantity], "Processor and memory."] = {}


_READ = ("get", "list")
PODS = Kind(
    group=GROUP, versions=("v1beta1",), kind="PodMetrics", plural="pods", singular="pod", document=PodMetrics,
    virtual=True, answers=_READ,
)  # fmt: skip
NODES = Kind(
    group=GROUP, versions=("v1beta1",), kind="NodeMetrics", plural="nodes", singular="node", document=NodeMetrics,
    virtual=True, answers=_READ, namespaced=False,
)  # fmt: skip
