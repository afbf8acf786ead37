"""UDPRoute: which UDP datagrams go where. Source: the Gateway API's reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.gateway_api import filled, rules
from semafor.resources.gateway_api.references import BackendRef, ParentReference
from semafor.resources.gateway_api.status import RouteParentStatus
from semafor.resources.kind import AGE, Kind
from semafor.resources.marks import ATOMIC
from semafor.resources.meta.meta import ObjectMeta


class UDPRouteRule(Document):
    """Where datagrams go."""

    backend_refs: Annotated[tuple[BackendRef, ...], ATOMIC, "The backends, by their shares."]
    name: Annotated[str | None, "Name of the rule."] = None


class UDPRouteSpec(Document):
    """Which datagrams go where."""

    rules: Annotated[tuple[UDPRouteRule, ...], ATOMIC, "Where they go."]
    parent_refs: Annotated[tuple[ParentReference, ...], ATOMIC, "Objects that the route belongs to."] = ()
    use_default_gateways: Annotated[Literal["All", "None"] | None, "Whether it belongs to default Gateways too."] = None


class UDPRouteStatus(Document):
    """The state of a route."""

    parents: Annotated[tuple[RouteParentStatus, ...], ATOMIC, "Its state at each parent."] = ()


class UDPRoute(Document):
    """Which UDP datagrams go where."""

    spec: Annotated[UDPRouteSpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "gateway.networking.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "UDPRoute"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[UDPRouteStatus | None, "What is."] = None


KIND = Kind(
    group="gateway.networking.k8s.io",
    versions=(
        "v1",
        "v1alpha2",
    ),
    kind="UDPRoute",
    plural="udproutes",
    categories=("gateway-api",),
    document=UDPRoute,
    columns=(AGE,),
    subresources=("status",),
    custom=True,
    effect=True,
    defaults=filled.of(UDPRoute),
    validate=rules.l4_route,
)
