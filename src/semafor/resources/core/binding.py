"""Binding: puts a pod on a node. Source: Kubernetes' API reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.core.refs import ObjectReference
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC
from semafor.resources.meta.meta import ObjectMeta


class Binding(Document):
    """Puts a pod on a node."""

    target: Annotated[ObjectReference, ATOMIC, "The node."]
    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "Binding"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()


KIND = Kind(
    group="",
    versions=("v1",),
    kind="Binding",
    plural="bindings",
    document=Binding,
    virtual=True,
)
