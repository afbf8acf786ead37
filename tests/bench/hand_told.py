"""What the Envoys by hand tell: Istio's metrics of requests, and Istio's access log."""

from typing import Any, Final

Json = dict[str, Any]

_TYPES: Final = "type.googleapis.com/envoy.extensions."
_FIELDS: Final = ("workload", "canonical_service", "canonical_revision", "workload_namespace", "app", "version")
_WORDS: Final = {
    side: dict(zip(_FIELDS, (f"{side}-v1", side, "v1", "traffic", side, "v1"), strict=True))
    for side in ("client", "server")
}
_HOST: Final = "server.traffic.svc.cluster.local"
SERVICE: Final[Json] = {"filter_metadata": {"hand": {"host": _HOST, "name": "server", "namespace": "traffic"}}}
WORKLOAD: Final[Json] = {"filter_metadata": {"hand": _WORDS["server"]}}  # of the server's endpoint
_SERVICE: Final = {
    "destination_service": "%CLUSTER_METADATA(hand:host)%",
    "destination_service_name": "%CLUSTER_METADATA(hand:name)%",
    "destination_service_namespace": "%CLUSTER_METADATA(hand:namespace)%",
}
_PRINCIPALS: Final = {
    "source": ("%UPSTREAM_LOCAL_URI_SAN%", "%UPSTREAM_PEER_URI_SAN%"),
    "destination": ("%DOWNSTREAM_PEER_URI_SAN%", "%DOWNSTREAM_LOCAL_URI_SAN%"),
}
_REQUEST: Final = {
    "response_code": "%RESPONSE_CODE%",
    "grpc_response_status": "%GRPC_STATUS_NUMBER%",
    "response_flags": "%RESPONSE_FLAGS%",
}
_HISTOGRAMS: Final = (
    ("istio_request_duration_milliseconds", "Milliseconds", "%DURATION%"),
    ("istio_request_bytes", "Bytes", "%DOWNSTREAM_WIRE_BYTES_RECEIVED%"),
    ("istio_response_bytes", "Bytes", "%DOWNSTREAM_WIRE_BYTES_SENT%"),
)
_GRPC: Final = {"name": "content-type", "string_match": {"safe_regex": {"regex": "application/grpc([+;].*)?"}}}
_OTHERS: Final = _GRPC | {"invert_match": True, "treat_missing_header_as_empty": True}
# Source: Istio's task "Envoy Access Logs", the default format.
_TEXT: Final = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% '
    '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" '
    "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" '
    "%UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% "
    "%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n"
)


def _typed(name: str, type_name: str, **fields: Any) -> Json:
    return {"name": name, "typed_config": {"@type": _TYPES + type_name, **fields}}


def _state(field: str) -> Json:
    text = {"text_format_source": {"inline_string": _WORDS["client"][field]}}
    return {"object_key": f"hand.{field}", "factory_key": "envoy.string", "format_string": text}


# In place of reading the words from a certificate, once for each connection.
CALLER: Final = _typed(
    "envoy.filters.network.set_filter_state",
    "filters.network.set_filter_state.v3.Config",
    on_downstream_tls_handshake=[_state(field) for field in _FIELDS],
)


def access_log(reporter: str) -> list[Json]:
    """The loggers of the proxy of one side."""
    log = {"text_format_source": {"inline_string": _TEXT}}
    text = _typed("envoy.access_loggers.stdout", "access_loggers.stream.v3.StdoutAccessLog", log_format=log)
    return [_metrics(reporter, "grpc", _GRPC), _metrics(reporter, "http", _OTHERS), text]


def _metrics(reporter: str, protocol: str, matcher: Json) -> Json:
    tags = [{"name": name, "value_format": form} for name, form in _labels(reporter, protocol).items()]
    histograms = [
        {"stat": {"name": name, "tags": tags}, "unit": unit, "value_format": form} for name, unit, form in _HISTOGRAMS
    ]
    counter = {"stat": {"name": "istio_requests_total", "tags": tags}, "value_fixed": 1}
    stats = {"stat_prefix": "hand", "counters": [counter], "histograms": histograms}
    logger = _typed("envoy.access_loggers.stats", "access_loggers.stats.v3.Config", **stats)
    return logger | {"filter": {"header_filter": {"header": matcher}}}


def _labels(reporter: str, protocol: str) -> dict[str, str]:
    own, other = ("source", "destination") if reporter == "source" else ("destination", "source")
    words = _WORDS["client" if own == "source" else "server"]
    from_whom = "%UPSTREAM_METADATA(hand:{})%" if other == "destination" else "%FILTER_STATE(hand.{}:PLAIN)%"
    source, destination = _PRINCIPALS[reporter]
    return {
        "reporter": reporter,
        **{f"{own}_{field}": words[field] for field in _FIELDS},
        **{f"{other}_{field}": from_whom.format(field) for field in _FIELDS},
        "source_principal": source,
        "destination_principal": destination,
        "source_cluster": "Kubernetes",
        "destination_cluster": "Kubernetes",
        **_SERVICE,
        "request_protocol": protocol,
        **_REQUEST,
        "connection_security_policy": "unknown" if reporter == "source" else "mutual_tls",
    }
