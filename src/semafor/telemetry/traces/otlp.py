"""Spans as OpenTelemetry reports them: an ExportTraceServiceRequest as protobuf, or as its JSON.

Source: OpenTelemetry's protocol specification, with its rules for JSON (ids are hexadecimal there).
"""

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from semafor.telemetry.traces.span import Event, Json, Kind, Malformed, Span

_KINDS: Final[tuple[Kind, ...]] = ("internal", "internal", "server", "client", "producer", "consumer")
_IDS: Final = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})
_MAX_TEXT: Final = 4096  # of one attribute; a longer one is cut, as OpenTelemetry's own limits do
_MAX_ATTRIBUTES: Final = 128
_MAX_DEPTH: Final = 4


def spans(raw: bytes) -> list[Span]:
    """The spans of a request. One without ids is left out. Raises Malformed."""
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(raw)
    except DecodeError as error:
        raise Malformed("these bytes are no ExportTraceServiceRequest") from error
    return list(_all(request))


def spans_of_json(raw: bytes) -> list[Span]:
    """The same of a request written as JSON."""
    try:
        document = _with_binary_ids(json.loads(raw))
        if not isinstance(document, dict):
            raise ValueError("it is no object")
        request = json_format.ParseDict(document, ExportTraceServiceRequest(), ignore_unknown_fields=True)
    except (ValueError, RecursionError, json_format.ParseError) as error:
        raise Malformed(f"this JSON is no ExportTraceServiceRequest: {error}"[:200]) from error
    return list(_all(request))


def _with_binary_ids(node: Any) -> Any:
    """The document with its ids in base64, as protobuf's JSON wants bytes."""
    if isinstance(node, list):
        return [_with_binary_ids(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {key: _base64(value) if key in _IDS else _with_binary_ids(value) for key, value in node.items()}


def _base64(value: Any) -> str:
    try:
        return base64.b64encode(bytes.fromhex(value)).decode()
    except (TypeError, binascii.Error) as error:
        raise ValueError(f"{value!r} is no id") from error


def _all(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for reporter in request.resource_spans:
        resource = _attributes(reporter.resource.attributes)
        service = str(resource.pop("service.name", "unknown_service"))
        for scope in reporter.scope_spans:
            for span in scope.spans:
                if len(span.trace_id) == 16 and len(span.span_id) == 8:
                    yield _span(span, service, resource)


def _span(span: trace_pb2.Span, service: str, resource: Json) -> Span:
    start, end = span.start_time_unix_nano // 1000, span.end_time_unix_nano // 1000
    return Span(
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        service=service[:_MAX_TEXT],
        name=span.name[:_MAX_TEXT],
        kind=_KINDS[span.kind] if 0 <= span.kind < len(_KINDS) else "internal",
        start_us=start,
        duration_us=max(0, end - start),
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        attributes=_attributes(span.attributes),
        resource=resource,
        events=tuple(_event(event) for event in span.events[:_MAX_ATTRIBUTES]),
        message=span.status.message[:_MAX_TEXT],
    )


def _event(event: trace_pb2.Span.Event) -> Event:
    return Event(event.name[:_MAX_TEXT], event.time_unix_nano // 1000, _attributes(event.attributes))


def _attributes(pairs: Any) -> Json:
    return {pair.key[:_MAX_TEXT]: _value(pair.value) for pair in pairs[:_MAX_ATTRIBUTES]}


def _value(value: AnyValue, depth: int = 0) -> Any:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value[:_MAX_TEXT]
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case "bytes_value":
            return base64.b64encode(value.bytes_value[:_MAX_TEXT]).decode()
        case "array_value" if depth < _MAX_DEPTH:
            return [_value(each, depth + 1) for each in value.array_value.values[:_MAX_ATTRIBUTES]]
        case "kvlist_value" if depth < _MAX_DEPTH:
            pairs = value.kvlist_value.values[:_MAX_ATTRIBUTES]
            return {pair.key: _value(pair.value, depth + 1) for pair in pairs}
        case _:
            return ""
