"""StorageClass: how volumes are made. Source: Kubernetes' API reference."""

from typing import Annotated, Any, Literal

from semafor.base.struct import Document
from semafor.resources.core.affinity import TopologySelectorTerm
from semafor.resources.defaulting import fill
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, Labels
from semafor.resources.meta.meta import ObjectMeta


class StorageClass(Document):
    """How volumes are made."""

    provisioner: Annotated[str, "Who makes them."]
    api_version: Annotated[str, "API version of the object."] = "storage.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "StorageClass"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    parameters: Annotated[Labels, "Settings that the provisioner understands."] = {}
    reclaim_policy: Annotated[
        Literal["Recycle", "Delete", "Retain"] | None, "What happens to a volume when its claim is gone."
    ] = None
    mount_options: Annotated[tuple[str, ...], ATOMIC, "Options of mount."] = ()
    allow_volume_expansion: Annotated[bool | None, "Whether volumes may grow."] = None
    volume_binding_mode: Annotated[Literal["Immediate", "WaitForFirstConsumer"] | None, "When a volume is made."] = None
    allowed_topologies: Annotated[tuple[TopologySelectorTerm, ...], ATOMIC, "Where volumes may be made."] = ()


def defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """Volumes are made at once and deleted with their claims."""
    return fill(doc, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})


KIND = Kind(
    group="storage.k8s.io",
    versions=("v1",),
    kind="StorageClass",
    plural="storageclasses",
    short=("sc",),
    document=StorageClass,
    namespaced=False,
    defaults=defaults,
)
