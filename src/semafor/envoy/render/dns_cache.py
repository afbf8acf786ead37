"""How names of the outside are resolved: by the cluster's resolvers, who say what is there without the mesh."""

from typing import Final

from semafor.envoy.pool import Pool
from semafor.envoy.render.shape import Fields, seconds, socket_address, typed

# Where the cluster's resolvers answer proxies: neither with the addresses that the mesh gives to hosts, as they do to
# applications, nor on port 53, whose questions come back to the proxy itself.
RESOLVER_PORT: Final = 15054
REFRESH_S: Final = 60.0  # without a TTL; as Istio
_CACHE: Final = "outside"  # filters and clusters that share it have to say the same of it
_RESOLVER: Final = "envoy.network.dns_resolver.cares"
_RESOLVER_TYPE: Final = "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig"


def resolver(pool: Pool, resolvers: tuple[str, ...]) -> Fields:
    """The resolver of a cluster or a cache."""
    addresses = [socket_address(address, RESOLVER_PORT) for address in resolvers]
    return typed(pool, _RESOLVER, _RESOLVER_TYPE, resolvers=addresses)


def config(pool: Pool, resolvers: tuple[str, ...]) -> Fields:
    """The cache of names that requests and server names have said."""
    return {
        "name": _CACHE,
        "dns_lookup_family": "V4_ONLY",
        "dns_refresh_rate": seconds(REFRESH_S),
        "typed_dns_resolver_config": resolver(pool, resolvers),
    }
