"""Namespace. Source: Kubernetes' API reference, core/v1."""

from typing import Annotated, Any, Literal

from semafor.base.struct import Document
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, listing
from semafor.resources.meta.meta import Condition, ObjectMeta


class NamespaceSpec(Document):
    """What is wanted of a namespace."""

    finalizers: Annotated[
        tuple[str, ...], ATOMIC, "What must be emptied before the namespace may go; normally `kubernetes`."
    ] = ()


class NamespaceStatus(Document):
    """The state of a namespace."""

    phase: Annotated[Literal["Active", "Terminating"] | None, "Whether it is in use or being emptied."] = None
    conditions: Annotated[tuple[Condition, ...], listing("type", patch_key="type"), "What keeps it from going."] = ()


class Namespace(Document):
    """A scope for names; most kinds of objects live in one."""

    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "Namespace"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[NamespaceSpec, "What is wanted."] = NamespaceSpec()
    status: Annotated[NamespaceStatus, "What is."] = NamespaceStatus()


def defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """The label with its own name, so that selectors can name it, and the finalizer that empties it."""
    meta = doc.get("metadata", {})
    labels = dict(meta.get("labels", {}))
    if meta.get("name"):
        labels["kubernetes.io/metadata.name"] = meta["name"]
    spec = {"finalizers": ["kubernetes"], **doc.get("spec", {})}
    status = {"phase": "Active", **doc.get("status", {})}
    return {**doc, "metadata": {**meta, "labels": labels}, "spec": spec, "status": status}


KIND = Kind(
    group="",
    versions=("v1",),
    kind="Namespace",
    plural="namespaces",
    short=("ns",),
    namespaced=False,
    document=Namespace,
    subresources=("status", "finalize"),
    name_rule="label",
    defaults=defaults,
)
