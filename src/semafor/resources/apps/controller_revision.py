"""ControllerRevision: a remembered state of a StatefulSet or DaemonSet. Source: Kubernetes' API reference."""

from typing import Annotated, Any

from semafor.base.struct import Document
from semafor.resources.kind import Kind
from semafor.resources.marks import OPEN
from semafor.resources.meta.meta import ObjectMeta


class ControllerRevision(Document):
    """A remembered state of a StatefulSet or DaemonSet."""

    revision: Annotated[int, "Number of the revision."]
    api_version: Annotated[str, "API version of the object."] = "apps/v1"
    kind: Annotated[str, "Kind of the object."] = "ControllerRevision"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    data: Annotated[dict[str, Any], OPEN, "The state."] = {}


KIND = Kind(
    group="apps",
    versions=("v1",),
    kind="ControllerRevision",
    plural="controllerrevisions",
    document=ControllerRevision,
)
