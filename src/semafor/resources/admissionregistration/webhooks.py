"""Webhooks that change or refuse objects. Source: Kubernetes' API reference."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from semafor.base.struct import Document
from semafor.resources import errors
from semafor.resources.defaulting import each, fill, inside
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, PORT, listing, within
from semafor.resources.meta.meta import LabelSelector, ObjectMeta


class Rule(Document):
    """Requests that a webhook gets."""

    api_groups: Annotated[tuple[str, ...], ATOMIC, "API groups; `*` means all."] = ()
    api_versions: Annotated[tuple[str, ...], ATOMIC, "API versions; `*` means all."] = ()
    resources: Annotated[tuple[str, ...], ATOMIC, "Resources; `*` means all, `*/*` subresources too."] = ()
    scope: Annotated[Literal["Cluster", "Namespaced", "*"] | None, "Whether cluster-scoped, namespaced or all."] = None


class RuleWithOperations(Document):
    """Requests that a webhook gets."""

    operations: Annotated[
        tuple[Literal["*", "CREATE", "UPDATE", "DELETE", "CONNECT"], ...], ATOMIC, "Operations; `*` means all."
    ] = ()
    api_groups: Annotated[tuple[str, ...], ATOMIC, "API groups; `*` means all."] = ()
    api_versions: Annotated[tuple[str, ...], ATOMIC, "API versions; `*` means all."] = ()
    resources: Annotated[tuple[str, ...], ATOMIC, "Resources; `*` means all, `*/*` subresources too."] = ()
    scope: Annotated[Literal["Cluster", "Namespaced", "*"] | None, "Whether cluster-scoped, namespaced or all."] = None


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


class MatchCondition(Document):
    """A condition on a request."""

    name: Annotated[str, "Name of the condition."]
    expression: Annotated[str, "The condition in CEL."]


class Webhook(Document):
    """What is the same for every webhook."""

    name: Annotated[str, "Name of the webhook."]
    client_config: Annotated[WebhookClientConfig, "Who answers."]
    side_effects: Annotated[
        Literal["Unknown", "None", "Some", "NoneOnDryRun"], "Whether it changes something elsewhere."
    ]
    rules: Annotated[tuple[RuleWithOperations, ...], ATOMIC, "Requests that it gets; one that matches is enough."] = ()
    failure_policy: Annotated[Literal["Ignore", "Fail"] | None, "What no answer means."] = None
    match_policy: Annotated[
        Literal["Exact", "Equivalent"] | None, "Whether other versions of the same resource match."
    ] = None
    namespace_selector: Annotated[LabelSelector | None, ATOMIC, "Namespaces whose objects it gets."] = None
    object_selector: Annotated[LabelSelector | None, ATOMIC, "Objects that it gets."] = None
    timeout_seconds: Annotated[int | None, within(1, 30), "Seconds to answer; 10 when absent."] = None
    admission_review_versions: Annotated[tuple[str, ...], ATOMIC, "Versions of AdmissionReview that it knows."] = ()
    match_conditions: Annotated[
        tuple[MatchCondition, ...], listing("name", patch_key="name"), "Further conditions on requests; all must hold."
    ] = ()


class ValidatingWebhook(Webhook):
    """A webhook that refuses."""


class MutatingWebhook(Webhook):
    """A webhook that changes."""

    reinvocation_policy: Annotated[
        Literal["Never", "IfNeeded"] | None, "Whether it is asked again when later webhooks change the object."
    ] = None


class ValidatingWebhookConfiguration(Document):
    """Webhooks that refuse objects."""

    api_version: Annotated[str, "API version of the object."] = "admissionregistration.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "ValidatingWebhookConfiguration"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    webhooks: Annotated[tuple[ValidatingWebhook, ...], listing("name", patch_key="name"), "The webhooks."] = ()


class MutatingWebhookConfiguration(Document):
    """Webhooks that change objects."""

    api_version: Annotated[str, "API version of the object."] = "admissionregistration.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "MutatingWebhookConfiguration"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    webhooks: Annotated[tuple[MutatingWebhook, ...], listing("name", patch_key="name"), "The webhooks."] = ()


GROUP = "admissionregistration.k8s.io"
_FILLED: dict[str, Any] = {
    "failurePolicy": "Fail",
    "matchPolicy": "Equivalent",
    "namespaceSelector": {},
    "objectSelector": {},
    "timeoutSeconds": 10,
}


def validating_defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """Every object is asked about, and no answer within ten seconds is a refusal."""
    return each(doc, "webhooks", lambda webhook: _fill(webhook, _FILLED))


def mutating_defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """The same, and each webhook is asked once."""
    return each(doc, "webhooks", lambda webhook: _fill(webhook, {**_FILLED, "reinvocationPolicy": "Never"}))


def _fill(webhook: dict[str, Any], filled: dict[str, Any]) -> dict[str, Any]:
    webhook = each(fill(webhook, filled), "rules", lambda rule: fill(rule, {"scope": "*"}))
    return inside(
        webhook,
        "clientConfig",
        lambda client: inside(client, "service", lambda service: fill(service, {"port": 443})),
    )


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """Names are different, and each webhook says who answers and which reviews it knows."""
    names: set[str] = set()
    for index, webhook in enumerate(doc.get("webhooks", ())):
        path, name = f"webhooks[{index}]", webhook.get("name", "")
        if name in names:
            yield errors.duplicate(f"{path}.name", name)
        names.add(name)
        if name and name.count(".") < 2:
            why = "should be a domain with at least three segments separated by dots"
            yield errors.invalid(f"{path}.name", name, why)
        client = webhook.get("clientConfig", {})
        if ("url" in client) == ("service" in client):
            yield errors.required(f"{path}.clientConfig", "exactly one of url or service is required")
        if not webhook.get("admissionReviewVersions"):
            yield errors.required(f"{path}.admissionReviewVersions", "must specify one of v1, v1beta1")
        if webhook.get("sideEffects") not in (None, "None", "NoneOnDryRun"):
            yield errors.not_supported(f"{path}.sideEffects", webhook["sideEffects"], ("None", "NoneOnDryRun"))


VALIDATING = Kind(
    group=GROUP,
    versions=("v1",),
    kind="ValidatingWebhookConfiguration",
    plural="validatingwebhookconfigurations",
    categories=("api-extensions",),
    document=ValidatingWebhookConfiguration,
    namespaced=False,
    effect=False,
    defaults=validating_defaults,
    validate=validate,
)

MUTATING = Kind(
    group=GROUP,
    versions=("v1",),
    kind="MutatingWebhookConfiguration",
    plural="mutatingwebhookconfigurations",
    categories=("api-extensions",),
    document=MutatingWebhookConfiguration,
    namespaced=False,
    effect=False,
    defaults=mutating_defaults,
    validate=validate,
)
