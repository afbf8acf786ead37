"""ir.EndpointSet -> envoy.config.endpoint.v3.ClusterLoadAssignment, joined from the bytes of its endpoints.

A set of hundreds changes by one endpoint at a time, so only that one is serialized anew.
"""

from collections.abc import Callable
from typing import Any, Final

from semafor import ir
from semafor.base import xds
from semafor.envoy.pool import Pool
from semafor.envoy.render.shape import Fields, pipe, socket_address, string_map, wrap

_HEALTH: Final = {"healthy": "UNKNOWN", "draining": "DRAINING", "unhealthy": "UNHEALTHY"}  # unknown counts as healthy
_LB_ENDPOINTS_FIELD: Final = 2  # of LocalityLbEndpoints
_ENDPOINTS_FIELD: Final = 2  # of ClusterLoadAssignment
_CLUSTER_NAME_FIELD: Final = 1


def joined(pool: Pool, node: ir.EndpointSet, framed_endpoint: Callable[[ir.Endpoint], bytes]) -> bytes:
    """The serialized assignment; `framed_endpoint` gives the bytes of one endpoint, see `framed`."""
    parts = [xds.delimited(_CLUSTER_NAME_FIELD, node.cluster.encode())]
    for group in node.localities:
        head = pool("envoy.config.endpoint.v3.LocalityLbEndpoints", **_locality(group))
        body = head.SerializeToString(deterministic=True) + b"".join(
            framed_endpoint(endpoint) for endpoint in group.endpoints
        )
        parts.append(xds.delimited(_ENDPOINTS_FIELD, body))
    return b"".join(parts)


def framed(message: Any) -> bytes:
    """An LbEndpoint as a field of its locality."""
    return xds.delimited(_LB_ENDPOINTS_FIELD, message.SerializeToString(deterministic=True))


def assignment(pool: Pool, node: ir.EndpointSet) -> Any:
    """The same as a message, for clusters that carry their endpoints themselves."""
    raw = joined(pool, node, lambda endpoint: framed(lb_endpoint(pool, endpoint)))
    return pool.message("envoy.config.endpoint.v3.ClusterLoadAssignment").FromString(raw)


def lb_endpoint(pool: Pool, node: ir.Endpoint) -> Any:
    address = pipe(node.pipe) if node.pipe else socket_address(node.address, node.port)
    fields: Fields = {"endpoint": {"address": address}, "load_balancing_weight": wrap(node.weight)}
    if node.health != "healthy":
        fields["health_status"] = _HEALTH[node.health]
    metadata: Fields = {}
    if node.tls_mode:
        metadata["envoy.transport_socket_match"] = string_map({"tlsMode": node.tls_mode})
    if node.workload:
        metadata["istio"] = string_map({"workload": node.workload})
    if metadata:
        fields["metadata"] = {"filter_metadata": metadata}
    return pool("envoy.config.endpoint.v3.LbEndpoint", **fields)


def _locality(group: ir.LocalityEndpoints) -> Fields:
    fields: Fields = {"priority": group.priority}
    where = group.locality
    if where != ir.Locality():
        fields["locality"] = {"region": where.region, "zone": where.zone, "sub_zone": where.sub_zone}
    if group.weight:
        fields["load_balancing_weight"] = wrap(group.weight)
    return fields
