"""ir.EndpointSet -> envoy.config.endpoint.v3.ClusterLoadAssignment, joined from the bytes of its endpoints.

There are ten times more endpoints than anything else, and all that differs between most of them is the address. So
what they have in common is serialized once for each locality, and a message is never made of the whole.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from semafor import ir
from semafor.base import protobuf
from semafor.base.peer import Peer
from semafor.envoy.pool import Pool
from semafor.envoy.render import labels
from semafor.envoy.render.shape import Fields, pipe, socket_address, string_map, wrap

_NAME: Final = "envoy.config.endpoint.v3.ClusterLoadAssignment"
_PACKAGE: Final = "envoy.config.endpoint.v3."
_HEALTH: Final = {"draining": "DRAINING", "unhealthy": "UNHEALTHY"}  # healthy is the default
_MESH_TLS: Final = string_map({"tlsMode": "istio"})
# Numbers of repeated fields, which may stand anywhere in the message that they are of.
_ENDPOINTS_FIELD: Final = 2  # of a ClusterLoadAssignment
_LB_ENDPOINTS_FIELD: Final = 2  # of a LocalityLbEndpoints

Common = tuple[int, str, str, Peer | None]  # weight, health, tls mode, peer


def assignment(pool: Pool, node: ir.EndpointSet) -> bytes:
    """The serialized assignment."""
    head = _serialized(pool(_NAME, cluster_name=node.cluster))
    groups = (protobuf.delimited(_ENDPOINTS_FIELD, _locality(pool, group)) for group in node.localities)
    return head + b"".join(groups)


def message(pool: Pool, node: ir.EndpointSet) -> Any:
    """The same as a message, for clusters that carry their endpoints themselves."""
    return pool.message(_NAME).FromString(assignment(pool, node))


def _locality(pool: Pool, group: ir.LocalityEndpoints) -> bytes:
    common = cache(lambda *of: _common(pool, of))
    endpoints = (protobuf.delimited(_LB_ENDPOINTS_FIELD, _endpoint(pool, each, common)) for each in group.endpoints)
    fields: Fields = {"priority": group.priority}
    where = group.locality
    if where != ir.Locality():
        fields["locality"] = {"region": where.region, "zone": where.zone, "sub_zone": where.sub_zone}
    if group.weight:
        fields["load_balancing_weight"] = wrap(group.weight)
    return b"".join(endpoints) + _serialized(pool(_PACKAGE + "LocalityLbEndpoints", **fields))


def _endpoint(pool: Pool, node: ir.Endpoint, common: Callable[..., bytes]) -> bytes:
    address = pipe(node.pipe) if node.pipe else socket_address(node.address, node.port)
    own = pool(_PACKAGE + "LbEndpoint", endpoint={"address": address})
    return _serialized(own) + common(node.weight, node.health, node.tls_mode, node.peer)


def _common(pool: Pool, of: Common) -> bytes:
    """All of an LbEndpoint but the address."""
    weight, health, tls_mode, peer = of
    fields: Fields = {"load_balancing_weight": wrap(weight)}
    if health in _HEALTH:
        fields["health_status"] = _HEALTH[health]
    metadata: Fields = {}
    if tls_mode == "istio":
        metadata["envoy.transport_socket_match"] = _MESH_TLS
    if peer:  # Envoy keeps equal ones once, so nothing of a single pod is in it
        metadata[labels.NAMESPACE] = labels.said_of_peer(peer)
    if metadata:
        fields["metadata"] = {"filter_metadata": metadata}
    return _serialized(pool(_PACKAGE + "LbEndpoint", **fields))


def _serialized(message: Any) -> bytes:
    found: bytes = message.SerializeToString(deterministic=True)
    return found
