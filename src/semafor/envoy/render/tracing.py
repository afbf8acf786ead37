"""ir.Tracing -> how an HTTP connection traces its requests."""

from typing import Any, Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render.shape import Fields, seconds, typed, wrap

_CONFIG: Final = "envoy.config.trace.v3."
_UUID: Final = "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig"


def fields(pool: Pool, node: ir.Tracing | None) -> Fields:
    """The connection manager's fields."""
    if node is None or node.collector is None:
        return {}
    tracing = {
        "client_sampling": {"value": 100.0},
        "overall_sampling": {"value": 100.0},
        "random_sampling": {"value": node.sampling},
        "max_path_tag_length": wrap(node.path_bytes),
        "custom_tags": [_tag(tag) for tag in node.tags],
        "provider": _provider(pool, node, node.collector),
    }
    by_id = pool.any(pool(_UUID, use_request_id_for_trace_sampling=wrap(node.by_request_id)))
    return {"tracing": tracing, "request_id_extension": {"typed_config": by_id}}


def _tag(node: ir.SpanTag) -> Fields:
    match node.kind:
        case "literal":
            return {"tag": node.name, "literal": {"value": node.value}}
        case "format":
            return {"tag": node.name, "value": node.value}
        case "environment":
            return {"tag": node.name, "environment": {"name": node.value, "default_value": node.default}}
        case "header":
            return {"tag": node.name, "request_header": {"name": node.value, "default_value": node.default}}


def _provider(pool: Pool, node: ir.Tracing, to: ir.Collector) -> Fields:
    if to.kind == "zipkin":
        return _zipkin(pool, to)
    service: Any = _grpc(to) if to.kind == "otlp_grpc" else _http(to)
    where = {"grpc_service" if to.kind == "otlp_grpc" else "http_service": service}
    return typed(
        pool, "envoy.tracers.opentelemetry", _CONFIG + "OpenTelemetryConfig", service_name=node.service, **where
    )


def _grpc(to: ir.Collector) -> Fields:
    return {
        "envoy_grpc": {"cluster_name": to.cluster, "authority": to.host},
        "timeout": seconds(to.timeout_s),
        "initial_metadata": [{"key": name, "value": value} for name, value in to.headers],
    }


def _http(to: ir.Collector) -> Fields:
    uri = {"uri": f"http://{to.host}{to.path}", "cluster": to.cluster, "timeout": seconds(to.timeout_s)}
    headers = [{"header": {"key": name, "value": value}} for name, value in to.headers]
    return {"http_uri": uri, "request_headers_to_add": headers}


def _zipkin(pool: Pool, to: ir.Collector) -> Fields:
    return typed(
        pool,
        "envoy.tracers.zipkin",
        _CONFIG + "ZipkinConfig",
        collector_cluster=to.cluster,
        collector_endpoint=to.path,
        collector_endpoint_version="HTTP_JSON",
        collector_hostname=to.host,
        trace_id_128bit=to.wide_ids,
        shared_span_context=wrap(False),  # noqa: FBT003 a wrapped value
        trace_context_option="USE_B3_WITH_W3C_PROPAGATION" if to.w3c else "USE_B3",
    )
