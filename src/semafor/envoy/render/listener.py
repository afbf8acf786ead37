"""ir.Listener -> envoy.config.listener.v3.Listener."""

from collections.abc import Iterator
from typing import Any, Final

from semafor import ir
from semafor.base import xds
from semafor.envoy.pool import Pool
from semafor.envoy.render import dns_cache, guards, labels, logs, metrics, tls, udp
from semafor.envoy.render.http_connection import http_connection
from semafor.envoy.render.shape import Fields, cidr, seconds, socket_address, typed, wrap

_INSPECTORS: Final = {
    "original_dst": ("original_dst", "original_dst.v3.OriginalDst"),
    "tls": ("tls_inspector", "tls_inspector.v3.TlsInspector"),
    "http": ("http_inspector", "http_inspector.v3.HttpInspector"),
    "proxy_protocol": ("proxy_protocol", "proxy_protocol.v3.ProxyProtocol"),
}
_DIRECTIONS: Final = {"inbound": "INBOUND", "outbound": "OUTBOUND"}


def _pipe(path: str) -> Fields:
    """A socket for processes of the same user only."""
    return {"pipe": {"path": path, "mode": 0o600}}


def listener(pool: Pool, node: ir.Listener) -> Any:
    fields: Fields = {
        "name": node.name,
        "address": _pipe(node.pipe) if node.pipe else socket_address(node.address, node.port),
        "traffic_direction": _DIRECTIONS[node.direction],
        "listener_filters": [
            _inspector(pool, inspector)
            for inspector in node.inspectors
            if not (node.hand_over and inspector.kind == "original_dst")  # Envoy adds it by itself there
        ],
        "listener_filters_timeout": seconds(node.inspection_timeout_s),
        "continue_on_listener_filters_timeout": node.continue_on_timeout,
        "filter_chains": [_chain(pool, chain) for chain in node.chains],
    }
    if node.datagrams is not None:
        fields["address"]["socket_address"]["protocol"] = "UDP"
        fields |= udp.listener(pool, node.datagrams)
    if node.tunnel_end is not None:
        fields["filter_chains"] = [{"filters": [udp.tunnel_end(pool, node.tunnel_end)]}]
    if node.exclusive:
        fields["enable_reuse_port"] = wrap(False)  # noqa: FBT003 a wrapped value
    if not node.bind:
        fields["bind_to_port"] = wrap(False)  # noqa: FBT003 a wrapped value
    if node.hand_over:
        fields["use_original_dst"] = wrap(True)  # noqa: FBT003 a wrapped value
    if node.default_chain is not None:
        fields["default_filter_chain"] = _chain(pool, node.default_chain)
    return pool("envoy.config.listener.v3.Listener", **fields)


def needs(node: ir.Listener) -> Iterator[tuple[str, str]]:
    """What the listener does not work without: its route tables, and the secrets that it shows and checks."""
    for chain in (*node.chains, *((node.default_chain,) if node.default_chain else ())):
        if isinstance(chain.filter, ir.HttpConnection) and chain.filter.rds:
            yield xds.ROUTES, chain.filter.rds
        if chain.tls:
            secrets = (*chain.tls.certificates, chain.tls.validation)
            yield from ((xds.SECRET, secret) for secret in secrets if secret)


def _inspector(pool: Pool, node: ir.Inspector) -> Fields:
    name, type_name = _INSPECTORS[node.kind]
    fields = typed(pool, f"envoy.filters.listener.{name}", f"envoy.extensions.filters.listener.{type_name}")
    if node.skip_ports:
        fields["filter_disabled"] = _any_port_of(node.skip_ports)
    return fields


def _any_port_of(ports: tuple[int, ...]) -> Fields:
    rules: list[Fields] = [{"destination_port_range": {"start": port, "end": port + 1}} for port in ports]
    return rules[0] if len(rules) == 1 else {"or_match": {"rules": rules}}


def _chain(pool: Pool, node: ir.FilterChain) -> Fields:
    fields: Fields = {"name": node.name, "filters": [*_peer(pool, node), *_filters(pool, node.filter)]}
    if node.match != ir.ChainMatch():
        fields["filter_chain_match"] = _match(node.match)
    if node.tls is not None:
        fields["transport_socket"] = tls.downstream(pool, node.tls)
        fields["transport_socket_connect_timeout"] = seconds(node.tls.handshake_s)
    return fields


def _peer(pool: Pool, node: ir.FilterChain) -> list[Fields]:
    """Who calls, for metrics, where a certificate says it."""
    metrics = node.filter.metrics
    return [labels.read_peer(pool)] if metrics and metrics.security == "mutual_tls" else []


def _match(node: ir.ChainMatch) -> Fields:
    fields: Fields = {
        "prefix_ranges": [cidr(text) for text in node.ranges],
        "server_names": node.server_names,
        "transport_protocol": node.transport,
        "application_protocols": node.alpn,
    }
    if node.port:
        fields["destination_port"] = wrap(node.port)
    return fields


def _filters(pool: Pool, node: ir.HttpConnection | ir.TcpProxy) -> list[Fields]:
    if isinstance(node, ir.HttpConnection):
        return [http_connection(pool, node)]
    return [*guards.filters(pool, node), *_before(pool, node), _tcp_proxy(pool, node)]


def _before(pool: Pool, node: ir.TcpProxy) -> list[Fields]:
    """Filters that prepare what the last one does."""
    if not node.dynamic_port:
        return []
    name, type_name = "sni_dynamic_forward_proxy", "sni_dynamic_forward_proxy.v3.FilterConfig"
    cache = dns_cache.config(pool, node.resolvers)
    fields = {"port_value": node.dynamic_port, "dns_cache_config": cache}
    return [typed(pool, f"envoy.filters.network.{name}", f"envoy.extensions.filters.network.{type_name}", **fields)]


def _told(pool: Pool, node: ir.TcpProxy) -> Fields:
    """What is counted and logged. Who calls is known after the handshake, so nothing is opened before it."""
    counters, written = metrics.of_bytes(pool, node.metrics), logs.of(pool, node.logs, "bytes")
    fields: Fields = {"access_log": [*counters, *written]} if counters or written else {}
    if counters:
        fields["access_log_options"] = {"flush_access_log_on_connected": True}
    if node.metrics and node.metrics.security == "mutual_tls":
        fields |= {"upstream_connect_mode": "ON_DOWNSTREAM_TLS_HANDSHAKE", "max_early_data_bytes": wrap(0)}
    return fields


def _tcp_proxy(pool: Pool, node: ir.TcpProxy) -> Fields:
    fields: Fields = {"stat_prefix": node.stat_prefix, "idle_timeout": seconds(node.idle_timeout_s or 0)}
    fields |= _told(pool, node)
    if len(node.destinations) == 1:
        fields["cluster"] = node.destinations[0].cluster
    else:
        weighted = [{"name": target.cluster, "weight": target.weight} for target in node.destinations]
        fields["weighted_clusters"] = {"clusters": weighted}
    if node.max_duration_s is not None:
        fields["max_downstream_connection_duration"] = seconds(node.max_duration_s)
    if node.hash_source_ip:
        fields["hash_policy"] = [{"source_ip": {}}]
    if node.tunnel is not None:
        fields["tunneling_config"] = {"hostname": node.tunnel.target, "use_post": node.tunnel.use_post}
    type_name = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
    return typed(pool, "envoy.filters.network.tcp_proxy", type_name, **fields)
