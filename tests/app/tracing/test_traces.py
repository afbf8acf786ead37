"""Reports come in by three doors, and Jaeger's API tells them. Real bytes, a real file, a real gRPC client."""

import asyncio
import gzip
import json
import sqlite3
from contextlib import asynccontextmanager

import grpc.aio
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.applications import Starlette
from tests.telemetry.traces.spans import NOW_US, TRACE, chain, span

from semafor.app.tracing import api, reports
from semafor.app.tracing.traces import Traces
from semafor.telemetry.traces.receiver import METHOD, Receiver

ZIPKIN = json.dumps([{"traceId": TRACE, "id": "1", "localEndpoint": {"serviceName": "agent"}}]).encode()


@asynccontextmanager
async def running(folder, **options):
    traces = Traces(folder / "traces.db", **options)
    writing = asyncio.create_task(traces.run())
    app = Starlette(routes=[*api.routes(traces), *reports.routes(traces)])
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://traces") as client:
            yield traces, client
    finally:
        writing.cancel()
        await asyncio.wait([writing])


def report(count: int = 1) -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number in range(count):
        scope.spans.add(trace_id=bytes.fromhex(TRACE), span_id=number.to_bytes(8, "big"), name="GET /ask")
    return request.SerializeToString()


async def test_envoys_report_over_grpc(tmp_path):
    async with running(tmp_path) as (traces, client):
        receiver = Receiver(tmp_path / "otlp.sock", traces.take)
        await receiver.start()
        try:
            async with grpc.aio.insecure_channel(f"unix:{tmp_path / 'otlp.sock'}") as channel:
                assert await channel.unary_unary(METHOD)(report()) == b""
                with pytest.raises(grpc.aio.AioRpcError, match="no ExportTraceServiceRequest"):
                    await channel.unary_unary(METHOD)(b"\xff")
        finally:
            await receiver.stop()
        found = (await client.get(f"/api/traces/{TRACE}")).json()["data"][0]
    assert [each["operationName"] for each in found["spans"]] == ["GET /ask"]


@pytest.mark.parametrize(
    ("path", "content", "headers", "code"),
    [
        ("/v1/traces", report(), {"content-type": "application/x-protobuf"}, 200),
        ("/v1/traces", gzip.compress(report(), mtime=0), {"content-encoding": "gzip"}, 200),
        ("/v1/traces", b'{"resourceSpans": []}', {"content-type": "application/json"}, 200),
        ("/api/v2/spans", ZIPKIN, {"content-type": "application/json"}, 202),
        ("/v1/traces", b"\xff", {}, 400),
        ("/v1/traces", b"{", {"content-type": "application/json; charset=utf-8"}, 400),
        ("/v1/traces", b"plain", {"content-encoding": "gzip"}, 400),
        ("/v1/traces", b"plain", {"content-encoding": "br"}, 400),
        ("/v1/traces", b"x" * (5 << 20), {}, 413),
        ("/v1/traces", gzip.compress(b"x" * (50 << 20), mtime=0), {"content-encoding": "gzip"}, 413),
        ("/api/v2/spans", b"{}", {}, 400),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
async def test_applications_report_over_http(tmp_path, path, content, headers, code):
    async with running(tmp_path) as (_, client):
        assert (await client.post(path, content=content, headers=headers)).status_code == code


async def test_what_finds_no_room_is_counted_and_said(tmp_path):
    async with running(tmp_path, max_waiting=3) as (traces, client):
        said = ExportTraceServiceResponse.FromString((await client.post("/v1/traces", content=report(10))).content)
        assert (said.partial_success.rejected_spans, traces.dropped) == (7, 7)


async def test_a_full_disk_drops_spans_and_says_so_once(tmp_path, monkeypatch, caplog):
    async with running(tmp_path) as (traces, client):

        def full(*_):
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr("semafor.telemetry.traces.store.Store.add", full)
        for _ in range(3):
            traces.take([span()])
            assert (await client.get("/api/services")).json()["data"] == []
        monkeypatch.undo()
        traces.take([span()])
        assert (await client.get("/api/services")).json()["data"] == ["agent.demo"]
    assert (traces.dropped, traces.kept, len(caplog.records)) == (3, 1, 1)


@pytest.fixture
async def jaeger(tmp_path):
    async with running(tmp_path) as (traces, client):
        traces.take(
            [
                *chain(1),
                span(trace=TRACE, name="GET /slow", duration_us=2_000_000, attributes={"guid:x-request-id": "r-1"}),
            ]
        )

        async def ask(path: str, **parameters):
            answer = await client.get(path, params=parameters)
            return answer.status_code, answer.json()

        yield ask


@pytest.mark.parametrize(
    ("path", "parameters", "data"),
    [
        ("/api/services", {}, ["agent.demo", "model.demo"]),
        ("/api/services/agent.demo/operations", {}, ["GET /ask", "GET /slow"]),
        ("/api/operations", {"service": "model.demo"}, [{"name": "GET /ask", "spanKind": "server"}]),
        (
            "/api/operations",
            {"service": "agent.demo", "spanKind": "client"},
            [{"name": "GET /ask", "spanKind": "client"}],
        ),
        ("/api/traces", {"service": "nobody"}, []),
        (
            "/api/dependencies",
            {"endTs": NOW_US // 1000 + 1000, "lookback": 5000},
            [{"parent": "agent.demo", "child": "model.demo", "callCount": 1}],
        ),
    ],
)
async def test_jaegers_answers(jaeger, path, parameters, data):
    assert await jaeger(path, **parameters) == (
        200,
        {"data": data, "total": len(data), "limit": 0, "offset": 0, "errors": None},
    )


@pytest.mark.parametrize("id_", [TRACE, TRACE.upper(), "r-1"])
async def test_a_trace_by_its_id_or_a_requests(jaeger, id_):
    code, answer = await jaeger(f"/api/traces/{id_}")
    assert (code, answer["data"][0]["traceID"]) == (200, TRACE)


async def test_traces_are_searched(jaeger):
    code, answer = await jaeger("/api/traces", service="agent.demo", minDuration="1s")
    assert (code, [trace["traceID"] for trace in answer["data"]]) == (200, [TRACE])
    code, answer = await jaeger("/api/traces", traceID=TRACE)
    assert [trace["traceID"] for trace in answer["data"]] == [TRACE]


@pytest.mark.parametrize(
    ("path", "parameters", "code"),
    [
        ("/api/traces/none", {}, 404),
        ("/api/v3/traces/none", {}, 404),
        ("/api/traces", {}, 400),
        ("/api/operations", {}, 400),
        ("/api/dependencies", {"lookback": "long"}, 400),
        ("/api/v3/traces", {"query.service_name": "a", "query.start_time_min": "yesterday"}, 400),
    ],
)
async def test_what_cannot_be_answered_is_said(jaeger, path, parameters, code):
    found, answer = await jaeger(path, **parameters)
    assert (found, answer["errors"][0]["code"]) == (code, code)


async def test_version_3(jaeger):
    assert (await jaeger("/api/v3/services"))[1] == {"services": ["agent.demo", "model.demo"]}
    assert (await jaeger("/api/v3/operations", service="model.demo"))[1] == {
        "operations": [{"name": "GET /ask", "spanKind": "server"}]
    }
    asked = {
        "query.service_name": "agent.demo",
        "query.duration_min": "1s",
        "query.start_time_min": "2026-01-31T12:00:00Z",
    }
    _, found = await jaeger("/api/v3/traces", **asked)
    assert (await jaeger(f"/api/v3/traces/{TRACE}"))[1] == found
    assert found["result"]["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] == "GET /slow"
