"""ir.Cluster -> envoy.config.cluster.v3.Cluster."""

from typing import Any, Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import discovery, labels, tls
from semafor.envoy.render.shape import Fields, mark, seconds, typed, wrap

_HTTP_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_NO_LIMIT: Final = 2**32 - 1
_POLICIES: Final = {
    "round_robin": "ROUND_ROBIN",
    "least_request": "LEAST_REQUEST",
    "random": "RANDOM",
    "original": "CLUSTER_PROVIDED",
}


def cluster(pool: Pool, node: ir.Cluster) -> Any:
    return pool(
        "envoy.config.cluster.v3.Cluster",
        name=node.name,
        connect_timeout=seconds(node.connect_timeout_s),
        circuit_breakers={"thresholds": [_thresholds(node.limits)]},
        **discovery.fields(pool, node),
        **_balancer(node),
        **_outlier(node.outlier),
        **_common_balancing(node),
        **_transport(pool, node),
        **_connections(node),
        **_http(pool, node),
        **_service(node.service),
    )


def _service(node: ir.Named | None) -> Fields:
    """What metrics call the service."""
    if node is None:
        return {}
    return {"metadata": {"filter_metadata": {labels.NAMESPACE: labels.said_of_service(node)}}}


def _balancer(node: ir.Cluster) -> Fields:
    match node.balancer:
        case ir.ConsistentHash(algorithm="ring", size=size):
            return {"lb_policy": "RING_HASH", "ring_hash_lb_config": {"minimum_ring_size": wrap(size)}}
        case ir.ConsistentHash(size=size):
            return {"lb_policy": "MAGLEV", "maglev_lb_config": {"table_size": wrap(size)}}
        case ir.SimpleBalancer(policy=policy, slow_start=slow):
            fields: Fields = {"lb_policy": _POLICIES[policy]}
            if slow is not None:
                fields[f"{policy}_lb_config"] = {"slow_start_config": _slow_start(slow)}
            return fields


def _slow_start(node: ir.SlowStart) -> Fields:
    return {
        "slow_start_window": seconds(node.window_s),
        "aggression": {"default_value": node.aggression, "runtime_key": "slow_start.aggression"},
        "min_weight_percent": {"value": node.min_percent},
    }


def _thresholds(limits: ir.ConnectionLimits) -> Fields:
    """Envoy's own defaults are low (1024); no limit means its greatest number."""
    budget = limits.retry_budget
    retries: Fields = {"retry_budget": _retry_budget(budget)} if budget else {}
    return retries | {
        name: wrap(_NO_LIMIT if limit is None else limit)
        for name, limit in (
            ("max_connections", limits.max_connections),
            ("max_pending_requests", limits.max_pending_requests),
            ("max_requests", limits.max_requests),
            *((("max_retries", limits.max_retries),) if budget is None else ()),
        )
    }


def _retry_budget(node: ir.RetryBudget) -> Fields:
    fields: Fields = {
        "budget_percent": {"value": node.percent},
        "min_retry_concurrency": wrap(node.min_concurrency),
    }
    if node.interval_s:
        fields["budget_interval"] = seconds(node.interval_s)
    return fields


def _outlier(node: ir.OutlierDetection | None) -> Fields:
    if node is None:
        return {}
    fields: Fields = {
        "interval": seconds(node.interval_s),
        "base_ejection_time": seconds(node.base_ejection_s),
        "max_ejection_percent": wrap(node.max_ejection_percent),
        "enforcing_success_rate": wrap(0),
        "split_external_local_origin_errors": node.split_local_origin,
        "enforcing_local_origin_success_rate": wrap(0),
    }
    for name, limit in (
        ("consecutive_5xx", node.consecutive_5xx),
        ("consecutive_gateway_failure", node.consecutive_gateway),
        ("consecutive_local_origin_failure", node.consecutive_local_origin),
    ):
        fields[f"enforcing_{name}"] = wrap(100 if limit else 0)  # unset means Envoy's default, which is on
        if limit:
            fields[name] = wrap(limit)
    return {"outlier_detection": fields}


def _common_balancing(node: ir.Cluster) -> Fields:
    fields: Fields = {}
    if node.outlier is not None:  # Envoy's own threshold, 50 %, would bring back the failing half
        fields["healthy_panic_threshold"] = {"value": float(node.outlier.min_health_percent)}
    if node.locality_weighted:
        fields["locality_weighted_lb_config"] = {}
    return {"common_lb_config": fields} if fields else {}


def _transport(pool: Pool, node: ir.Cluster) -> Fields:
    plain = tls.plain(pool)
    if node.tls is None:
        return {"transport_socket": _with_addresses(pool, node, plain)} if node.proxy_protocol else {}
    socket = _with_addresses(pool, node, tls.upstream(pool, node.tls))
    if not node.tls.only_mesh_endpoints:
        return {"transport_socket": socket}
    # The socket beside the matches is never used; Envoy looks at it to see whether the cluster can do ALPN.
    matches = tls.where_offered(pool, socket, _with_addresses(pool, node, plain))
    return {"transport_socket": socket, "transport_socket_matches": matches}


def _with_addresses(pool: Pool, node: ir.Cluster, inner: Fields) -> Fields:
    """Send the caller's address and where it was going ahead of the bytes, where the cluster says so."""
    if not node.proxy_protocol:
        return inner
    return typed(
        pool,
        "envoy.transport_sockets.upstream_proxy_protocol",
        "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
        config={"version": node.proxy_protocol.upper()},
        transport_socket=inner,
    )


def _connections(node: ir.Cluster) -> Fields:
    fields: Fields = {}
    if node.mark:
        fields["upstream_bind_config"] = mark(node.mark)
    if node.bind:
        fields["upstream_bind_config"] = {"source_address": {"address": node.bind, "port_value": 0}}
    keepalive = node.limits.keepalive
    if keepalive is not None:
        values = {
            "keepalive_probes": keepalive.probes,
            "keepalive_time": keepalive.time_s,
            "keepalive_interval": keepalive.interval_s,
        }
        chosen = {name: wrap(value) for name, value in values.items() if value}
        fields["upstream_connection_options"] = {"tcp_keepalive": chosen}
    return fields


def _http(pool: Pool, node: ir.Cluster) -> Fields:
    if node.http is None:
        return {}
    options = pool(
        _HTTP_OPTIONS,
        common_http_protocol_options=_common(node.limits),
        **_version(node.http),
        **_names(node.tls),
        **_errors(node.outlier),
    )
    return {"typed_extension_protocol_options": {_HTTP_OPTIONS: pool.any(options)}}


def _names(node: ir.UpstreamTls | None) -> Fields:
    """Of TLS that takes the server's name from the request."""
    if node is None or not (node.sni_from_host or node.san_from_host):
        return {}
    said = {"auto_sni": node.sni_from_host, "auto_san_validation": node.san_from_host}
    return {"upstream_http_protocol_options": said}


def _errors(node: ir.OutlierDetection | None) -> Fields:
    """The statuses that count as errors, where they are others than 5xx."""
    if node is None or not node.error_codes:
        return {}
    regex = {"regex": "|".join(str(code) for code in node.error_codes)}
    status = {"name": ":status", "string_match": {"safe_regex": regex}}
    return {"outlier_detection": {"error_matcher": {"http_response_headers_match": {"headers": [status]}}}}


def _common(limits: ir.ConnectionLimits) -> Fields:
    fields: Fields = {}
    if limits.idle_timeout_s is not None:
        fields["idle_timeout"] = seconds(limits.idle_timeout_s)
    if limits.max_connection_duration_s is not None:
        fields["max_connection_duration"] = seconds(limits.max_connection_duration_s)
    if limits.max_requests_per_connection:
        fields["max_requests_per_connection"] = wrap(limits.max_requests_per_connection)
    return fields


def _version(node: ir.UpstreamHttp) -> Fields:
    h2: Fields = {"allow_connect": True}  # WebSocket over HTTP/2 (RFC 8441)
    if node.max_streams is not None:
        h2["max_concurrent_streams"] = wrap(node.max_streams)
    if node.ping is not None:
        ping = {"interval": seconds(node.ping.interval_s), "timeout": seconds(node.ping.timeout_s)}
        h2["connection_keepalive"] = ping
    match node.version:
        case "h1":
            return {"explicit_http_config": {"http_protocol_options": {}}}
        case "h2":
            return {"explicit_http_config": {"http2_protocol_options": h2}}
        case "auto":
            return {"auto_config": {"http_protocol_options": {}, "http2_protocol_options": h2}}
        case "downstream":
            options = {"http_protocol_options": {}, "http2_protocol_options": h2}
            return {"use_downstream_protocol_config": options}
