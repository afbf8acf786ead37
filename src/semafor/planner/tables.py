"""The kinds that plans are made of: what the planner reads of each, and where the mesh keeps it. One row for each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from semafor.base.problem import ObjectRef, Problem
from semafor.ir import Locality
from semafor.planner import credential, envoy_filter, sidecar_rule
from semafor.planner.credential import Credential
from semafor.planner.envoy_filter import EnvoyFilter
from semafor.planner.gateway import istio as istio_gateways
from semafor.planner.gateway.server import Gateway
from semafor.planner.gateway_api import gateway as api_gateways
from semafor.planner.gateway_api import grant, reading
from semafor.planner.gateway_api import policy as api_policy
from semafor.planner.gateway_api.gateway import Gateway as K8sGateway
from semafor.planner.gateway_api.gateway import GatewayClass, ListenerSet
from semafor.planner.gateway_api.grant import Grant
from semafor.planner.gateway_api.policy import BackendTls
from semafor.planner.gateway_api.route import Route as ApiRoute
from semafor.planner.proxy import Labels
from semafor.planner.routes import virtual_service
from semafor.planner.routes.virtual_service import VirtualService
from semafor.planner.security import authorization_policy, peer_authentication, request_authentication
from semafor.planner.security.authorization_policy import AuthorizationPolicy
from semafor.planner.security.peer_authentication import PeerAuthentication
from semafor.planner.security.request_authentication import RequestAuthentication
from semafor.planner.services import alias, instances, service, service_entry, workload_entry, workload_group
from semafor.planner.services.alias import Alias
from semafor.planner.services.instances import Key, Pod, Slice
from semafor.planner.services.service import Service
from semafor.planner.services.service_entry import ServiceEntry
from semafor.planner.services.workload_entry import WorkloadEntry
from semafor.planner.services.workload_group import WorkloadGroup
from semafor.planner.sidecar_rule import Sidecar
from semafor.planner.smi import access, specs, split
from semafor.planner.smi.access import TrafficTarget
from semafor.planner.smi.specs import PortGroup, RouteGroup
from semafor.planner.smi.split import TrafficSplit
from semafor.planner.telemetry import objects as telemetry
from semafor.planner.telemetry.objects import Telemetry
from semafor.planner.traffic import destination_rule
from semafor.planner.traffic.destination_rule import DestinationRule
from semafor.resources.core import config_map as core_config_map
from semafor.resources.core import namespace as core_namespace
from semafor.resources.core import node as core_node
from semafor.resources.core import pod as core_pod
from semafor.resources.core import secret as core_secret
from semafor.resources.core import service as core_service
from semafor.resources.discovery import endpoint_slice
from semafor.resources.gateway_api import (
    backend_tls_policy,
    gateway_class,
    grpc_route,
    http_route,
    listener_set,
    reference_grant,
    tcp_route,
    tls_route,
    udp_route,
)
from semafor.resources.gateway_api import (
    gateway as k8s_gateway,
)
from semafor.resources.istio import authorization_policy as istio_authorization_policy
from semafor.resources.istio import destination_rule as istio_destination_rule
from semafor.resources.istio import envoy_filter as istio_envoy_filter
from semafor.resources.istio import gateway as istio_gateway
from semafor.resources.istio import peer_authentication as istio_peer_authentication
from semafor.resources.istio import request_authentication as istio_request_authentication
from semafor.resources.istio import service_entry as istio_service_entry
from semafor.resources.istio import sidecar as istio_sidecar
from semafor.resources.istio import telemetry as istio_telemetry
from semafor.resources.istio import virtual_service as istio_virtual_service
from semafor.resources.istio import workload_entry as istio_workload_entry
from semafor.resources.istio import workload_group as istio_workload_group
from semafor.resources.kind import Kind
from semafor.resources.meta.meta import ObjectMeta
from semafor.resources.smi import access as smi_access
from semafor.resources.smi import specs as smi_specs
from semafor.resources.smi import split as smi_split


class Object(Protocol):
    """What every typed document has."""

    @property
    def api_version(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def metadata(self) -> ObjectMeta: ...


class Table(NamedTuple):
    """Where the mesh keeps the objects of a kind, what the planner reads of one, and whether it is a rule.

    Rules have a status that tells whether they are live; without `says_live` it has a form of its own.
    """

    kind: Kind
    name: str
    read: Callable[[Any], Any]
    is_rule: bool = False
    says_live: bool = True


def _in_parts(read: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """A reader of the whole object, from one of its metadata and spec."""
    return lambda object_: read(object_.metadata, object_.spec)


# Every kind that plans are made of, once.
TABLES: tuple[Table, ...] = (
    Table(core_service.KIND, "services", service.read),
    Table(core_service.KIND, "aliases", alias.read),
    Table(core_pod.KIND, "pods", instances.read_pod),
    Table(core_node.KIND, "nodes", instances.read_node),
    Table(endpoint_slice.KIND, "slices", instances.read_slice),
    Table(core_namespace.KIND, "namespaces", lambda object_: tuple(sorted(object_.metadata.labels.items()))),
    Table(core_secret.KIND, "credentials", credential.read),
    Table(core_config_map.KIND, "bundles", credential.read_bundle),
    Table(istio_virtual_service.KIND, "virtual_services", _in_parts(virtual_service.read), is_rule=True),
    Table(istio_destination_rule.KIND, "destination_rules", _in_parts(destination_rule.read), is_rule=True),
    Table(istio_envoy_filter.KIND, "envoy_filters", _in_parts(envoy_filter.read), is_rule=True),
    Table(istio_gateway.KIND, "gateways", _in_parts(istio_gateways.read), is_rule=True),
    Table(gateway_class.KIND, "gateway_classes", api_gateways.read_class),
    Table(k8s_gateway.KIND, "k8s_gateways", api_gateways.read, is_rule=True, says_live=False),
    Table(listener_set.KIND, "listener_sets", api_gateways.read_set, is_rule=True, says_live=False),
    Table(http_route.KIND, "http_routes", reading.http, is_rule=True, says_live=False),
    Table(grpc_route.KIND, "grpc_routes", reading.grpc, is_rule=True, says_live=False),
    Table(tls_route.KIND, "tls_routes", reading.of_bytes, is_rule=True, says_live=False),
    Table(tcp_route.KIND, "tcp_routes", reading.of_bytes, is_rule=True, says_live=False),
    Table(udp_route.KIND, "udp_routes", reading.of_bytes, is_rule=True, says_live=False),
    Table(reference_grant.KIND, "reference_grants", grant.read),
    Table(backend_tls_policy.KIND, "backend_tls_policies", api_policy.read, is_rule=True, says_live=False),
    Table(istio_authorization_policy.KIND, "authorization_policies", authorization_policy.read, is_rule=True),
    Table(istio_request_authentication.KIND, "request_authentications", request_authentication.read, is_rule=True),
    Table(istio_peer_authentication.KIND, "peer_authentications", peer_authentication.read, is_rule=True),
    Table(smi_specs.HTTP_ROUTE_GROUP, "route_groups", specs.read_group, is_rule=True),
    Table(smi_specs.TCP_ROUTE, "port_groups", specs.read_ports, is_rule=True),
    Table(smi_split.KIND, "traffic_splits", split.read, is_rule=True),
    Table(smi_access.KIND, "traffic_targets", access.read, is_rule=True),
    Table(istio_service_entry.KIND, "service_entries", service_entry.read, is_rule=True),
    Table(istio_workload_entry.KIND, "workload_entries", workload_entry.read, is_rule=True),
    Table(istio_workload_group.KIND, "workload_groups", workload_group.read, is_rule=True),
    Table(istio_sidecar.KIND, "sidecars", sidecar_rule.read, is_rule=True),
    Table(istio_telemetry.KIND, "telemetries", telemetry.read, is_rule=True),
)
KINDS: tuple[Kind, ...] = tuple({(table.kind.group, table.kind.kind): table.kind for table in TABLES}.values())
BY_KIND: Mapping[tuple[str, str], tuple[Table, ...]] = {
    (kind.group, kind.kind): tuple(table for table in TABLES if table.kind is kind) for kind in KINDS
}


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The objects of each kind by (namespace, name), as the planner reads them; those that it cannot, with the reason.

    A table never changes after it is made: a change makes another one.
    """

    services: Mapping[Key, Service] = field(default_factory=dict)
    aliases: Mapping[Key, Alias] = field(default_factory=dict)
    slices: Mapping[Key, Slice] = field(default_factory=dict)
    pods: Mapping[Key, Pod] = field(default_factory=dict)
    nodes: Mapping[Key, Locality] = field(default_factory=dict)
    virtual_services: Mapping[Key, VirtualService] = field(default_factory=dict)
    destination_rules: Mapping[Key, DestinationRule] = field(default_factory=dict)
    envoy_filters: Mapping[Key, EnvoyFilter] = field(default_factory=dict)
    gateways: Mapping[Key, Gateway] = field(default_factory=dict)
    credentials: Mapping[Key, Credential] = field(default_factory=dict)
    bundles: Mapping[Key, Credential] = field(default_factory=dict)
    namespaces: Mapping[Key, Labels] = field(default_factory=dict)
    gateway_classes: Mapping[Key, GatewayClass] = field(default_factory=dict)
    k8s_gateways: Mapping[Key, K8sGateway] = field(default_factory=dict)
    listener_sets: Mapping[Key, ListenerSet] = field(default_factory=dict)
    http_routes: Mapping[Key, ApiRoute] = field(default_factory=dict)
    grpc_routes: Mapping[Key, ApiRoute] = field(default_factory=dict)
    tls_routes: Mapping[Key, ApiRoute] = field(default_factory=dict)
    tcp_routes: Mapping[Key, ApiRoute] = field(default_factory=dict)
    udp_routes: Mapping[Key, ApiRoute] = field(default_factory=dict)
    reference_grants: Mapping[Key, Grant] = field(default_factory=dict)
    backend_tls_policies: Mapping[Key, BackendTls] = field(default_factory=dict)
    route_groups: Mapping[Key, RouteGroup] = field(default_factory=dict)
    port_groups: Mapping[Key, PortGroup] = field(default_factory=dict)
    traffic_splits: Mapping[Key, TrafficSplit] = field(default_factory=dict)
    traffic_targets: Mapping[Key, TrafficTarget] = field(default_factory=dict)
    service_entries: Mapping[Key, ServiceEntry] = field(default_factory=dict)
    workload_entries: Mapping[Key, WorkloadEntry] = field(default_factory=dict)
    workload_groups: Mapping[Key, WorkloadGroup] = field(default_factory=dict)
    authorization_policies: Mapping[Key, AuthorizationPolicy] = field(default_factory=dict)
    sidecars: Mapping[Key, Sidecar] = field(default_factory=dict)
    request_authentications: Mapping[Key, RequestAuthentication] = field(default_factory=dict)
    peer_authentications: Mapping[Key, PeerAuthentication] = field(default_factory=dict)
    telemetries: Mapping[Key, Telemetry] = field(default_factory=dict)
    unreadable: Mapping[ObjectRef, Problem] = field(default_factory=dict)
