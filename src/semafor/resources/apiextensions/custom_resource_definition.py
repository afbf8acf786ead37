"""CustomResourceDefinition: a kind of one's own. Source: Kubernetes' API reference."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources import errors
from semafor.resources.apiextensions.json_schema import JSONSchemaProps
from semafor.resources.defaulting import fill, inside
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, OPEN, PORT, Time, listing
from semafor.resources.meta.meta import ObjectMeta


class ServiceReference(Document):
    """A Service that answers."""

    namespace: Annotated[str, "Namespace of the Service."]
    name: Annotated[str, "Name of the Service."]
    path: Annotated[str | None, "Path of the request."] = None
    port: Annotated[int | None, PORT, "Port of the Service; 443 when absent."] = None


class WebhookClientConfig(Document):
    """Who answers; exactly one of url and service is set."""

    url: Annotated[str | None, "Where, as a URL."] = None
    service: Annotated[ServiceReference | None, "Where, as a Service."] = None
    ca_bundle: Annotated[str, "Authorities that the server's certificate is checked against, in base64."] = ""


class WebhookConversion(Document):
    """A webhook that converts between versions."""

    client_config: Annotated[WebhookClientConfig | None, "Who answers."] = None
    conversion_review_versions: Annotated[tuple[str, ...], ATOMIC, "Versions of ConversionReview that it knows."] = ()


class CustomResourceConversion(Document):
    """How versions are converted."""

    strategy: Annotated[Literal["None", "Webhook"], "None changes only apiVersion, Webhook asks."]
    webhook: Annotated[WebhookConversion | None, "The webhook."] = None


class CustomResourceDefinitionNames(Document):
    """Names of the kind."""

    plural: Annotated[str, "Name in paths."]
    kind: Annotated[str, "Name in documents."]
    singular: Annotated[str, "Name for one; the kind in lower case when absent."] = ""
    short_names: Annotated[tuple[str, ...], ATOMIC, "Short names for kubectl."] = ()
    list_kind: Annotated[str, "Name of lists; the kind and `List` when absent."] = ""
    categories: Annotated[tuple[str, ...], ATOMIC, "Groups that the kind belongs to, such as all."] = ()


class CustomResourceColumnDefinition(Document):
    """A column of `kubectl get`."""

    name: Annotated[str, "Head of the column."]
    type: Annotated[str, "Type of the value."]
    json_path: Annotated[str, "Where the value is."]
    format: Annotated[str, "Format of the value."] = ""
    description: Annotated[str, "What the column shows."] = ""
    priority: Annotated[int, "Above 0 means: only with `-o wide`."] = 0


class SelectableField(Document):
    """A field that field selectors know."""

    json_path: Annotated[str, "Where the field is."]


class CustomResourceSubresourceScale(Document):
    """Where the number of pods is."""

    spec_replicas_path: Annotated[str, "Where the number wanted is."]
    status_replicas_path: Annotated[str, "Where the number that there is, is."]
    label_selector_path: Annotated[str | None, "Where the pods' selector is, as text."] = None


class CustomResourceSubresources(Document):
    """Subresources of the kind."""

    status: Annotated[dict[str, Any] | None, OPEN, "Whether status is written apart."] = None
    scale: Annotated[CustomResourceSubresourceScale | None, "Where the number of pods is."] = None


class CustomResourceValidation(Document):
    """The kind's schema."""

    open_apiv3_schema: Annotated[JSONSchemaProps | None, "The schema."] = msgspec.field(
        name="openAPIV3Schema", default=None
    )


class CustomResourceDefinitionVersion(Document):
    """A version of the kind."""

    name: Annotated[str, "Name of the version."]
    served: Annotated[bool, "Whether it is served."]
    storage: Annotated[bool, "Whether objects are stored in it; exactly one is."]
    deprecated: Annotated[bool, "Whether its use is warned of."] = False
    deprecation_warning: Annotated[str | None, "The warning."] = None
    schema: Annotated[CustomResourceValidation | None, "The version's schema."] = None
    subresources: Annotated[CustomResourceSubresources | None, "Its subresources."] = None
    additional_printer_columns: Annotated[
        tuple[CustomResourceColumnDefinition, ...], ATOMIC, "Columns of `kubectl get`; the age when empty."
    ] = ()
    selectable_fields: Annotated[tuple[SelectableField, ...], ATOMIC, "Fields that field selectors know."] = ()


class CustomResourceDefinitionSpec(Document):
    """A kind of one's own."""

    group: Annotated[str, "API group of the kind."]
    names: Annotated[CustomResourceDefinitionNames, "Names of the kind."]
    scope: Annotated[Literal["Cluster", "Namespaced"], "Whether objects live in namespaces."]
    versions: Annotated[tuple[CustomResourceDefinitionVersion, ...], ATOMIC, "Versions of the kind."] = ()
    conversion: Annotated[CustomResourceConversion | None, "How versions are converted."] = None
    preserve_unknown_fields: Annotated[bool, "Obsolete; must be false."] = False


class CustomResourceDefinitionCondition(Document):
    """One aspect of the state."""

    type: Annotated[str, "Which aspect."]
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Whether it holds."] = None
    last_transition_time: Annotated[Time | None, "When the status last changed."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""


class CustomResourceDefinitionStatus(Document):
    """The state of the kind."""

    conditions: Annotated[
        tuple[CustomResourceDefinitionCondition, ...],
        listing("type"),
        "Aspects of the present state, told apart by type.",
    ] = ()
    accepted_names: Annotated[CustomResourceDefinitionNames | None, "Names that are in use."] = None
    stored_versions: Annotated[tuple[str, ...], ATOMIC, "Versions that objects were ever stored in."] = ()


class CustomResourceDefinition(Document):
    """A kind of one's own."""

    api_version: Annotated[str, "API version of the object."] = "apiextensions.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "CustomResourceDefinition"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[CustomResourceDefinitionSpec | None, "What is wanted."] = None
    status: Annotated[CustomResourceDefinitionStatus, "What is."] = CustomResourceDefinitionStatus()


def defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """Names that follow from the kind, and no conversion."""

    def names(given: dict[str, Any]) -> dict[str, Any]:
        kind = given.get("kind", "")
        return fill(given, {"singular": kind.lower(), "listKind": f"{kind}List"})

    def spec(given: dict[str, Any]) -> dict[str, Any]:
        return inside(fill(given, {"conversion": {"strategy": "None"}}), "names", names)

    return inside(doc, "spec", spec)


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """It is named after plural and group, and exactly one version is stored."""
    spec, name = doc.get("spec", {}), doc.get("metadata", {}).get("name", "")
    plural, group = spec.get("names", {}).get("plural", ""), spec.get("group", "")
    if plural and group and name != f"{plural}.{group}":
        yield errors.invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    if not spec.get("versions"):
        yield errors.required("spec.versions", "must have at least one version")
    elif sum(bool(version.get("storage")) for version in spec["versions"]) != 1:
        why = "must have exactly one version marked as storage version"
        yield errors.invalid("spec.versions", [version.get("name") for version in spec["versions"]], why)
    for index, version in enumerate(spec.get("versions", ())):
        path, schema = (
            f"spec.versions[{index}].schema.openAPIV3Schema",
            version.get("schema", {}).get("openAPIV3Schema"),
        )
        if schema is None:
            yield errors.required(path, "schemas are required")
        else:
            yield from _structural(schema, path, "must not be empty at the root")


def _structural(schema: dict[str, Any], path: str, why: str) -> Iterator[FieldError]:
    """Every part says its type, but where that is left open by name."""
    if not (schema.get("type") or schema.get(_ANYTHING) or schema.get(_INT_OR_STRING)):
        yield errors.required(f"{path}.type", why)
    for name, each in (schema.get("properties") or {}).items():
        yield from _structural(each, f"{path}.properties[{name}]", "must not be empty for specified object fields")
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            yield from _structural(schema[part], f"{path}.{part}", f"must not be empty for specified {_PARTS[part]}")


def remarks(doc: dict[str, Any]) -> Iterator[FieldError]:
    """Rules in CEL are kept, and nobody evaluates them."""
    for index, version in enumerate(doc.get("spec", {}).get("versions", ())):
        path, schema = (
            f"spec.versions[{index}].schema.openAPIV3Schema",
            version.get("schema", {}).get("openAPIV3Schema"),
        )
        if schema and _has_rules(schema):
            yield errors.remark(path, "x-kubernetes-validations are not evaluated here: a real cluster evaluates them")


def _has_rules(part: Any) -> bool:
    if isinstance(part, dict):
        return "x-kubernetes-validations" in part or any(_has_rules(each) for each in part.values())
    return isinstance(part, list) and any(_has_rules(each) for each in part)


_ANYTHING, _INT_OR_STRING = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"
_PARTS = {"items": "array items", "additionalProperties": "object fields"}


KIND = Kind(
    group="apiextensions.k8s.io",
    versions=("v1",),
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    short=("crd", "crds"),
    categories=("api-extensions",),
    document=CustomResourceDefinition,
    namespaced=False,
    subresources=("status",),
    effect=False,
    defaults=defaults,
    validate=validate,
    remarks=remarks,
)
