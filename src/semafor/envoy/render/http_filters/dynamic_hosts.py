"""The filter that resolves a request's host, for clusters that lead where the request says; others it leaves alone."""

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import dns_cache
from semafor.envoy.render.shape import Fields, typed

_NAME = "envoy.filters.http.dynamic_forward_proxy"
_TYPE = "envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig"


def for_connection(pool: Pool, connection: ir.HttpConnection) -> list[Fields]:
    if not connection.resolvers:
        return []
    return [typed(pool, _NAME, _TYPE, dns_cache_config=dns_cache.config(pool, connection.resolvers))]
