"""Spans as Zipkin's reporters send them."""

import json

import pytest
from tests.telemetry.traces.spans import NOW_US, span

from semafor.telemetry.traces import zipkin
from semafor.telemetry.traces.span import Event, Malformed


def report(**fields) -> bytes:
    return json.dumps([{"traceId": "7b", "id": "a", **fields}]).encode()


def test_a_client_span():
    raw = report(
        parentId="9",
        name="get /ask",
        kind="CLIENT",
        timestamp=NOW_US,
        duration=1500,
        localEndpoint={"serviceName": "agent.demo", "ipv4": "10.0.0.7"},
        remoteEndpoint={"serviceName": "model", "port": 8080},
        tags={"http.status_code": "500", "error": "500"},
        annotations=[{"timestamp": NOW_US + 3, "value": "ws"}],
    )
    assert zipkin.spans(raw) == [
        span(
            10,
            trace=f"{0x7B:032x}",
            parent=f"{9:016x}",
            name="get /ask",
            kind="client",
            failed=True,
            message="500",
            attributes={"http.status_code": "500", "error": "500", "peer.service": "model", "peer.port": 8080},
            resource={"ip": "10.0.0.7"},
            events=(Event("ws", NOW_US + 3, {}),),
        )
    ]


def test_a_server_span_that_shares_its_clients_id_is_below_it():
    (server,) = zipkin.spans(report(kind="SERVER", shared=True))
    assert (server.id, server.parent) == (f"{11:016x}", f"{10:016x}")


@pytest.mark.parametrize("raw", [b"", b"{}", b'[{"id": "a"}]', b"[" * 100_000, b'[{"traceId": 1, "id": "a"}]'])
def test_what_is_no_list_of_spans_is_refused(raw):
    with pytest.raises(Malformed):
        zipkin.spans(raw)


def test_ids_that_are_not_hexadecimal_are_left_out():
    assert zipkin.spans(report(id="../../x")) == []
