"""connectionPool: how many connections there may be, how long they live, and what is spoken on them."""

from collections.abc import Iterator
from typing import Literal

from semafor.base import duration
from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.ir import ConnectionLimits, Keepalive, Origin, Ping
from semafor.planner.checks import refused
from semafor.planner.checks.problems import at
from semafor.resources.istio import connection_pool as istio

_TCP = ("max_connections", "connect_timeout", "tcp_keepalive", "max_connection_duration", "idle_timeout")
_HTTP = (
    "http1_max_pending_requests",
    "http2_max_requests",
    "max_requests_per_connection",
    "max_retries",
    "idle_timeout",
    "h2_upgrade_policy",
    "use_client_protocol",
    "max_concurrent_streams",
    "http2_keep_alive",
)
_KEEPALIVE = ("probes", "time", "interval")
_PING = ("interval", "timeout")
_PING_INTERVAL_S, _PING_TIMEOUT_S = 30.0, 10.0  # where one is written and the other not


class Pool(Value):
    """None and "" leave the default. `tcp_idle_s` is for bytes alone; requests have theirs in `limits`."""

    limits: ConnectionLimits = ConnectionLimits()
    connect_timeout_s: float | None = None
    http: Literal["", "h1", "h2", "downstream"] = ""
    max_streams: int | None = None
    ping: Ping | None = None
    tcp_idle_s: float | None = None

    @property
    def counts_connections(self) -> bool:
        """Whether there is a limit that only means something where each request has a connection of its own."""
        return self.limits.max_connections is not None or self.limits.max_pending_requests is not None


def read(pool: istio.ConnectionPoolSettings) -> Pool:
    """Zero means the default (no limit) in all numbers. Source: Istio's applyConnectionPool."""
    tcp, http = pool.tcp or istio.TCPSettings(), pool.http or istio.HTTPSettings()
    limits = ConnectionLimits(
        max_connections=tcp.max_connections or None,
        max_pending_requests=http.http1_max_pending_requests or None,
        max_requests=http.http2_max_requests or None,
        max_retries=http.max_retries if http.max_retries > 0 else None,
        max_requests_per_connection=http.max_requests_per_connection or None,
        max_connection_duration_s=_seconds(tcp.max_connection_duration),
        idle_timeout_s=_seconds(http.idle_timeout or tcp.idle_timeout),
        keepalive=_keepalive(tcp.tcp_keepalive),
    )
    return Pool(
        limits=limits,
        connect_timeout_s=_seconds(tcp.connect_timeout),
        http=_version(http),
        max_streams=http.max_concurrent_streams or None,
        ping=_ping(http.http2_keep_alive),
        tcp_idle_s=_seconds(tcp.idle_timeout),
    )


def mistakes(pool: istio.ConnectionPoolSettings, origin: Origin) -> Iterator[Problem]:
    """What has no effect."""
    yield from refused.fields(pool, origin, "tcp", "http")
    if pool.tcp:
        yield from refused.fields(pool.tcp, at(origin, "tcp"), *_TCP)
        if pool.tcp.tcp_keepalive:
            yield from refused.fields(pool.tcp.tcp_keepalive, at(origin, "tcp.tcpKeepalive"), *_KEEPALIVE)
    if pool.http:
        yield from refused.fields(pool.http, at(origin, "http"), *_HTTP)
        if pool.http.http2_keep_alive:
            yield from refused.fields(pool.http.http2_keep_alive, at(origin, "http.http2KeepAlive"), *_PING)


def upgrade(policy: str) -> Literal["", "h1", "h2"]:
    """The version that an h2UpgradePolicy asks for, here or in the mesh configuration."""
    versions: dict[str, Literal["h1", "h2"]] = {"UPGRADE": "h2", "DO_NOT_UPGRADE": "h1"}
    return versions.get(policy, "")


def _version(http: istio.HTTPSettings) -> Literal["", "h1", "h2", "downstream"]:
    return "downstream" if http.use_client_protocol else upgrade(http.h2_upgrade_policy)


def _keepalive(keepalive: istio.TcpKeepalive | None) -> Keepalive | None:
    if keepalive is None:
        return None
    return Keepalive(
        probes=keepalive.probes or 0,
        time_s=int(_seconds(keepalive.time) or 0),
        interval_s=int(_seconds(keepalive.interval) or 0),
    )


def _ping(said: istio.ConnectionKeepalive | None) -> Ping | None:
    if said is None or not (said.interval or said.timeout):
        return None
    return Ping(
        interval_s=_seconds(said.interval) or _PING_INTERVAL_S, timeout_s=_seconds(said.timeout) or _PING_TIMEOUT_S
    )


def _seconds(text: str | None) -> float | None:
    return duration.parse(text) if text else None
