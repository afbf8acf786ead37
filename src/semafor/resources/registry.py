"""Every kind that Semafor knows, in the order in which discovery lists them. A new kind is one line here."""

from collections.abc import Mapping
from types import MappingProxyType

from semafor.resources.admissionregistration import webhooks
from semafor.resources.apiextensions import custom_resource_definition
from semafor.resources.apps import controller_revision, daemon_set, deployment, replica_set, stateful_set
from semafor.resources.authentication import reviews as authentication
from semafor.resources.authorization import reviews as authorization
from semafor.resources.autoscaling import horizontal_pod_autoscaler, scale
from semafor.resources.batch import cron_job, job
from semafor.resources.certificates import certificate_signing_request
from semafor.resources.coordination import lease
from semafor.resources.core import (
    binding,
    config_map,
    endpoints,
    event,
    limit_range,
    namespace,
    node,
    persistent_volume,
    persistent_volume_claim,
    pod,
    replication_controller,
    resource_quota,
    secret,
    service,
    service_account,
)
from semafor.resources.discovery import endpoint_slice
from semafor.resources.events import event as new_event
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
from semafor.resources.gateway_api import gateway as api_gateway
from semafor.resources.install import istio_operator
from semafor.resources.istio import (
    authorization_policy,
    destination_rule,
    envoy_filter,
    gateway,
    peer_authentication,
    proxy_config,
    request_authentication,
    service_entry,
    sidecar,
    telemetry,
    traffic_extension,
    virtual_service,
    wasm_plugin,
    workload_entry,
    workload_group,
)
from semafor.resources.kind import Kind
from semafor.resources.metrics import usage
from semafor.resources.monitoring import pod_monitor, prometheus_rule, service_monitor
from semafor.resources.networking import ingress, ingress_class, network_policy
from semafor.resources.policy import eviction, pod_disruption_budget
from semafor.resources.rbac import rbac
from semafor.resources.scheduling import priority_class
from semafor.resources.smi import access, specs, split
from semafor.resources.storage import storage_class

KINDS: tuple[Kind, ...] = (
    binding.KIND,
    config_map.KIND,
    endpoints.KIND,
    event.KIND,
    limit_range.KIND,
    namespace.KIND,
    node.KIND,
    persistent_volume_claim.KIND,
    persistent_volume.KIND,
    pod.KIND,
    pod.TEMPLATE,
    replication_controller.KIND,
    resource_quota.KIND,
    secret.KIND,
    service_account.KIND,
    service.KIND,
    controller_revision.KIND,
    daemon_set.KIND,
    deployment.KIND,
    replica_set.KIND,
    stateful_set.KIND,
    job.KIND,
    cron_job.KIND,
    horizontal_pod_autoscaler.KIND,
    scale.KIND,
    usage.PODS,
    usage.NODES,
    pod_disruption_budget.KIND,
    eviction.KIND,
    ingress_class.KIND,
    ingress.KIND,
    network_policy.KIND,
    endpoint_slice.KIND,
    rbac.CLUSTER_ROLE_BINDING,
    rbac.CLUSTER_ROLE,
    rbac.ROLE_BINDING,
    rbac.ROLE,
    authorization.LOCAL,
    authorization.SELF,
    authorization.RULES,
    authorization.SUBJECT,
    authentication.SELF,
    authentication.TOKEN_REQUEST,
    authentication.TOKEN_REVIEW,
    certificate_signing_request.KIND,
    lease.KIND,
    webhooks.MUTATING,
    webhooks.VALIDATING,
    custom_resource_definition.KIND,
    storage_class.KIND,
    priority_class.KIND,
    new_event.KIND,
    destination_rule.KIND,
    envoy_filter.KIND,
    gateway.KIND,
    proxy_config.KIND,
    service_entry.KIND,
    sidecar.KIND,
    virtual_service.KIND,
    workload_entry.KIND,
    workload_group.KIND,
    authorization_policy.KIND,
    peer_authentication.KIND,
    request_authentication.KIND,
    telemetry.KIND,
    traffic_extension.KIND,
    wasm_plugin.KIND,
    istio_operator.KIND,
    backend_tls_policy.KIND,
    gateway_class.KIND,
    api_gateway.KIND,
    grpc_route.KIND,
    http_route.KIND,
    listener_set.KIND,
    reference_grant.KIND,
    tcp_route.KIND,
    tls_route.KIND,
    udp_route.KIND,
    specs.HTTP_ROUTE_GROUP,
    specs.TCP_ROUTE,
    access.KIND,
    split.KIND,
    pod_monitor.KIND,
    prometheus_rule.KIND,
    service_monitor.KIND,
)

_BY_KIND: Mapping[tuple[str, str], Kind] = MappingProxyType({(kind.group, kind.kind): kind for kind in KINDS})
_BY_PLURAL: Mapping[tuple[str, str], Kind] = MappingProxyType({(kind.group, kind.plural): kind for kind in KINDS})


def by_kind(group: str, kind: str) -> Kind | None:
    """The kind by its name in documents, such as ("apps", "Deployment")."""
    return _BY_KIND.get((group, kind))


def by_plural(group: str, plural: str) -> Kind | None:
    """The kind by its name in paths, such as ("apps", "deployments")."""
    return _BY_PLURAL.get((group, plural))
