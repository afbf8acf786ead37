"""ir.UdpProxy and ir.UdpTunnel -> the listener filter that carries datagrams, and the far end of its tunnel."""

from typing import Any, Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render.shape import Fields, seconds, typed, wrap

_FILTERS: Final = "envoy.extensions.filters."
_PROXY: Final = _FILTERS + "udp.udp_proxy.v3."
_CAPSULES: Final = _FILTERS + "udp.udp_proxy.session.http_capsule.v3.FilterConfig"
_CONNECT: Final = "CONNECT-UDP"
# What IPv4 can carry at most; by Envoy's default, 1500 bytes, longer ones would be lost without a word.
_DATAGRAM_BYTES: Final = 65_507
_DATAGRAM_SIZE: Final[Fields] = {"max_rx_datagram_size": wrap(_DATAGRAM_BYTES)}
# What is sent before the tunnel stands waits: of one caller, no more than a socket's buffer would hold.
_WAITING_DATAGRAMS: Final = 256
_WAITING_BYTES: Final = 256 * 1024


def listener(pool: Pool, node: ir.UdpProxy) -> Fields:
    """The fields of a listener that takes datagrams."""
    fields = {"udp_listener_config": {"downstream_socket_config": _DATAGRAM_SIZE}}
    return {**fields, "listener_filters": [proxy(pool, node)]}


def proxy(pool: Pool, node: ir.UdpProxy) -> Fields:
    route = typed(pool, "route", _PROXY + "Route", cluster=node.cluster)
    return typed(
        pool,
        "envoy.filters.udp_listener.udp_proxy",
        _PROXY + "UdpProxyConfig",
        stat_prefix=node.stat_prefix,
        idle_timeout=seconds(node.session_s),
        matcher={"on_no_match": {"action": route}},
        upstream_socket_config=_DATAGRAM_SIZE,
        **(_tunneling(pool) if node.tunnel else {}),
    )


def _tunneling(pool: Pool) -> Fields:
    """The host and port are for proxies that would look at them; who listens on the unix socket knows them already."""
    waiting = {"max_buffered_datagrams": wrap(_WAITING_DATAGRAMS), "max_buffered_bytes": wrap(_WAITING_BYTES)}
    config = {"proxy_host": "semafor", "target_host": "service", "default_target_port": 1, "buffer_options": waiting}
    capsules = typed(pool, "envoy.filters.udp.session.http_capsule", _CAPSULES)
    return {"tunneling_config": config, "session_filters": [capsules]}


def tunnel_end(pool: Pool, node: ir.UdpTunnel) -> Fields:
    """The network filter that takes CONNECT-UDP, and sends on what it carries."""
    upgrade: Fields = {"upgrade_type": _CONNECT, "connect_config": {}}
    action = {"cluster": node.cluster, "timeout": seconds(0), "upgrade_configs": [upgrade]}
    route: dict[str, Any] = {"match": {"connect_matcher": {}}, "route": action}
    host = {"name": _CONNECT, "domains": ["*"], "routes": [route]}
    return typed(
        pool,
        "envoy.filters.network.http_connection_manager",
        _FILTERS + "network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=node.stat_prefix,
        codec_type="HTTP2",
        http2_protocol_options={"allow_connect": True},
        upgrade_configs=[{"upgrade_type": _CONNECT}],
        route_config={"virtual_hosts": [host]},
        http_filters=[typed(pool, "envoy.filters.http.router", _FILTERS + "http.router.v3.Router")],
        stream_idle_timeout=seconds(0),  # the other end forgets who is silent
    )
