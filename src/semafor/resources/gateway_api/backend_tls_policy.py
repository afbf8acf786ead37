"""BackendTLSPolicy: how connections to backends are secured. Source: the Gateway API's reference."""

from typing import Annotated, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.gateway_api import filled, rules
from semafor.resources.gateway_api.references import LocalObjectReference, LocalPolicyTargetReferenceWithSectionName
from semafor.resources.gateway_api.status import PolicyStatus
from semafor.resources.kind import AGE, Kind
from semafor.resources.marks import ATOMIC, DNS_SUBDOMAIN, HOSTNAME, Labels
from semafor.resources.meta.meta import ObjectMeta


class SubjectAltName(Document):
    """A name in a certificate."""

    type: Annotated[Literal["Hostname", "URI"], "Type of the name."]
    hostname: Annotated[str | None, HOSTNAME, "The name as a DNS name."] = None
    uri: Annotated[str, "The name as a URI."] = ""


class BackendTLSPolicyValidation(Document):
    """What a backend's certificate is checked against."""

    hostname: Annotated[str, DNS_SUBDOMAIN, "Name that is sent, and that the certificate must have."]
    ca_certificate_refs: Annotated[tuple[LocalObjectReference, ...], ATOMIC, "ConfigMaps with authorities."] = ()
    well_known_ca_certificates: Annotated[str | None, "Authorities that everybody knows."] = msgspec.field(
        name="wellKnownCACertificates", default=None
    )
    subject_alt_names: Annotated[
        tuple[SubjectAltName, ...], ATOMIC, "Names, one of which the certificate must have."
    ] = ()


class BackendTLSPolicySpec(Document):
    """How connections to backends are secured."""

    target_refs: Annotated[tuple[LocalPolicyTargetReferenceWithSectionName, ...], ATOMIC, "Services that it is for."]
    validation: Annotated[BackendTLSPolicyValidation, "What the backend's certificate is checked against."]
    options: Annotated[Labels, "Settings of the implementation's own."] = {}


class BackendTLSPolicy(Document):
    """How connections to backends are secured."""

    spec: Annotated[BackendTLSPolicySpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "gateway.networking.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "BackendTLSPolicy"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[PolicyStatus | None, "What is."] = None


KIND = Kind(
    group="gateway.networking.k8s.io",
    versions=(
        "v1",
        "v1alpha3",
    ),
    kind="BackendTLSPolicy",
    plural="backendtlspolicies",
    short=("btlspolicy",),
    categories=("gateway-api",),
    document=BackendTLSPolicy,
    columns=(AGE,),
    subresources=("status",),
    custom=True,
    effect=True,
    defaults=filled.of(BackendTLSPolicy),
    validate=rules.backend_tls_policy,
)
