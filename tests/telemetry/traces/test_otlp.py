"""Spans in OpenTelemetry's protocol, as protobuf and as JSON."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.telemetry.traces.spans import NOW_US, TRACE, span

from semafor.telemetry.traces import otlp
from semafor.telemetry.traces.span import Event, Malformed

JSON = b"""{"resourceSpans": [{
  "resource": {"attributes": [
    {"key": "service.name", "value": {"stringValue": "agent.demo"}},
    {"key": "host.name", "value": {"stringValue": "agent-1"}}]},
  "scopeSpans": [{"spans": [{
    "traceId": "4BF92F3577B34DA6A3CE929D0E0E4736", "spanId": "0000000000000002", "parentSpanId": "0000000000000001",
    "name": "GET /ask", "kind": 3, "startTimeUnixNano": "1790000000000000000", "endTimeUnixNano": "1790000000001500000",
    "attributes": [
      {"key": "http.status_code", "value": {"intValue": "503"}},
      {"key": "zones", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"boolValue": true}]}}},
      {"key": "body", "value": {"kvlistValue": {"values": [{"key": "bytes", "value": {"doubleValue": 0.5}}]}}}],
    "events": [{"timeUnixNano": "1790000000000007000", "name": "retry"}],
    "status": {"code": 2, "message": "upstream reset"}, "somethingNew": {"deep": []}}]}]}]}"""

EXPECTED = span(
    2,
    parent=f"{1:016x}",
    kind="client",
    failed=True,
    message="upstream reset",
    attributes={"http.status_code": 503, "zones": ["a", True], "body": {"bytes": 0.5}},
    resource={"host.name": "agent-1"},
    events=(Event("retry", NOW_US + 7, {}),),
)


def as_protobuf(**fields) -> bytes:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(**fields)
    return request.SerializeToString()


def test_json_becomes_spans():
    assert otlp.spans_of_json(JSON) == [EXPECTED]


def test_protobuf_becomes_spans():
    ids = {"trace_id": bytes.fromhex(TRACE), "span_id": bytes(7) + b"\x01"}
    raw = as_protobuf(**ids, name="GET /ask", kind=2, start_time_unix_nano=NOW_US * 1000)
    assert otlp.spans(raw) == [span(service="unknown_service", duration_us=0)]


def test_a_span_that_ends_before_it_begins_took_no_time():
    ids = {"trace_id": bytes(15) + b"\x01", "span_id": bytes(7) + b"\x01"}
    assert otlp.spans(as_protobuf(**ids, start_time_unix_nano=5_000, end_time_unix_nano=1))[0].duration_us == 0


@pytest.mark.parametrize("ids", [{}, {"trace_id": bytes(16)}, {"trace_id": b"short", "span_id": bytes(8)}])
def test_a_span_without_ids_is_left_out(ids):
    assert otlp.spans(as_protobuf(**ids, name="lost")) == []


def test_long_texts_and_many_attributes_are_cut():
    request = ExportTraceServiceRequest()
    told = request.resource_spans.add().scope_spans.add().spans.add(trace_id=bytes(16), span_id=bytes(8))
    for number in range(1000):
        told.attributes.add(key=f"key {number}").value.string_value = "x" * 100_000
    (cut,) = otlp.spans(request.SerializeToString())
    assert (len(cut.attributes), {len(value) for value in cut.attributes.values()}) == (128, {4096})


@pytest.mark.parametrize(
    "raw", [b"{", b"[]", b'{"resourceSpans": 1}', b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 7}]}]}]}']
)
def test_json_that_is_no_report_is_refused(raw):
    with pytest.raises(Malformed):
        otlp.spans_of_json(raw)


@given(st.binary(max_size=200))
def test_any_bytes_are_spans_or_refused(raw):
    with contextlib.suppress(Malformed):
        otlp.spans(raw)
