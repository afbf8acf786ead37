"""PersistentVolumeClaim: a request for storage. Source: Kubernetes' API reference."""

from typing import Annotated, Any, Literal

from semafor.base.struct import Document
from semafor.resources.core.refs import TypedLocalObjectReference, TypedObjectReference
from semafor.resources.defaulting import fill, inside
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, Labels, Resources, Time, listing
from semafor.resources.meta.meta import LabelSelector, ObjectMeta


class VolumeResourceRequirements(Document):
    """How much storage is asked for."""

    limits: Annotated[Resources, "Most that may be given."] = {}
    requests: Annotated[Resources, "Least that must be given."] = {}


class PersistentVolumeClaimSpec(Document):
    """What storage is asked for."""

    access_modes: Annotated[
        tuple[Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"], ...],
        ATOMIC,
        "How many nodes and pods must be able to read and write.",
    ] = ()
    selector: Annotated[LabelSelector | None, ATOMIC, "Which PersistentVolumes may be bound."] = None
    resources: Annotated[VolumeResourceRequirements, "How much is asked for."] = VolumeResourceRequirements()
    volume_name: Annotated[str, "The PersistentVolume that is bound."] = ""
    storage_class_name: Annotated[str | None, "Storage class that makes the volume; empty means no class."] = None
    volume_mode: Annotated[
        Literal["Block", "Filesystem"] | None, "Whether a file system or a raw block device is wanted."
    ] = None
    data_source: Annotated[
        TypedLocalObjectReference | None, ATOMIC, "Snapshot or claim that the volume starts as a copy of."
    ] = None
    data_source_ref: Annotated[TypedObjectReference | None, "The same for any kind of object."] = None
    volume_attributes_class_name: Annotated[str | None, "Class of attributes that can be changed later."] = None


class PersistentVolumeClaimCondition(Document):
    """One aspect of a claim's state."""

    type: Annotated[str, "Which aspect, such as Resizing."] = ""
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Whether it holds."] = None
    last_probe_time: Annotated[Time | None, "When it was last looked at."] = None
    last_transition_time: Annotated[Time | None, "When the status last changed."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""


class ModifyVolumeStatus(Document):
    """How a change of the attributes class goes."""

    target_volume_attributes_class_name: Annotated[str, "The class that is being changed to."] = ""
    status: Annotated[Literal["Pending", "InProgress", "Infeasible"] | None, "How far the change is."] = None


class PersistentVolumeClaimStatus(Document):
    """The state of a claim."""

    phase: Annotated[Literal["Pending", "Bound", "Lost"] | None, "Whether a volume is bound."] = None
    access_modes: Annotated[
        tuple[Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"], ...],
        ATOMIC,
        "Access modes of the bound volume.",
    ] = ()
    capacity: Annotated[Resources, "Size of the bound volume."] = {}
    conditions: Annotated[
        tuple[PersistentVolumeClaimCondition, ...],
        listing("type", patch_key="type"),
        "Aspects of the present state, told apart by type.",
    ] = ()
    allocated_resources: Annotated[Resources, "Storage set aside, which is more than capacity while resizing."] = {}
    allocated_resource_statuses: Annotated[Labels, "How far the resizing is."] = {}
    current_volume_attributes_class_name: Annotated[str | None, "The attributes class in use."] = None
    modify_volume_status: Annotated[ModifyVolumeStatus | None, "How a change of the attributes class goes."] = None


class PersistentVolumeClaim(Document):
    """A request for storage."""

    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "PersistentVolumeClaim"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[PersistentVolumeClaimSpec, "What is wanted."] = PersistentVolumeClaimSpec()
    status: Annotated[PersistentVolumeClaimStatus, "What is."] = PersistentVolumeClaimStatus()


def defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """A file system, not yet bound."""
    doc = inside(doc, "spec", lambda spec: fill(spec, {"volumeMode": "Filesystem"}))
    return {**doc, "status": fill(doc.get("status", {}), {"phase": "Pending"})}


KIND = Kind(
    group="",
    versions=("v1",),
    kind="PersistentVolumeClaim",
    plural="persistentvolumeclaims",
    document=PersistentVolumeClaim,
    short=("pvc",),
    subresources=("status",),
    defaults=defaults,
)
