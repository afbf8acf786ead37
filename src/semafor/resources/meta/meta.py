"""ObjectMeta, selectors and conditions. Source: Kubernetes' API reference."""

from typing import Annotated, Any, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.marks import ATOMIC, MERGED_SET, OPEN, Labels, Time, listing


class OwnerReference(Document):
    """An object that owns this one; when the last owner is gone, this object is collected."""

    api_version: Annotated[str, "API version of the owner."]
    kind: Annotated[str, "Kind of the owner."]
    name: Annotated[str, "Name of the owner."]
    uid: Annotated[str, "UID of the owner."]
    controller: Annotated[bool | None, "Whether the owner is the managing controller; at most one is."] = None
    block_owner_deletion: Annotated[
        bool | None, "Whether foreground deletion of the owner waits until this object is gone."
    ] = None


class ManagedFieldsEntry(Document):
    """Which fields one manager has set, and how."""

    manager: Annotated[str, "Name of the program or person that set the fields."] = ""
    operation: Annotated[str, "How they were set: Apply or Update."] = ""
    api_version: Annotated[str, "Version of the API that the field set is written in."] = ""
    time: Annotated[Time | None, "When the entry was last changed."] = None
    fields_type: Annotated[str, "Format of the field set; always FieldsV1."] = ""
    fields_v1: Annotated[dict[str, Any], OPEN, "The set of fields, as a trie."] = {}
    subresource: Annotated[str, "Subresource through which the fields were set; empty for the object itself."] = ""


class ObjectMeta(Document):
    """What every stored object has: its name, labels, owners and history."""

    name: Annotated[str, "Name, unique within the namespace; it cannot be changed."] = ""
    generate_name: Annotated[str, "Prefix of a name that the server makes when `name` is empty."] = ""
    namespace: Annotated[str, "Namespace that the name is unique in; empty for cluster-scoped kinds."] = ""
    self_link: Annotated[str, "Obsolete; never filled in."] = ""
    uid: Annotated[str, "Identity in time and space, given by the server."] = ""
    resource_version: Annotated[str, "Opaque version of the stored object; detects conflicting writes."] = ""
    generation: Annotated[int, "Counts the changes of the desired state; set by the server."] = 0
    creation_timestamp: Annotated[Time | None, "When the object was made; set by the server."] = None
    deletion_timestamp: Annotated[Time | None, "When the object will be gone; set when it is being deleted."] = None
    deletion_grace_period_seconds: Annotated[int | None, "Seconds that a deleted object has to end in good order."] = (
        None
    )
    labels: Annotated[Labels, "Words that selectors find the object by."] = {}
    annotations: Annotated[Labels, "Notes that tools keep on the object; selectors do not see them."] = {}
    owner_references: Annotated[
        tuple[OwnerReference, ...], listing("uid", patch_key="uid"), "Objects that this one depends on."
    ] = ()
    finalizers: Annotated[
        tuple[str, ...], MERGED_SET, "What must be done before the object may be removed; each is removed by its doer."
    ] = ()
    managed_fields: Annotated[tuple[ManagedFieldsEntry, ...], ATOMIC, "Which manager owns which fields."] = ()


class LabelSelectorRequirement(Document):
    """One condition on a label."""

    key: Annotated[str, "The label's key."]
    operator: Annotated[Literal["In", "NotIn", "Exists", "DoesNotExist"], "How the label relates to the values."]
    values: Annotated[tuple[str, ...], ATOMIC, "Values for In and NotIn; empty for Exists and DoesNotExist."] = ()


class LabelSelector(Document):
    """Which objects are meant, by their labels; all conditions must hold. An empty selector means all."""

    match_labels: Annotated[Labels, "Labels that must have exactly these values."] = {}
    match_expressions: Annotated[
        tuple[LabelSelectorRequirement, ...], ATOMIC, "Conditions that must hold besides."
    ] = ()


class Condition(Document):
    """One aspect of an object's present state."""

    type: Annotated[str, "Which aspect, in CamelCase."] = ""
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Whether it holds."] = None
    observed_generation: Annotated[int, "The generation of the spec that this status was made for."] = 0
    last_transition_time: Annotated[Time | None, "When the status last changed."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""


class ListMeta(Document):
    """What every list has."""

    self_link: Annotated[str, "Obsolete; never filled in."] = ""
    resource_version: Annotated[str, "Version of the store that the list was read at; watches start from it."] = ""
    continue_: Annotated[str, "Token for the next page; empty on the last one."] = msgspec.field(
        name="continue", default=""
    )
    remaining_item_count: Annotated[int | None, "How many items follow this page."] = None


class FieldSelectorRequirement(Document):
    """One condition on a field."""

    key: Annotated[str, "The field."]
    operator: Annotated[str, "How the field relates to the values."]
    values: Annotated[tuple[str, ...], ATOMIC, "The values."] = ()
