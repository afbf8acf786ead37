"""The destinations of a route: which instances there are, how they are chosen, and what the connection is.

Source: Envoy's references of Cluster and of load balancing.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from semafor.base.struct import Value
from semafor.explain.story import Instance, Target
from semafor.ir import (
    Cluster,
    ConnectionLimits,
    ConsistentHash,
    Destination,
    Endpoint,
    EndpointSet,
    LocalityEndpoints,
    OutlierDetection,
    Plan,
)

_DISCOVERED = ("logical_dns", "strict_dns", "dynamic_dns", "original_dst")
_POLICIES = {
    "round_robin": "one after the other",
    "least_request": "the one of two with fewer requests",
    "random": "at random",
    "original": "where the caller was going",
}


class Known(Value):
    """The clusters of a plan and what feeds them, by name."""

    clusters: Mapping[str, Cluster]
    endpoints: Mapping[str, EndpointSet]


def known(plan: Plan) -> Known:
    return Known(
        clusters={each.name: each for each in plan.clusters}, endpoints={each.cluster: each for each in plan.endpoints}
    )


def of(found: Known, destinations: Iterable[Destination]) -> tuple[Target, ...]:
    """The destinations that get anything, each with its share."""
    given = [each for each in destinations if each.weight]
    total = sum(each.weight for each in given)
    return tuple(_target(found, each, 100 * each.weight / total) for each in given)


def _target(found: Known, destination: Destination, share: float) -> Target:
    cluster = found.clusters.get(destination.cluster)
    chosen = Target(
        cluster=destination.cluster,
        share=share,
        rule=destination.origin,
        host=destination.host,
        request=destination.request,
        response=destination.response,
    )
    if cluster is None:
        return replace(chosen, missing=f"the proxy has no cluster {destination.cluster}")
    return _led(chosen, found, cluster)


def _led(chosen: Target, found: Known, cluster: Cluster) -> Target:
    """The target with what its cluster is."""
    anywhere = cluster.discovery in _DISCOVERED
    instances = tuple(_instance(cluster, group, each) for group in _groups(found, cluster) for each in group.endpoints)
    return replace(
        chosen,
        cluster_rule=cluster.origin,
        instances=instances,
        anywhere=anywhere,
        sends=_sends(cluster, instances),
        protocols=cluster.tls.alpn if cluster.tls else (),
        balancer=_balancer(cluster),
        outliers=_outliers(cluster.outlier),
        limits=_limits(cluster.limits),
        missing="" if anywhere or instances else f"no instance is behind {cluster.name}",
    )


def _groups(found: Known, cluster: Cluster) -> tuple[LocalityEndpoints, ...]:
    fed = found.endpoints.get(cluster.name) if cluster.discovery == "eds" else cluster.endpoints
    return fed.localities if fed else ()


def _instance(cluster: Cluster, group: LocalityEndpoints, endpoint: Endpoint) -> Instance:
    where = (group.locality.region, group.locality.zone, group.locality.sub_zone)
    return Instance(
        address=endpoint.pipe or f"{endpoint.address}:{endpoint.port}",
        workload=endpoint.workload,
        health=endpoint.health,
        mutual_tls=_is_mutual(cluster, endpoint),
        priority=group.priority,
        locality="/".join(part for part in where if part),
        weight=endpoint.weight,
    )


def _is_mutual(cluster: Cluster, endpoint: Endpoint) -> bool:
    """Whether the caller shows a certificate there."""
    if cluster.tls is None or not cluster.tls.certificate:
        return False
    return not cluster.tls.only_mesh_endpoints or endpoint.tls_mode == "istio"


def _sends(cluster: Cluster, instances: tuple[Instance, ...]) -> str:
    if cluster.tls is None:
        return "plain text"
    if not cluster.tls.only_mesh_endpoints:
        return "mutual TLS" if cluster.tls.certificate else "TLS"
    kinds = {each.mutual_tls for each in instances}
    if len(kinds) == 2:
        return "mutual TLS or plain text, as the instance takes it"
    return "mutual TLS" if kinds == {True} else "plain text"


def _balancer(cluster: Cluster) -> str:
    if isinstance(cluster.balancer, ConsistentHash):
        return f"by hash ({cluster.balancer.algorithm})"
    words = _POLICIES[cluster.balancer.policy]
    return f"{words}, the localities by weight" if cluster.locality_weighted else words


def _outliers(node: OutlierDetection | None) -> str:
    """When an instance is taken out; empty where none is."""
    if node is None:
        return ""
    limits = (
        (node.consecutive_5xx, "errors of 5xx"),
        (node.consecutive_gateway, "errors of 502, 503 or 504"),
        (node.consecutive_local_origin, "connections that failed"),
    )
    causes = " or ".join(f"{limit} {what} in a row" for limit, what in limits if limit)
    if not causes:
        return ""
    return f"out for {node.base_ejection_s:g} s after {causes}, at most {node.max_ejection_percent} % of the instances"


def _limits(node: ConnectionLimits) -> str:
    found = (
        (node.max_connections, "connections"),
        (node.max_pending_requests, "requests that wait"),
        (node.max_requests, "requests at a time"),
    )
    return ", ".join(f"at most {limit} {what}" for limit, what in found if limit is not None)
