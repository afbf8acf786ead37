"""HTTPRoute: which HTTP requests go where. Source: the Gateway API's reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.gateway_api import filled, rules
from semafor.resources.gateway_api.filters import (
    HTTPCORSFilter,
    HTTPExternalAuthFilter,
    HTTPHeaderFilter,
    HTTPRequestMirrorFilter,
    HTTPRequestRedirectFilter,
    HTTPURLRewriteFilter,
)
from semafor.resources.gateway_api.references import LocalObjectReference, ParentReference
from semafor.resources.gateway_api.session import SessionPersistence
from semafor.resources.gateway_api.status import RouteParentStatus
from semafor.resources.kind import AGE, Column, Kind
from semafor.resources.marks import ATOMIC, BLANK, GATEWAY_DURATION, HOSTNAME, SET, Port, listing, within
from semafor.resources.meta.meta import ObjectMeta


class HTTPRouteFilter(Document):
    """Something that is done on the way; the field named by type is set."""

    type: Annotated[
        Literal[
            "RequestHeaderModifier",
            "ResponseHeaderModifier",
            "RequestMirror",
            "RequestRedirect",
            "URLRewrite",
            "CORS",
            "ExternalAuth",
            "ExtensionRef",
        ],
        "What is done.",
    ]
    request_header_modifier: Annotated[HTTPHeaderFilter | None, "Changes headers of the request."] = None
    response_header_modifier: Annotated[HTTPHeaderFilter | None, "Changes headers of the response."] = None
    request_mirror: Annotated[HTTPRequestMirrorFilter | None, "Sends a copy to another backend."] = None
    request_redirect: Annotated[HTTPRequestRedirectFilter | None, "Answers with a redirect."] = None
    url_rewrite: Annotated[HTTPURLRewriteFilter | None, "Changes host or path."] = None
    cors: Annotated[HTTPCORSFilter | None, "Cross-origin rules."] = None
    external_auth: Annotated[HTTPExternalAuthFilter | None, "Asks somebody else whether the request is allowed."] = None
    extension_ref: Annotated[LocalObjectReference | None, "Something of the implementation's own."] = None


class HTTPPathMatch(Document):
    """A condition on the path."""

    type: Annotated[Literal["Exact", "PathPrefix", "RegularExpression"], "How it is compared."] = "PathPrefix"
    value: Annotated[str, "What with."] = "/"


class HTTPHeaderMatch(Document):
    """A condition on a header."""

    name: Annotated[str, "Name of the header, in any case."]
    value: Annotated[str, "What with."]
    type: Annotated[Literal["Exact", "RegularExpression"], "How it is compared."] = "Exact"


class HTTPQueryParamMatch(Document):
    """A condition on a parameter of the query."""

    name: Annotated[str, "Name of the parameter."]
    value: Annotated[str, "What with."]
    type: Annotated[Literal["Exact", "RegularExpression"], "How it is compared."] = "Exact"


class HTTPRouteMatch(Document):
    """Conditions on a request; all of them must hold."""

    path: Annotated[HTTPPathMatch | None, "Condition on the path."] = None
    headers: Annotated[tuple[HTTPHeaderMatch, ...], listing("name"), "Conditions on headers."] = ()
    query_params: Annotated[
        tuple[HTTPQueryParamMatch, ...], listing("name"), "Conditions on parameters of the query."
    ] = ()
    method: Annotated[
        Literal["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"] | None,
        "Condition on the method.",
    ] = None


class HTTPBackendRef(Document):
    """Where requests go, and its share."""

    name: Annotated[str, "Name of the backend."]
    group: Annotated[str, BLANK, "API group of the backend."] = ""
    kind: Annotated[str, "Kind of the backend."] = "Service"
    namespace: Annotated[str | None, "Namespace of the backend; another one needs a ReferenceGrant."] = None
    port: Annotated[Port | None, "Port of the backend."] = None
    weight: Annotated[int, within(0, 1000000), "Share relative to the sum of all weights."] = 1
    filters: Annotated[tuple[HTTPRouteFilter, ...], ATOMIC, "What is done on the way to this backend."] = ()


class HTTPRouteTimeouts(Document):
    """Longest times; 0s means no limit."""

    request: Annotated[str | None, GATEWAY_DURATION, "For the whole request."] = None
    backend_request: Annotated[str | None, GATEWAY_DURATION, "For one try at a backend."] = None


class HTTPRouteRetry(Document):
    """How often a failed request is tried again."""

    codes: Annotated[tuple[int, ...], SET, "Status codes that count as failed."] = ()
    attempts: Annotated[int, "How often."] = 1
    backoff: Annotated[str | None, GATEWAY_DURATION, "Least pause between tries."] = None


class HTTPRouteRule(Document):
    """Conditions, and what is done with requests that meet them."""

    name: Annotated[str | None, "Name of the rule."] = None
    matches: Annotated[tuple[HTTPRouteMatch, ...], ATOMIC, "Conditions; one that matches is enough."] = ()
    filters: Annotated[tuple[HTTPRouteFilter, ...], ATOMIC, "What is done on the way."] = ()
    backend_refs: Annotated[tuple[HTTPBackendRef, ...], ATOMIC, "Where requests go, by their shares."] = ()
    timeouts: Annotated[HTTPRouteTimeouts | None, "Longest times."] = None
    retry: Annotated[HTTPRouteRetry | None, "How often a failed request is tried again."] = None
    session_persistence: Annotated[SessionPersistence | None, "How a client stays with its backend."] = None


class HTTPRouteSpec(Document):
    """Which HTTP requests go where."""

    parent_refs: Annotated[tuple[ParentReference, ...], ATOMIC, "Objects that the route belongs to."] = ()
    use_default_gateways: Annotated[Literal["All", "None"] | None, "Whether it belongs to default Gateways too."] = None
    hostnames: Annotated[
        tuple[Annotated[str, HOSTNAME], ...], ATOMIC, "Hosts that the route is for; all of the parent when empty."
    ] = ()
    rules: Annotated[tuple[HTTPRouteRule, ...], ATOMIC, "What is done with requests, by conditions."] = ()


class HTTPRouteStatus(Document):
    """The state of a route."""

    parents: Annotated[tuple[RouteParentStatus, ...], ATOMIC, "Its state at each parent."] = ()


class HTTPRoute(Document):
    """Which HTTP requests go where."""

    spec: Annotated[HTTPRouteSpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "gateway.networking.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "HTTPRoute"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[HTTPRouteStatus | None, "What is."] = None


KIND = Kind(
    group="gateway.networking.k8s.io",
    versions=(
        "v1",
        "v1beta1",
    ),
    kind="HTTPRoute",
    plural="httproutes",
    categories=("gateway-api",),
    document=HTTPRoute,
    columns=(
        Column(name="Hostnames", type="string", path=".spec.hostnames", description="Hosts that the route is for."),
        AGE,
    ),
    subresources=("status",),
    custom=True,
    effect=True,
    defaults=filled.of(HTTPRoute, filled.http_route),
    validate=rules.http_route,
)
