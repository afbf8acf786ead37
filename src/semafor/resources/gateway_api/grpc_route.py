"""GRPCRoute: which gRPC calls go where. Source: the Gateway API's reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.gateway_api import filled, rules
from semafor.resources.gateway_api.filters import HTTPHeaderFilter, HTTPRequestMirrorFilter
from semafor.resources.gateway_api.references import LocalObjectReference, ParentReference
from semafor.resources.gateway_api.session import SessionPersistence
from semafor.resources.gateway_api.status import RouteParentStatus
from semafor.resources.kind import AGE, Column, Kind
from semafor.resources.marks import ATOMIC, BLANK, HOSTNAME, Port, listing, within
from semafor.resources.meta.meta import ObjectMeta


class GRPCRouteFilter(Document):
    """Something that is done on the way; the field named by type is set."""

    type: Annotated[
        Literal["ResponseHeaderModifier", "RequestHeaderModifier", "RequestMirror", "ExtensionRef"], "What is done."
    ]
    request_header_modifier: Annotated[HTTPHeaderFilter | None, "Changes headers of the request."] = None
    response_header_modifier: Annotated[HTTPHeaderFilter | None, "Changes headers of the response."] = None
    request_mirror: Annotated[HTTPRequestMirrorFilter | None, "Sends a copy to another backend."] = None
    extension_ref: Annotated[LocalObjectReference | None, "Something of the implementation's own."] = None


class GRPCMethodMatch(Document):
    """A condition on service and method."""

    type: Annotated[Literal["Exact", "RegularExpression"], "How they are compared."] = "Exact"
    service: Annotated[str | None, "Name of the service."] = None
    method: Annotated[str | None, "Name of the method."] = None


class GRPCHeaderMatch(Document):
    """A condition on a header."""

    name: Annotated[str, "Name of the header."]
    value: Annotated[str, "What with."]
    type: Annotated[Literal["Exact", "RegularExpression"], "How it is compared."] = "Exact"


class GRPCRouteMatch(Document):
    """Conditions on a call; all of them must hold."""

    method: Annotated[GRPCMethodMatch | None, "Condition on service and method."] = None
    headers: Annotated[tuple[GRPCHeaderMatch, ...], listing("name"), "Conditions on headers."] = ()


class GRPCBackendRef(Document):
    """Where calls go, and its share."""

    name: Annotated[str, "Name of the backend."]
    group: Annotated[str, BLANK, "API group of the backend."] = ""
    kind: Annotated[str, "Kind of the backend."] = "Service"
    namespace: Annotated[str | None, "Namespace of the backend; another one needs a ReferenceGrant."] = None
    port: Annotated[Port | None, "Port of the backend."] = None
    weight: Annotated[int, within(0, 1000000), "Share relative to the sum of all weights."] = 1
    filters: Annotated[tuple[GRPCRouteFilter, ...], ATOMIC, "What is done on the way to this backend."] = ()


class GRPCRouteRule(Document):
    """Conditions, and what is done with calls that meet them."""

    name: Annotated[str | None, "Name of the rule."] = None
    matches: Annotated[tuple[GRPCRouteMatch, ...], ATOMIC, "Conditions; one that matches is enough."] = ()
    filters: Annotated[tuple[GRPCRouteFilter, ...], ATOMIC, "What is done on the way."] = ()
    backend_refs: Annotated[tuple[GRPCBackendRef, ...], ATOMIC, "Where calls go, by their shares."] = ()
    session_persistence: Annotated[SessionPersistence | None, "How a client stays with its backend."] = None


class GRPCRouteSpec(Document):
    """Which gRPC calls go where."""

    parent_refs: Annotated[tuple[ParentReference, ...], ATOMIC, "Objects that the route belongs to."] = ()
    use_default_gateways: Annotated[Literal["All", "None"] | None, "Whether it belongs to default Gateways too."] = None
    hostnames: Annotated[
        tuple[Annotated[str, HOSTNAME], ...], ATOMIC, "Hosts that the route is for; all of the parent when empty."
    ] = ()
    rules: Annotated[tuple[GRPCRouteRule, ...], ATOMIC, "What is done with calls, by conditions."] = ()


class GRPCRouteStatus(Document):
    """The state of a route."""

    parents: Annotated[tuple[RouteParentStatus, ...], ATOMIC, "Its state at each parent."] = ()


class GRPCRoute(Document):
    """Which gRPC calls go where."""

    spec: Annotated[GRPCRouteSpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "gateway.networking.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "GRPCRoute"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[GRPCRouteStatus | None, "What is."] = None


KIND = Kind(
    group="gateway.networking.k8s.io",
    versions=(
        "v1",
        "v1alpha2",
    ),
    kind="GRPCRoute",
    plural="grpcroutes",
    categories=("gateway-api",),
    document=GRPCRoute,
    columns=(
        Column(name="Hostnames", type="string", path=".spec.hostnames", description="Hosts that the route is for."),
        AGE,
    ),
    subresources=("status",),
    custom=True,
    effect=True,
    defaults=filled.of(GRPCRoute),
    validate=rules.grpc_route,
)
