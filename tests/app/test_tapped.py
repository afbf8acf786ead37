"""What is told of tapped requests."""

import json

from semafor.app.cli import tapped


def trace(path="/", request=(), response=(), **more):
    head = [(":method", "GET"), (":authority", "model"), (":path", path), *request]
    made = {
        "request": {"headers": headers(*head), "headers_received_time": "2026-01-01T00:00:00Z"},
        "response": {
            "headers": headers((":status", "200"), *response),
            "headers_received_time": "2026-01-01T00:00:00.0125Z",
        },
        "downstream_connection": {"remote_address": {"socket_address": {"address": "10.0.0.7"}}},
    }
    return {"http_buffered_trace": {**made, **more}}


def headers(*pairs):
    return [{"key": key, "value": value} for key, value in pairs]


def told(document, *, redact=True):
    return tapped.told("default/model", "inbound", document, redact=redact)


def test_a_request_is_one_line():
    line = tapped.line(told(trace("/v1/chat?stream=true")))
    assert (
        line
        == "2026-01-01T00:00:00.000+00:00 default/model inbound GET model/v1/chat?stream=true 200 12.5ms from 10.0.0.7"
    )


def test_secrets_are_blacked_out():
    sent = (("authorization", "Bearer x"), ("x-api-key", "k"), ("accept", "*/*"))
    document = trace("/a?api_key=1&n=2", sent, (("set-cookie", "s=1"), ("access-control-allow-credentials", "true")))
    found = told(document)
    assert found["path"] == "/a?api_key=[redacted]&n=2"
    assert found["request_headers"] == [["authorization", "[redacted]"], ["x-api-key", "[redacted]"], ["accept", "*/*"]]
    assert found["response_headers"] == [["set-cookie", "[redacted]"], ["access-control-allow-credentials", "true"]]
    shown = told(document, redact=False)
    assert (shown["path"], shown["request_headers"][0]) == ("/a?api_key=1&n=2", ["authorization", "Bearer x"])


def test_documents_come_in_pieces_of_any_size():
    text = json.dumps({"a": "}{"}, indent=1) + "\n" + json.dumps({"b": 1})
    for size in (1, 3, 1000):
        pieces = [text[i : i + size] for i in range(0, len(text), size)]
        assert [*tapped.documents(iter(pieces))] == [{"a": "}{"}, {"b": 1}]


def test_pieces_of_a_stream_say_whose_they_are():
    begun = {"trace_id": "7", "request_headers": {"headers": headers((":method", "GET"), (":path", "/"))}}
    chunk = {"trace_id": "7", "response_body_chunk": {"as_string": "data: 1", "truncated": True}}
    first, then = (told({"http_streamed_trace_segment": each}) for each in (begun, chunk))
    assert (first["stream"], first["method"], tapped.is_request(first)) == (7, "GET", True)
    assert (then["response_body"], then["response_body_truncated"], tapped.is_request(then)) == ("data: 1", True, False)
