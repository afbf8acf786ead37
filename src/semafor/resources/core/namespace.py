"""Namespace: a scope for names. Source: Kubernetes' API reference."""

from typing import Annotated, Any, Literal

from semafor.base.struct import Document
from semafor.resources.defaulting import fill
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, Time, listing
from semafor.resources.meta.meta import ObjectMeta


class NamespaceSpec(Document):
    """What is wanted of a namespace."""

    finalizers: Annotated[
        tuple[str, ...], ATOMIC, "What must be emptied before the namespace may go; normally `kubernetes`."
    ] = ()


class NamespaceCondition(Document):
    """One aspect of a namespace's state."""

    type: Annotated[str, "Which aspect."] = ""
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Whether it holds."] = None
    last_transition_time: Annotated[Time | None, "When the status last changed."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""


class NamespaceStatus(Document):
    """The state of a namespace."""

    phase: Annotated[Literal["Active", "Terminating"] | None, "Whether it is in use or being emptied."] = None
    conditions: Annotated[
        tuple[NamespaceCondition, ...],
        listing("type", patch_key="type"),
        "Aspects of the present state, told apart by type.",
    ] = ()


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
    labels = {**meta.get("labels", {}), "kubernetes.io/metadata.name": meta.get("name", "")}
    if meta.get("name"):
        doc = {**doc, "metadata": {**meta, "labels": labels}}
    spec = fill(doc.get("spec", {}), {"finalizers": ["kubernetes"]})
    status = fill(doc.get("status", {}), {"phase": "Active"})
    return {**doc, "spec": spec, "status": status}


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
