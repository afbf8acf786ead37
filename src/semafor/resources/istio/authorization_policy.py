"""AuthorizationPolicy: who may do what. Source: Istio's API reference."""

from typing import Annotated, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.istio import security_rules
from semafor.resources.istio.common import PolicyTargetReference, WorkloadSelector
from semafor.resources.istio.status import IstioStatus
from semafor.resources.kind import AGE, Column, Kind
from semafor.resources.meta.meta import ObjectMeta


class Source(Document):
    """Conditions on the caller; all that are set must hold."""

    principals: Annotated[tuple[str, ...], "Identities, such as cluster.local/ns/default/sa/web."] = ()
    not_principals: Annotated[tuple[str, ...], "Identities that it must not have."] = ()
    request_principals: Annotated[tuple[str, ...], "Subjects of the JWT, as issuer/subject."] = ()
    not_request_principals: Annotated[tuple[str, ...], "Subjects that it must not have."] = ()
    namespaces: Annotated[tuple[str, ...], "Namespaces of the caller."] = ()
    not_namespaces: Annotated[tuple[str, ...], "Namespaces that it must not come from."] = ()
    service_accounts: Annotated[tuple[str, ...], "Service accounts, as namespace/name."] = ()
    not_service_accounts: Annotated[tuple[str, ...], "Service accounts that it must not have."] = ()
    ip_blocks: Annotated[tuple[str, ...], "Addresses or networks of the connection's other end."] = ()
    not_ip_blocks: Annotated[tuple[str, ...], "Addresses that it must not have."] = ()
    remote_ip_blocks: Annotated[tuple[str, ...], "Addresses or networks of the original client."] = ()
    not_remote_ip_blocks: Annotated[tuple[str, ...], "Addresses that the original client must not have."] = ()
    trust_domains: Annotated[tuple[str, ...], "Trust domains of the caller's identity."] = ()
    not_trust_domains: Annotated[tuple[str, ...], "Trust domains that it must not have."] = ()


class RuleFrom(Document):
    """Who calls."""

    source: Annotated[Source | None, "Conditions on the caller."] = None


class Operation(Document):
    """Conditions on a request; all that are set must hold."""

    hosts: Annotated[tuple[str, ...], "Hosts."] = ()
    not_hosts: Annotated[tuple[str, ...], "Hosts that it must not be for."] = ()
    ports: Annotated[tuple[str, ...], "Ports."] = ()
    not_ports: Annotated[tuple[str, ...], "Ports that it must not be for."] = ()
    methods: Annotated[tuple[str, ...], "Methods."] = ()
    not_methods: Annotated[tuple[str, ...], "Methods that it must not have."] = ()
    paths: Annotated[tuple[str, ...], "Paths; `*` stands for anything at one end, `{*}` and `{**}` within."] = ()
    not_paths: Annotated[tuple[str, ...], "Paths that it must not have."] = ()


class RuleTo(Document):
    """What is called."""

    operation: Annotated[Operation | None, "Conditions on the request."] = None


class RequestCondition(Document):
    """A further condition."""

    key: Annotated[str, "What is looked at, such as request.headers[x-token]."]
    values: Annotated[tuple[str, ...], "Values, one of which it must have."] = ()
    not_values: Annotated[tuple[str, ...], "Values that it must not have."] = ()


class AuthorizationRule(Document):
    """When a policy applies; from, to and when must all hold."""

    from_: Annotated[tuple[RuleFrom, ...], "Who calls; one that matches is enough, and an empty list means anyone."] = (
        msgspec.field(name="from", default=())
    )
    to: Annotated[
        tuple[RuleTo, ...], "What is called; one that matches is enough, and an empty list means anything."
    ] = ()
    when: Annotated[tuple[RequestCondition, ...], "Further conditions; all must hold."] = ()


class ExtensionProvider(Document):
    """Someone else who decides."""

    name: Annotated[str, "Name of the provider in the mesh's settings."] = ""


class AuthorizationPolicySpec(Document):
    """Who may do what."""

    selector: Annotated[WorkloadSelector | None, "Pods that it is for; all of the namespace when absent."] = None
    target_ref: Annotated[PolicyTargetReference | None, "Obsolete: use targetRefs."] = None
    target_refs: Annotated[tuple[PolicyTargetReference, ...], "Gateways and services that it is for."] = ()
    rules: Annotated[tuple[AuthorizationRule, ...], "When it applies; without rules it never does."] = ()
    action: Annotated[Literal["ALLOW", "DENY", "AUDIT", "CUSTOM"], "What is done with requests that it applies to."] = (
        "ALLOW"
    )
    provider: Annotated[ExtensionProvider | None, "Who decides, for action CUSTOM."] = None


class AuthorizationPolicy(Document):
    """Who may do what."""

    api_version: Annotated[str, "API version of the object."] = "security.istio.io/v1"
    kind: Annotated[str, "Kind of the object."] = "AuthorizationPolicy"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[AuthorizationPolicySpec, "What is wanted."] = AuthorizationPolicySpec()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


KIND = Kind(
    group="security.istio.io",
    versions=(
        "v1",
        "v1beta1",
    ),
    kind="AuthorizationPolicy",
    plural="authorizationpolicies",
    short=("ap",),
    categories=("istio-io", "security-istio-io"),
    document=AuthorizationPolicy,
    columns=(
        Column(
            name="Action",
            type="string",
            path=".spec.action",
            description="What is done with requests that it applies to.",
        ),
        AGE,
    ),
    subresources=("status",),
    custom=True,
    validate=security_rules.authorization_policy,
)
