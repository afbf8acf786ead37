"""A DestinationRule's traffic policy: how the instances of a host are chosen, limited and talked to."""

from collections.abc import Iterator
from typing import Literal

from msgspec.structs import replace

from semafor.base import duration
from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.ir import (
    ConnectionLimits,
    ConsistentHash,
    HashKey,
    Keepalive,
    LoadBalancer,
    Origin,
    OutlierDetection,
    SimpleBalancer,
    SlowStart,
)
from semafor.planner import problems, refused
from semafor.planner.problems import at
from semafor.resources.istio import connection_pool, load_balancer
from semafor.resources.istio import destination_rule as istio

_SIMPLE: dict[str, Literal["round_robin", "least_request", "random", "original"]] = {
    "UNSPECIFIED": "least_request",
    "LEAST_CONN": "least_request",  # the old word for LEAST_REQUEST
    "LEAST_REQUEST": "least_request",
    "ROUND_ROBIN": "round_robin",
    "RANDOM": "random",
    "PASSTHROUGH": "original",
}
_TLS: dict[str, Literal["disable", "istio_mutual"]] = {"DISABLE": "disable", "ISTIO_MUTUAL": "istio_mutual"}


class Balancing(Value):
    """Which instance gets the next request, and what of the request decides it."""

    balancer: LoadBalancer = SimpleBalancer()
    hash_key: HashKey | None = None


class Pool(Value):
    """How many connections there may be, how long, and what is spoken on them; None and "" leave the default."""

    limits: ConnectionLimits = ConnectionLimits()
    connect_timeout_s: float | None = None
    http: Literal["", "h2", "downstream"] = ""
    max_streams: int | None = None


class Security(Value):
    """TLS towards the instances: automatic, none, or mutual for all of them."""

    mode: Literal["automatic", "disable", "istio_mutual"] = "automatic"
    sni: str = ""
    sans: tuple[str, ...] = ()


class Policy(Value, cache_hash=True):
    """What was said, None where nothing was. `ports` holds the settings of single ports."""

    balancing: Balancing | None = None
    pool: Pool | None = None
    outlier: OutlierDetection | None = None
    security: Security | None = None
    ports: "tuple[tuple[int, Policy], ...]" = ()


NOTHING = Policy()


def merge(base: Policy, over: Policy, port: int) -> Policy:
    """The policy of one port: `over` where it says something, else `base`.

    The settings of `over` for this very port replace everything, and do not inherit.
    Source: Istio's reference, TrafficPolicy.PortTrafficPolicy.
    """
    for number, settings in over.ports:
        if number == port:
            return settings
    return Policy(
        balancing=over.balancing or base.balancing,
        pool=over.pool or base.pool,
        outlier=over.outlier or base.outlier,
        security=over.security or base.security,
    )


def read(policy: istio.TrafficPolicy | None, origin: Origin) -> tuple[Policy, tuple[Problem, ...]]:
    """The policy, and what of it is not implemented."""
    if policy is None:
        return NOTHING, ()
    found = [*refused.fields(policy, origin, *_IMPLEMENTED, "port_level_settings"), *_check(policy, origin)]
    ports = []
    for index, settings in enumerate(policy.port_level_settings):
        place = at(origin, f"portLevelSettings[{index}]")
        found += [*refused.fields(settings, place, *_IMPLEMENTED, "port"), *_check(settings, place)]
        ports.append((settings.port.number if settings.port else 0, _own(settings)))
    return replace(_own(policy), ports=tuple(ports)), tuple(found)


_IMPLEMENTED = ("load_balancer", "connection_pool", "outlier_detection", "tls")


def _own(policy: istio.TrafficPolicy | istio.PortTrafficPolicy) -> Policy:
    balancer, tls = policy.load_balancer, policy.tls
    return Policy(
        balancing=Balancing(balancer=_balancer(balancer), hash_key=_hash_key(balancer)) if balancer else None,
        pool=_pool(policy.connection_pool) if policy.connection_pool else None,
        outlier=_outlier(policy.outlier_detection) if policy.outlier_detection else None,
        security=_security(tls) if tls and tls.mode in _TLS else None,
    )


def _security(tls: istio.ClientTLSSettings) -> Security:
    return Security(mode=_TLS[tls.mode or "DISABLE"], sni=tls.sni, sans=tuple(tls.subject_alt_names))


def _check(policy: istio.TrafficPolicy | istio.PortTrafficPolicy, origin: Origin) -> Iterator[Problem]:
    """Values and nested fields that are not implemented."""
    if balancer := policy.load_balancer:
        place = at(origin, "loadBalancer")
        warming = ("warmup", "warmup_duration_secs") if balancer.simple not in ("RANDOM", "PASSTHROUGH") else ()
        yield from refused.fields(balancer, place, "simple", "consistent_hash", *warming)
    if pool := policy.connection_pool:
        place = at(origin, "connectionPool")
        yield from refused.fields(pool, place, "tcp", "http")
        if pool.tcp:
            yield from refused.fields(pool.tcp, at(place, "tcp"), *_TCP_POOL)
        if pool.http:
            yield from refused.fields(pool.http, at(place, "http"), *_HTTP_POOL)
    if policy.outlier_detection:
        yield from refused.fields(policy.outlier_detection, at(origin, "outlierDetection"), *_OUTLIER)
    if policy.tls:
        place = at(origin, "tls")
        yield from refused.fields(policy.tls, place, "mode", "sni", "subject_alt_names")
        if policy.tls.mode not in _TLS:
            yield problems.value_not_supported(at(place, "mode"), policy.tls.mode, "DISABLE and ISTIO_MUTUAL")


def _balancer(balancer: load_balancer.LoadBalancerSettings) -> LoadBalancer:
    if hashing := balancer.consistent_hash:
        if hashing.maglev:
            return ConsistentHash(algorithm="maglev", min_size=hashing.maglev.table_size or 65537)
        size = hashing.ring_hash.minimum_ring_size if hashing.ring_hash else hashing.minimum_ring_size
        return ConsistentHash(min_size=size or 1024)
    policy = _SIMPLE.get(balancer.simple or "UNSPECIFIED", "least_request")
    warms_up = policy in ("round_robin", "least_request")  # Envoy can only warm instances up under these two
    return SimpleBalancer(policy=policy, slow_start=_slow_start(balancer) if warms_up else None)


def _slow_start(balancer: load_balancer.LoadBalancerSettings) -> SlowStart | None:
    if warmup := balancer.warmup:
        return SlowStart(
            window_s=duration.parse(warmup.duration),
            aggression=warmup.aggression or 1.0,
            min_percent=warmup.minimum_percent if warmup.minimum_percent is not None else 10.0,
        )
    if balancer.warmup_duration_secs:
        return SlowStart(window_s=duration.parse(balancer.warmup_duration_secs))
    return None


def _hash_key(balancer: load_balancer.LoadBalancerSettings) -> HashKey | None:
    hashing = balancer.consistent_hash
    if hashing is None:
        return None
    if hashing.http_header_name:
        return HashKey(kind="header", name=hashing.http_header_name)
    if cookie := hashing.http_cookie:
        ttl_s = duration.parse(cookie.ttl) if cookie.ttl is not None else None
        return HashKey(kind="cookie", name=cookie.name, path=cookie.path, ttl_s=ttl_s)
    if hashing.http_query_parameter_name:
        return HashKey(kind="query", name=hashing.http_query_parameter_name)
    return HashKey(kind="source_ip")


_TCP_POOL = ("max_connections", "connect_timeout", "tcp_keepalive", "max_connection_duration", "idle_timeout")
_HTTP_POOL = (
    "http1_max_pending_requests",
    "http2_max_requests",
    "max_requests_per_connection",
    "max_retries",
    "idle_timeout",
    "h2_upgrade_policy",
    "use_client_protocol",
    "max_concurrent_streams",
)


def _pool(pool: connection_pool.ConnectionPoolSettings) -> Pool:
    """Zero means the default (no limit) in all of these fields. Source: Istio's applyConnectionPool."""
    tcp, http = pool.tcp or connection_pool.TCPSettings(), pool.http or connection_pool.HTTPSettings()
    limits = ConnectionLimits(
        max_connections=tcp.max_connections or None,
        max_pending_requests=http.http1_max_pending_requests or None,
        max_requests=http.http2_max_requests or None,
        max_retries=http.max_retries or None,
        max_requests_per_connection=http.max_requests_per_connection or None,
        max_connection_duration_s=_seconds(tcp.max_connection_duration),
        idle_timeout_s=_seconds(http.idle_timeout or tcp.idle_timeout),
        keepalive=_keepalive(tcp.tcp_keepalive),
    )
    upgrade: Literal["", "h2"] = "h2" if http.h2_upgrade_policy == "UPGRADE" else ""
    return Pool(
        limits=limits,
        connect_timeout_s=_seconds(tcp.connect_timeout),
        http="downstream" if http.use_client_protocol else upgrade,
        max_streams=http.max_concurrent_streams or None,
    )


def _keepalive(keepalive: connection_pool.TcpKeepalive | None) -> Keepalive | None:
    if keepalive is None:
        return None
    return Keepalive(
        probes=keepalive.probes or 0,
        time_s=int(_seconds(keepalive.time) or 0),
        interval_s=int(_seconds(keepalive.interval) or 0),
    )


_OUTLIER = (
    "consecutive_5xx_errors",
    "consecutive_gateway_errors",
    "consecutive_local_origin_failures",
    "split_external_local_origin_errors",
    "interval",
    "base_ejection_time",
    "max_ejection_percent",
    "min_health_percent",
)


def _outlier(outlier: istio.OutlierDetection) -> OutlierDetection:
    """Absent consecutive 5xx errors mean 5. Source: Istio's reference, OutlierDetection."""
    fives = outlier.consecutive_5xx_errors
    return OutlierDetection(
        consecutive_5xx=5 if fives is None else fives,
        consecutive_gateway=outlier.consecutive_gateway_errors,
        consecutive_local_origin=outlier.consecutive_local_origin_failures,
        split_local_origin=outlier.split_external_local_origin_errors,
        interval_s=_seconds(outlier.interval) or 10.0,
        base_ejection_s=_seconds(outlier.base_ejection_time) or 30.0,
        max_ejection_percent=outlier.max_ejection_percent or 10,
        min_health_percent=outlier.min_health_percent or 0,
    )


def _seconds(text: str | None) -> float | None:
    return duration.parse(text) if text else None
