"""JSON schemas of custom resources. Source: Kubernetes' API reference."""

from typing import Annotated, Any, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.marks import ATOMIC, OPEN, listing


class ExternalDocumentation(Document):
    """A page that explains."""

    description: Annotated[str, "What it explains."] = ""
    url: Annotated[str, "Where it is."] = ""


class ValidationRule(Document):
    """A rule in CEL."""

    rule: Annotated[str, "The rule; it must be true."]
    message: Annotated[str, "What is said when it is not."] = ""
    message_expression: Annotated[str, "The same, as an expression in CEL."] = ""
    reason: Annotated[
        Literal["FieldValueRequired", "FieldValueDuplicate", "FieldValueInvalid", "FieldValueForbidden"] | None,
        "Reason of the error.",
    ] = None
    field_path: Annotated[str, "Field that the error is about."] = ""
    optional_old_self: Annotated[bool | None, "Whether the rule holds for new objects too."] = None


class JSONSchemaProps(Document):
    """A JSON schema."""

    id: Annotated[str, "Name of the schema."] = ""
    schema: Annotated[str, "Address of the schema's own schema."] = msgspec.field(name="$schema", default="")
    ref: Annotated[str | None, "Not allowed here."] = msgspec.field(name="$ref", default=None)
    description: Annotated[str, "What the value is."] = ""
    type: Annotated[str, "Type of the value."] = ""
    format: Annotated[str, "Format of the value."] = ""
    title: Annotated[str, "Short name of the value."] = ""
    default: Annotated[Any, OPEN, "Value when it is absent."] = None
    maximum: Annotated[float | None, "Greatest number."] = None
    exclusive_maximum: Annotated[bool, "Whether the greatest number itself is excluded."] = False
    minimum: Annotated[float | None, "Least number."] = None
    exclusive_minimum: Annotated[bool, "Whether the least number itself is excluded."] = False
    max_length: Annotated[int | None, "Greatest length of a text."] = None
    min_length: Annotated[int | None, "Least length of a text."] = None
    pattern: Annotated[str, "Regular expression for a text."] = ""
    max_items: Annotated[int | None, "Greatest length of a list."] = None
    min_items: Annotated[int | None, "Least length of a list."] = None
    unique_items: Annotated[bool, "Whether items must differ."] = False
    multiple_of: Annotated[float | None, "What a number must be a multiple of."] = None
    enum: Annotated[tuple[Any, ...], OPEN, ATOMIC, "Values that are allowed."] = ()
    max_properties: Annotated[int | None, "Most fields of an object."] = None
    min_properties: Annotated[int | None, "Fewest fields of an object."] = None
    required: Annotated[tuple[str, ...], ATOMIC, "Fields that must be there."] = ()
    items: Annotated[Any, OPEN, "Schema of a list's items."] = None
    all_of: Annotated["tuple[JSONSchemaProps, ...]", ATOMIC, "Schemas that must all match."] = ()
    one_of: Annotated["tuple[JSONSchemaProps, ...]", ATOMIC, "Schemas, exactly one of which must match."] = ()
    any_of: Annotated["tuple[JSONSchemaProps, ...]", ATOMIC, "Schemas, at least one of which must match."] = ()
    not_: Annotated["JSONSchemaProps | None", "Schema that must not match."] = msgspec.field(name="not", default=None)
    properties: Annotated["dict[str, JSONSchemaProps]", "Schemas of an object's fields."] = {}
    additional_properties: Annotated[Any, OPEN, "Schema of all other fields, or whether they are allowed."] = None
    pattern_properties: Annotated["dict[str, JSONSchemaProps]", "Schemas of fields by regular expressions."] = {}
    dependencies: Annotated[dict[str, Any], OPEN, "Fields that need others."] = {}
    additional_items: Annotated[Any, OPEN, "Schema of further items, or whether they are allowed."] = None
    definitions: Annotated["dict[str, JSONSchemaProps]", "Schemas to refer to."] = {}
    external_docs: Annotated[ExternalDocumentation | None, "A page that explains."] = None
    example: Annotated[Any, OPEN, "An example."] = None
    nullable: Annotated[bool, "Whether null is allowed."] = False
    x_kubernetes_preserve_unknown_fields: Annotated[bool | None, "Whether fields without a schema are kept."] = (
        msgspec.field(name="x-kubernetes-preserve-unknown-fields", default=None)
    )
    x_kubernetes_embedded_resource: Annotated[bool, "Whether the object is a whole Kubernetes object."] = msgspec.field(
        name="x-kubernetes-embedded-resource", default=False
    )
    x_kubernetes_int_or_string: Annotated[bool, "Whether the value is a number or a text."] = msgspec.field(
        name="x-kubernetes-int-or-string", default=False
    )
    x_kubernetes_list_map_keys: Annotated[tuple[str, ...], ATOMIC, "Fields that tell a list's items apart."] = (
        msgspec.field(name="x-kubernetes-list-map-keys", default=())
    )
    x_kubernetes_list_type: Annotated[str | None, "How a list is merged: atomic, set or map."] = msgspec.field(
        name="x-kubernetes-list-type", default=None
    )
    x_kubernetes_map_type: Annotated[str | None, "How an object is merged: granular or atomic."] = msgspec.field(
        name="x-kubernetes-map-type", default=None
    )
    x_kubernetes_validations: Annotated[
        tuple[ValidationRule, ...], listing("rule", patch_key="rule"), "Rules in CEL."
    ] = msgspec.field(name="x-kubernetes-validations", default=())
