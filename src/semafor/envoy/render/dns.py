"""ir.DnsTable -> a UDP listener that answers names of the mesh and asks resolvers for all others."""

from typing import Any, Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render.shape import Fields, seconds, typed

NAME: Final = "dns"
PORT: Final = 15053  # where interception sends what pods ask, on their own loopback
_DNS: Final = "envoy.extensions.filters.udp.dns_filter.v3.DnsFilterConfig"
_MAX_PENDING: Final = 1024  # lookups; more are refused, so that a broken client cannot take all the memory
_RESOLVER_TIMEOUT_S: Final = 5.0


def listener(pool: Pool, node: ir.DnsTable) -> Any:
    address = {"socket_address": {"protocol": "UDP", "address": "127.0.0.1", "port_value": PORT}}
    return pool("envoy.config.listener.v3.Listener", name=NAME, address=address, listener_filters=[_filter(pool, node)])


def _filter(pool: Pool, node: ir.DnsTable) -> Fields:
    domains = [
        {
            "name": record.name,
            "endpoint": {"address_list": {"address": record.addresses}},
            "answer_ttl": seconds(node.ttl_s),
        }
        for record in node.records
    ]
    fields: Fields = {"stat_prefix": NAME, "server_config": {"inline_dns_table": {"virtual_domains": domains}}}
    if node.resolvers:
        fields["client_config"] = _client(pool, node.resolvers)
    return typed(pool, "envoy.filters.udp.dns_filter", _DNS, **fields)


def _client(pool: Pool, resolvers: tuple[str, ...]) -> Fields:
    addresses = [{"socket_address": {"address": address, "port_value": 53}} for address in resolvers]
    resolver = typed(
        pool,
        "envoy.network.dns_resolver.cares",
        "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
        resolvers=addresses,
        dns_resolver_options={"no_default_search_domain": True},
    )
    return {
        "resolver_timeout": seconds(_RESOLVER_TIMEOUT_S),
        "max_pending_lookups": _MAX_PENDING,
        "typed_dns_resolver_config": resolver,
    }
