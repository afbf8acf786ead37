"""ir.HttpConnection -> the network filter that speaks HTTP.

Source of the constants: Istio's sidecars, whose clients notice the difference.
"""

from typing import Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import http_filters, local_replies, logs, metrics, routes, tracing
from semafor.envoy.render.shape import Fields, seconds, typed, wrap

_ESCAPED: Final = {
    "none": "KEEP_UNCHANGED",
    "base": "KEEP_UNCHANGED",
    "merge_slashes": "KEEP_UNCHANGED",
    "decode_and_merge_slashes": "UNESCAPE_AND_FORWARD",
}
_CODECS: Final = {"auto": "AUTO", "h1": "HTTP1", "h2": "HTTP2"}
_FETCH_TIMEOUT_S: Final = 5.0
_MANY_RESETS: Final = 1_000_000


def http_connection(pool: Pool, node: ir.HttpConnection) -> Fields:
    return typed(
        pool,
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=node.stat_prefix,
        codec_type=_CODECS[node.codec],
        http_filters=http_filters.for_connection(pool, node),
        http_protocol_options={"accept_http_10": node.http_10},
        http2_protocol_options=_h2(node),
        access_log=[*metrics.of_requests(pool, node.metrics), *logs.of(pool, node.logs, "requests")],
        **tracing.fields(pool, node.tracing),
        upgrade_configs=[{"upgrade_type": upgrade} for upgrade in node.upgrades],
        normalize_path=wrap(node.paths != "none"),
        merge_slashes=node.paths in ("merge_slashes", "decode_and_merge_slashes"),
        path_with_escaped_slashes_action=_ESCAPED[node.paths],
        stream_idle_timeout=seconds(0),  # long polls and event streams may be silent for as long as they like
        # No caller is trusted with the x-envoy- headers that change time-outs and retries: this range has no member.
        internal_address_config={"cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": wrap(32)}]},
        **_routes(pool, node),
        **_common(node.edge),
        **(_identity(node) if node.edge is None else _edge(node.edge)),
        **_server(node),
        **local_replies.fields(pool, node),
    )


def _h2(node: ir.HttpConnection) -> Fields:
    fields: Fields = {"allow_connect": True}  # WebSocket over HTTP/2 (RFC 8441)
    if node.edge is not None:
        fields["max_concurrent_streams"] = wrap(node.edge.max_streams)
    if node.forward_client_identity:  # a sidecar, which resets every attempt that it repeats; by default 33 a second
        fields |= {"stream_reset_burst": wrap(_MANY_RESETS), "stream_reset_rate": wrap(_MANY_RESETS)}
    return fields


def _common(edge: ir.Edge | None) -> Fields:
    """Against callers from outside who hold connections for nothing, and names that hide from a filter."""
    if edge is None:
        return {}
    options: Fields = {"idle_timeout": seconds(edge.idle_s)}
    if edge.underscores != "ALLOW":
        options["headers_with_underscores_action"] = edge.underscores
    return {"common_http_protocol_options": options}


def _routes(pool: Pool, node: ir.HttpConnection) -> Fields:
    if node.routes is not None:
        return {"route_config": routes.table(pool, node.routes)}
    source = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": seconds(_FETCH_TIMEOUT_S)}
    return {"rds": {"route_config_name": node.rds, "config_source": source}}


def _identity(node: ir.HttpConnection) -> Fields:
    """The header x-forwarded-client-cert: set anew from the certificate, or taken away. Never passed on unproven."""
    if not node.forward_client_identity:
        return {"forward_client_cert_details": "SANITIZE"}
    details = {"subject": wrap(True), "uri": True, "dns": True}  # noqa: FBT003
    return {"forward_client_cert_details": "SANITIZE_SET", "set_current_client_cert_details": details}


def _edge(node: ir.Edge) -> Fields:
    """Who the caller is, when the connection or proxies in front say so; what callers say of it counts for nothing."""
    fields: Fields = {
        "use_remote_address": wrap(True),  # noqa: FBT003
        "xff_num_trusted_hops": node.trusted_proxies,
        "forward_client_cert_details": node.client_certificates.upper(),
        "request_headers_timeout": seconds(node.headers_s),
    }
    if node.client_certificates in ("sanitize_set", "append_forward"):
        details = {"subject": wrap(True), "cert": True, "dns": True, "uri": True}  # noqa: FBT003
        fields["set_current_client_cert_details"] = details
    return fields


def _server(node: ir.HttpConnection) -> Fields:
    if not node.server_name:
        return {"server_header_transformation": "PASS_THROUGH"}
    return {"server_name": node.server_name}
