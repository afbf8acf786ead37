"""ir.DnsRelay -> listeners for the questions that interception sends here, over UDP and TCP.

Every question goes to a resolver as it is, so answers of all types are as good as the resolver's.
"""

from typing import Any, Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import udp
from semafor.envoy.render.shape import Fields, seconds, typed

UDP_NAME: Final = "dns-udp"
TCP_NAME: Final = "dns-tcp"
PORT: Final = 15053  # where interception sends what pods ask, on their own loopback
# Envoy cannot mark its own questions, and what goes to port 53 comes back here: resolvers listen on this port as well.
RESOLVER_PORT: Final = 15053
_FILTERS: Final = "envoy.extensions.filters."
_RESOLVER_TIMEOUT_S: Final = 5.0
_SESSION_S: Final = 3.0  # how long an answer may take: longer than the resolver tries a name server of the host
_MAX_SESSIONS: Final = 10_000  # each question of a new client port is one; Envoy's own limit is 1,024 connections


def listeners(pool: Pool) -> tuple[Any, ...]:
    relay = ir.UdpProxy(stat_prefix=UDP_NAME, cluster=UDP_NAME, session_s=_SESSION_S)
    questions = _listener(pool, UDP_NAME, "UDP", **udp.listener(pool, relay))
    chain = {"filters": [_tcp_proxy(pool)]}
    return (questions, _listener(pool, TCP_NAME, "TCP", filter_chains=[chain]))


def clusters(pool: Pool, node: ir.DnsRelay) -> tuple[Any, ...]:
    """The resolvers, for the questions that are passed on as they are."""
    return tuple(_cluster(pool, *each, node.resolvers) for each in ((UDP_NAME, "UDP"), (TCP_NAME, "TCP")))


def _cluster(pool: Pool, name: str, protocol: str, resolvers: tuple[str, ...]) -> Any:
    members = [{"endpoint": {"address": _address(protocol, resolver)}} for resolver in resolvers]
    return pool(
        "envoy.config.cluster.v3.Cluster",
        name=name,
        type="STATIC",
        connect_timeout=seconds(_RESOLVER_TIMEOUT_S),
        circuit_breakers={"thresholds": [{"max_connections": {"value": _MAX_SESSIONS}}]},
        load_assignment={"cluster_name": name, "endpoints": [{"lb_endpoints": members}]},
    )


def _listener(pool: Pool, name: str, protocol: str, **fields: Any) -> Any:
    address = {"socket_address": {"protocol": protocol, "address": "127.0.0.1", "port_value": PORT}}
    return pool("envoy.config.listener.v3.Listener", name=name, address=address, **fields)


def _address(protocol: str, address: str) -> Fields:
    return {"socket_address": {"protocol": protocol, "address": address, "port_value": RESOLVER_PORT}}


def _tcp_proxy(pool: Pool) -> Fields:
    name, type_name = "envoy.filters.network.tcp_proxy", _FILTERS + "network.tcp_proxy.v3.TcpProxy"
    return typed(pool, name, type_name, stat_prefix=TCP_NAME, cluster=TCP_NAME)
