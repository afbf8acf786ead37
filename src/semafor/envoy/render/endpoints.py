"""ir.EndpointSet -> envoy.config.endpoint.v3.ClusterLoadAssignment."""

from collections.abc import Mapping
from typing import Any, Final

from semafor import ir
from semafor.base.peer import Peer
from semafor.envoy.pool import Pool
from semafor.envoy.render import labels
from semafor.envoy.render.shape import Fields, pipe, socket_address, string_map, wrap

_HEALTH: Final = {"draining": "DRAINING", "unhealthy": "UNHEALTHY"}  # healthy is the default
_MESH_TLS: Final = string_map({"tlsMode": "istio"})


def assignment(pool: Pool, node: ir.EndpointSet) -> Any:
    return pool(
        "envoy.config.endpoint.v3.ClusterLoadAssignment",
        cluster_name=node.cluster,
        endpoints=[_locality(group) for group in node.localities],
    )


def _locality(group: ir.LocalityEndpoints) -> Fields:
    peers = {peer: _peer(peer) for peer in {each.peer for each in group.endpoints} if peer}  # most are alike
    endpoints = [_lb_endpoint(endpoint, peers) for endpoint in group.endpoints]
    fields: Fields = {"priority": group.priority, "lb_endpoints": endpoints}
    where = group.locality
    if where != ir.Locality():
        fields["locality"] = {"region": where.region, "zone": where.zone, "sub_zone": where.sub_zone}
    if group.weight:
        fields["load_balancing_weight"] = wrap(group.weight)
    return fields


def _lb_endpoint(node: ir.Endpoint, peers: Mapping[Peer, Fields]) -> Fields:
    address = pipe(node.pipe) if node.pipe else socket_address(node.address, node.port)
    fields: Fields = {"endpoint": {"address": address}, "load_balancing_weight": wrap(node.weight)}
    if node.health != "healthy":
        fields["health_status"] = _HEALTH[node.health]
    metadata: Fields = {}
    if node.tls_mode == "istio":
        metadata["envoy.transport_socket_match"] = _MESH_TLS
    if node.peer:
        metadata[labels.NAMESPACE] = peers[node.peer]
    if metadata:
        fields["metadata"] = {"filter_metadata": metadata}
    return fields


def _peer(node: Peer) -> Fields:
    """What metrics call it. Envoy keeps equal ones once, so nothing of a single pod is in it."""
    return labels.said_of_peer(node)
