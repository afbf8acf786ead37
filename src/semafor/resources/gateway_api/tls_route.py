"""TLSRoute: which TLS connections go where. Source: the Gateway API's reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.gateway_api import filled, rules
from semafor.resources.gateway_api.references import BackendRef, ParentReference
from semafor.resources.gateway_api.status import RouteParentStatus
from semafor.resources.kind import AGE, Kind
from semafor.resources.marks import ATOMIC, HOSTNAME
from semafor.resources.meta.meta import ObjectMeta


class TLSRouteRule(Document):
    """Where TLS connections go."""

    backend_refs: Annotated[tuple[BackendRef, ...], ATOMIC, "The backends, by their shares."]
    name: Annotated[str | None, "Name of the rule."] = None


class TLSRouteSpec(Document):
    """Which TLS connections go where."""

    hostnames: Annotated[
        tuple[Annotated[str, HOSTNAME], ...], ATOMIC, "Hosts that the route is for; all of the parent when empty."
    ]
    rules: Annotated[tuple[TLSRouteRule, ...], ATOMIC, "Where they go."]
    parent_refs: Annotated[tuple[ParentReference, ...], ATOMIC, "Objects that the route belongs to."] = ()
    use_default_gateways: Annotated[Literal["All", "None"] | None, "Whether it belongs to default Gateways too."] = None


class TLSRouteStatus(Document):
    """The state of a route."""

    parents: Annotated[tuple[RouteParentStatus, ...], ATOMIC, "Its state at each parent."] = ()


class TLSRoute(Document):
    """Which TLS connections go where, by SNI."""

    spec: Annotated[TLSRouteSpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "gateway.networking.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "TLSRoute"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[TLSRouteStatus | None, "What is."] = None


KIND = Kind(
    group="gateway.networking.k8s.io",
    versions=(
        "v1",
        "v1alpha3",
        "v1alpha2",
    ),
    kind="TLSRoute",
    plural="tlsroutes",
    categories=("gateway-api",),
    document=TLSRoute,
    columns=(AGE,),
    subresources=("status",),
    custom=True,
    effect=True,
    defaults=filled.of(TLSRoute),
    validate=rules.tls_route,
)
