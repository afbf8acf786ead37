"""Jaeger's documents, and its queries."""

import pytest
from tests.telemetry.traces.spans import NOW_US, TRACE, span

from semafor.telemetry.traces import jaeger
from semafor.telemetry.traces.span import Event
from semafor.telemetry.traces.store import Call, Query


def test_a_trace_names_each_process_once():
    first = span(
        kind="client", attributes={"http.status_code": 200, "cached": True, "zones": ["a"]}, resource={"ip": "10.0.0.7"}
    )
    second = span(
        2, parent=first.id, service="model.demo", failed=True, message="reset", events=(Event("retry", NOW_US + 7, {}),)
    )
    third = span(3, parent=first.id, resource={"ip": "10.0.0.7"})
    found = jaeger.trace([first, second, third])
    assert found["processes"] == {
        "p1": {"serviceName": "agent.demo", "tags": [{"key": "ip", "type": "string", "value": "10.0.0.7"}]},
        "p2": {"serviceName": "model.demo", "tags": []},
    }
    assert [each["processID"] for each in found["spans"]] == ["p1", "p2", "p1"]
    assert found["spans"][1] == {
        "traceID": TRACE,
        "spanID": f"{2:016x}",
        "operationName": "GET /ask",
        "references": [{"refType": "CHILD_OF", "traceID": TRACE, "spanID": f"{1:016x}"}],
        "startTime": NOW_US,
        "duration": 1500,
        "tags": [
            {"key": "span.kind", "type": "string", "value": "server"},
            {"key": "error", "type": "bool", "value": True},
            {"key": "otel.status_code", "type": "string", "value": "ERROR"},
            {"key": "otel.status_description", "type": "string", "value": "reset"},
        ],
        "logs": [{"timestamp": NOW_US + 7, "fields": [{"key": "event", "type": "string", "value": "retry"}]}],
        "processID": "p2",
        "warnings": None,
    }
    assert found["spans"][0]["tags"][:3] == [
        {"key": "http.status_code", "type": "int64", "value": 200},
        {"key": "cached", "type": "bool", "value": True},
        {"key": "zones", "type": "string", "value": '["a"]'},
    ]


def test_a_query_with_everything():
    asked = [
        ("service", "agent.demo"),
        ("operation", "GET /ask"),
        ("tags", '{"http.status_code": "503"}'),
        ("tag", "error:true"),
        ("start", "1"),
        ("end", "2"),
        ("minDuration", "1.5ms"),
        ("maxDuration", "1m2s"),
        ("limit", "7"),
    ]
    assert jaeger.query(asked) == Query(
        service="agent.demo",
        operation="GET /ask",
        tags=(("error", "true"), ("http.status_code", "503")),
        since_us=1,
        until_us=2,
        min_us=1500,
        max_us=62_000_000,
        limit=7,
    )


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "parameter 'service' is required"),
        ({"limit": "many"}, "cannot parse limit"),
        ({"start": "9" * 30}, "cannot parse start"),
        ({"minDuration": "5"}, "cannot parse minDuration"),
        ({"tags": "[1]"}, "malformed 'tags'"),
        ({"tags": '{"a": 1}'}, "malformed 'tags'"),
        ({"tag": "error"}, "malformed 'tag'"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(asked, says):
    with pytest.raises(jaeger.Wrong, match=says):
        jaeger.query(list({**asked, **({"service": "a"} if asked else {})}.items()))


def test_no_search_gives_more_than_is_good_for_a_page():
    assert jaeger.query([("service", "a"), ("limit", "999999")]).limit == jaeger.MAX_TRACES


def test_answers_are_wrapped():
    assert jaeger.answer(["a"]) == {"data": ["a"], "total": 1, "limit": 0, "offset": 0, "errors": None}
    assert jaeger.failure(404, "trace not found")["errors"] == [{"code": 404, "msg": "trace not found"}]
    assert jaeger.calls([Call("a", "b", 3)]) == [{"parent": "a", "child": "b", "callCount": 3}]


def test_version_3_speaks_opentelemetry():
    told = span(parent=f"{9:016x}", failed=True, attributes={"n": 1, "ok": True, "of": {"x": 0.5}, "l": ["a"]})
    (resource,) = jaeger.otlp([[told]])["result"]["resourceSpans"]
    (written,) = resource["scopeSpans"][0]["spans"]
    assert resource["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "agent.demo"}}]
    assert written["attributes"] == [
        {"key": "n", "value": {"intValue": "1"}},
        {"key": "ok", "value": {"boolValue": True}},
        {"key": "of", "value": {"kvlistValue": {"values": [{"key": "x", "value": {"doubleValue": 0.5}}]}}},
        {"key": "l", "value": {"arrayValue": {"values": [{"stringValue": "a"}]}}},
    ]
    assert (written["kind"], written["status"], written["parentSpanId"]) == (2, {"code": 2, "message": ""}, f"{9:016x}")
