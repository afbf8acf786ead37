"""ir.AccessLog -> the loggers that write it."""

from collections.abc import Iterable
from typing import Final, Literal

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import metrics
from semafor.envoy.render.shape import Fields, typed

_LOGGERS: Final = "envoy.extensions.access_loggers."
_STREAMS: Final = {"/dev/stdout": "StdoutAccessLog", "/dev/stderr": "StderrAccessLog"}
# Of connections that carry bytes there is an entry at the end; the one at their beginning is for metrics.
_ONCE: Final[Fields] = {"log_type_filter": {"types": ["TcpConnectionEnd"]}}


def of(pool: Pool, nodes: Iterable[ir.AccessLog], kind: Literal["requests", "bytes"]) -> list[Fields]:
    """The loggers of a connection that carries requests or bytes."""
    return [_filtered(pool, node, _logger(pool, node.to, kind), kind) for node in nodes]


def _filtered(pool: Pool, node: ir.AccessLog, logger: Fields, kind: str) -> Fields:
    filters = [_ONCE] if kind == "bytes" else []
    filters += [metrics.expression(pool, node.expression)] if node.expression else []
    if not filters:
        return logger
    return logger | {"filter": filters[0] if len(filters) == 1 else {"and_filter": {"filters": filters}}}


def _logger(pool: Pool, node: ir.FileLog | ir.GrpcLog | ir.OtlpLog, kind: str) -> Fields:
    match node:
        case ir.FileLog():
            return _file(pool, node)
        case ir.GrpcLog():
            return _als(pool, node, kind)
        case ir.OtlpLog():
            return _otlp(pool, node)


def _file(pool: Pool, node: ir.FileLog) -> Fields:
    form: Fields = {"json_format": dict(node.fields)}
    if not node.fields:
        form = {"text_format_source": {"inline_string": node.text}}
    form |= {"omit_empty_values": True} if node.omit_empty else {}
    if stream := _STREAMS.get(node.path):
        return typed(pool, "envoy.access_loggers.stdout", f"{_LOGGERS}stream.v3.{stream}", log_format=form)
    return typed(pool, "envoy.access_loggers.file", f"{_LOGGERS}file.v3.FileAccessLog", path=node.path, log_format=form)


def _als(pool: Pool, node: ir.GrpcLog, kind: str) -> Fields:
    common = {
        "log_name": node.name,
        "grpc_service": {"envoy_grpc": {"cluster_name": node.cluster}},
        "transport_api_version": "V3",
        "filter_state_objects_to_log": node.states,
    }
    if kind == "bytes":
        return typed(
            pool, "envoy.tcp_grpc_access_log", f"{_LOGGERS}grpc.v3.TcpGrpcAccessLogConfig", common_config=common
        )
    return typed(
        pool,
        "envoy.http_grpc_access_log",
        f"{_LOGGERS}grpc.v3.HttpGrpcAccessLogConfig",
        common_config=common,
        additional_request_headers_to_log=node.request_headers,
        additional_response_headers_to_log=node.response_headers,
        additional_response_trailers_to_log=node.response_trailers,
    )


def _otlp(pool: Pool, node: ir.OtlpLog) -> Fields:
    attributes = [{"key": name, "value": {"string_value": value}} for name, value in node.fields]
    return typed(
        pool,
        "envoy.access_loggers.open_telemetry",
        f"{_LOGGERS}open_telemetry.v3.OpenTelemetryAccessLogConfig",
        log_name=node.name,
        grpc_service={"envoy_grpc": {"cluster_name": node.cluster}},
        body={"string_value": node.body},
        **({"attributes": {"values": attributes}} if attributes else {}),
    )
