"""ir.Cluster -> the fields that say how its instances are found."""

from typing import Any, Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import dns_cache, endpoints
from semafor.envoy.render.shape import Fields, seconds, typed, wrap

_TYPES: Final = {
    "eds": "EDS",
    "original_dst": "ORIGINAL_DST",
    "static": "STATIC",
    "strict_dns": "STRICT_DNS",
    "logical_dns": "LOGICAL_DNS",
}
_DYNAMIC: Final = "envoy.clusters.dynamic_forward_proxy"
_DYNAMIC_TYPE: Final = "envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig"
# A cluster without its endpoints holds up all routes behind it; the server answers at once, so this never passes.
_FETCH_TIMEOUT_S: Final = 5.0


def fields(pool: Pool, node: ir.Cluster) -> Fields:
    if node.discovery == "dynamic_dns":
        return {"cluster_type": _dynamic(pool, node)}
    found: Fields = {"type": _TYPES[node.discovery]}
    if node.discovery == "eds":  # by the cluster's own name, on which `xds` relies
        source = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": seconds(_FETCH_TIMEOUT_S)}
        found["eds_cluster_config"] = {"eds_config": source}
    if node.endpoints is not None:
        found["load_assignment"] = endpoints.message(pool, node.endpoints)
    if node.discovery in ("strict_dns", "logical_dns"):
        found |= _names(pool, node)
    if node.original_port:
        found["original_dst_lb_config"] = {"upstream_port_override": wrap(node.original_port)}
    return found


def _names(pool: Pool, node: ir.Cluster) -> dict[str, Any]:
    found: Fields = {
        "dns_lookup_family": "V4_ONLY",
        "respect_dns_ttl": True,
        "dns_refresh_rate": seconds(dns_cache.REFRESH_S),
    }
    if node.resolvers:
        found["typed_dns_resolver_config"] = dns_cache.resolver(pool, node.resolvers)
    return found


def _dynamic(pool: Pool, node: ir.Cluster) -> Fields:
    """Where the request says. It checks no certificate by itself: what TLS has to prove is said by its own settings."""
    cache = dns_cache.config(pool, node.resolvers)
    return typed(pool, _DYNAMIC, _DYNAMIC_TYPE, dns_cache_config=cache, allow_insecure_cluster_options=True)
