"""RequestAuthentication: which JSON Web Tokens requests may carry. Source: Istio's API reference."""

from typing import Annotated

import msgspec

from semafor.base.struct import Document
from semafor.resources.istio import security_rules
from semafor.resources.istio.common import PolicyTargetReference, WorkloadSelector
from semafor.resources.istio.status import IstioStatus
from semafor.resources.kind import AGE, Kind
from semafor.resources.marks import Duration
from semafor.resources.meta.meta import ObjectMeta


class JWTHeader(Document):
    """A header that may hold a token."""

    name: Annotated[str, "Name of the header."]
    prefix: Annotated[str, "What stands before the token, such as `Bearer `."] = ""


class ClaimToHeader(Document):
    """A claim passed on in a header."""

    header: Annotated[str, "Name of the header."]
    claim: Annotated[str, "Name of the claim."]


class JWTRule(Document):
    """How the tokens of one issuer are checked."""

    issuer: Annotated[str, "The issuer."] = ""
    audiences: Annotated[tuple[str, ...], "Audiences, one of which the token must have; any when empty."] = ()
    jwks_uri: Annotated[str, "Where the issuer's public keys are."] = ""
    jwks_uri_old: Annotated[str, "Another spelling of jwksUri."] = msgspec.field(name="jwks_uri", default="")
    jwks: Annotated[str, "The issuer's public keys."] = ""
    from_headers: Annotated[
        tuple[JWTHeader, ...], "Headers that may hold the token; Authorization when nothing is named."
    ] = ()
    from_params: Annotated[tuple[str, ...], "Parameters of the query that may hold the token."] = ()
    output_payload_to_header: Annotated[str, "Header that the token's payload is passed on in."] = ""
    from_cookies: Annotated[tuple[str, ...], "Cookies that may hold the token."] = ()
    forward_original_token: Annotated[bool, "Whether the token is passed on."] = False
    output_claim_to_headers: Annotated[tuple[ClaimToHeader, ...], "Claims that are passed on in headers."] = ()
    timeout: Annotated[Duration | None, "Longest time to get the keys; 5s when absent."] = None
    space_delimited_claims: Annotated[tuple[str, ...], "Claims that are lists with spaces between their items."] = ()


class RequestAuthenticationSpec(Document):
    """Which JSON Web Tokens requests may carry."""

    selector: Annotated[WorkloadSelector | None, "Pods that it is for; all of the namespace when absent."] = None
    target_ref: Annotated[PolicyTargetReference | None, "Obsolete: use targetRefs."] = None
    target_refs: Annotated[tuple[PolicyTargetReference, ...], "Gateways and services that it is for."] = ()
    jwt_rules: Annotated[
        tuple[JWTRule, ...], "The issuers; a token of any other is refused, a request without a token passes."
    ] = ()


class RequestAuthentication(Document):
    """Which JSON Web Tokens requests may carry."""

    api_version: Annotated[str, "API version of the object."] = "security.istio.io/v1"
    kind: Annotated[str, "Kind of the object."] = "RequestAuthentication"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[RequestAuthenticationSpec, "What is wanted."] = RequestAuthenticationSpec()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


KIND = Kind(
    group="security.istio.io",
    versions=(
        "v1",
        "v1beta1",
    ),
    kind="RequestAuthentication",
    plural="requestauthentications",
    short=("ra",),
    categories=("istio-io", "security-istio-io"),
    document=RequestAuthentication,
    columns=(AGE,),
    subresources=("status",),
    custom=True,
    validate=security_rules.request_authentication,
)
