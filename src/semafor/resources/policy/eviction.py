"""Eviction: asks for a pod to be removed. Source: Kubernetes' API reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.kind import Kind
from semafor.resources.meta.meta import ObjectMeta
from semafor.resources.meta.options import DeleteOptions


class Eviction(Document):
    """Asks for a pod to be removed."""

    api_version: Annotated[str, "API version of the object."] = "policy/v1"
    kind: Annotated[str, "Kind of the object."] = "Eviction"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    delete_options: Annotated[DeleteOptions | None, "How it is deleted."] = None


# Answered under pods/NAME/eviction; it has no collection of its own.
KIND = Kind(group="policy", versions=("v1",), kind="Eviction", plural="evictions", document=Eviction, virtual=True)
