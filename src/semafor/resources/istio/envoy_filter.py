"""EnvoyFilter: changes of the Envoy configuration itself. Source: Istio's API reference."""

from typing import Annotated, Any, Literal

from semafor.base.struct import Document
from semafor.resources.istio import envoy_filter_rules
from semafor.resources.istio.common import PolicyTargetReference
from semafor.resources.istio.selector import ProxySelector
from semafor.resources.istio.status import IstioStatus
from semafor.resources.kind import AGE, Kind
from semafor.resources.marks import OPEN, Labels
from semafor.resources.meta.meta import ObjectMeta


class ProxyMatch(Document):
    """Conditions on the proxy."""

    proxy_version: Annotated[str, "Regular expression for its version."] = ""
    metadata: Annotated[Labels, "Values that its metadata must have."] = {}


class SubFilterMatch(Document):
    """Conditions on an HTTP filter."""

    name: Annotated[str, "Name of the filter."] = ""


class FilterMatch(Document):
    """Conditions on a network filter."""

    name: Annotated[str, "Name of the filter."] = ""
    sub_filter: Annotated[SubFilterMatch | None, "Conditions on a filter within it."] = None


class FilterChainMatch(Document):
    """Conditions on a filter chain."""

    name: Annotated[str, "Name of the filter chain."] = ""
    sni: Annotated[str, "Server name that it is for."] = ""
    transport_protocol: Annotated[str, "raw_buffer or tls."] = ""
    application_protocols: Annotated[str, "Protocols of ALPN that it is for, with commas."] = ""
    filter: Annotated[FilterMatch | None, "Conditions on a network filter in it."] = None
    destination_port: Annotated[int, "Port that it is for."] = 0


class ListenerMatch(Document):
    """Conditions on a listener."""

    port_number: Annotated[int, "Port that it is for."] = 0
    port_name: Annotated[str, "Not in effect."] = ""
    filter_chain: Annotated[FilterChainMatch | None, "Conditions on a filter chain in it."] = None
    listener_filter: Annotated[str, "Name of a listener filter in it."] = ""
    name: Annotated[str, "Name of the listener."] = ""


class RouteMatch(Document):
    """Conditions on a route."""

    name: Annotated[str, "Name of the route."] = ""
    action: Annotated[Literal["ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE"], "What the route does."] = "ANY"


class VirtualHostMatch(Document):
    """Conditions on a virtual host."""

    name: Annotated[str, "Name of the virtual host, as host:port."] = ""
    domain_name: Annotated[str, "One of its domains."] = ""
    route: Annotated[RouteMatch | None, "Conditions on a route in it."] = None


class RouteConfigurationMatch(Document):
    """Conditions on a route configuration."""

    port_number: Annotated[int, "Port that it is for."] = 0
    port_name: Annotated[str, "Name of the port."] = ""
    gateway: Annotated[str, "Gateway that it is for, as namespace/name."] = ""
    vhost: Annotated[VirtualHostMatch | None, "Conditions on a virtual host in it."] = None
    name: Annotated[str, "Name of the route configuration."] = ""


class ClusterMatch(Document):
    """Conditions on a cluster."""

    port_number: Annotated[int, "Port of the service."] = 0
    service: Annotated[str, "Full name of the service."] = ""
    subset: Annotated[str, "Subset of the service."] = ""
    name: Annotated[str, "Exact name of the cluster."] = ""


class WaypointRouteMatch(Document):
    """Conditions on a waypoint's route."""

    name: Annotated[str, "Name of the route."] = ""


class WaypointSubFilterMatch(Document):
    """Conditions on a waypoint's HTTP filter."""

    name: Annotated[str, "Name of the filter."] = ""


class WaypointFilterMatch(Document):
    """Conditions on a waypoint's filter."""

    name: Annotated[str, "Name of the filter."] = ""
    sub_filter: Annotated[WaypointSubFilterMatch | None, "Conditions on a filter within it."] = None


class WaypointMatch(Document):
    """Conditions on a waypoint's configuration."""

    port_number: Annotated[int, "Port that it is for."] = 0
    route: Annotated[WaypointRouteMatch | None, "Conditions on a route."] = None
    filter: Annotated[WaypointFilterMatch | None, "Conditions on a filter."] = None


class EnvoyConfigObjectMatch(Document):
    """Where a change applies."""

    context: Annotated[
        Literal["ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT"], "In which traffic."
    ] = "ANY"
    proxy: Annotated[ProxyMatch | None, "In which proxies."] = None
    listener: Annotated[ListenerMatch | None, "In which listeners."] = None
    route_configuration: Annotated[RouteConfigurationMatch | None, "In which route configurations."] = None
    cluster: Annotated[ClusterMatch | None, "In which clusters."] = None
    waypoint: Annotated[WaypointMatch | None, "In which parts of a waypoint."] = None


class Patch(Document):
    """What is changed."""

    operation: Annotated[
        Literal[
            "INVALID",
            "MERGE",
            "ADD",
            "REMOVE",
            "INSERT_BEFORE",
            "INSERT_AFTER",
            "INSERT_FIRST",
            "REPLACE",
            "MERGE_AND_REPLACE_LIST",
        ],
        "How it is changed.",
    ] = "INVALID"
    value: Annotated[dict[str, Any] | None, OPEN, "The piece of Envoy configuration."] = None
    filter_class: Annotated[
        Literal["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"], "Place of an added filter among the others."
    ] = "UNSPECIFIED"


class EnvoyConfigObjectPatch(Document):
    """A change of the Envoy configuration."""

    apply_to: Annotated[
        Literal[
            "INVALID",
            "LISTENER",
            "FILTER_CHAIN",
            "NETWORK_FILTER",
            "HTTP_FILTER",
            "ROUTE_CONFIGURATION",
            "VIRTUAL_HOST",
            "HTTP_ROUTE",
            "CLUSTER",
            "EXTENSION_CONFIG",
            "BOOTSTRAP",
            "LISTENER_FILTER",
        ],
        "What kind of thing is changed.",
    ] = "INVALID"
    match: Annotated[EnvoyConfigObjectMatch | None, "Where the change applies; everywhere when absent."] = None
    patch: Annotated[Patch | None, "What is changed."] = None


class EnvoyFilterSpec(Document):
    """Changes of the Envoy configuration itself, made last."""

    workload_selector: Annotated[ProxySelector | None, "Pods that it is for; all of the namespace when absent."] = None
    target_refs: Annotated[tuple[PolicyTargetReference, ...], "Gateways and services that it is for."] = ()
    config_patches: Annotated[tuple[EnvoyConfigObjectPatch, ...], "The changes, in order."] = ()
    priority: Annotated[int, "Order among several objects; lower ones come first."] = 0


class EnvoyFilter(Document):
    """Changes of the Envoy configuration itself."""

    api_version: Annotated[str, "API version of the object."] = "networking.istio.io/v1alpha3"
    kind: Annotated[str, "Kind of the object."] = "EnvoyFilter"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[EnvoyFilterSpec, "What is wanted."] = EnvoyFilterSpec()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


KIND = Kind(
    group="networking.istio.io",
    versions=("v1alpha3",),
    kind="EnvoyFilter",
    plural="envoyfilters",
    categories=("istio-io", "networking-istio-io"),
    document=EnvoyFilter,
    columns=(AGE,),
    subresources=("status",),
    custom=True,
    validate=envoy_filter_rules.validate,
    remarks=envoy_filter_rules.remarks,
)
