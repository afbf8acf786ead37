"""Traces are kept within a bound, survive a restart, and are found by what they are."""

import pytest
from tests.telemetry.traces.spans import NOW_US, TRACE, chain, span

from semafor.telemetry.traces.span import Event
from semafor.telemetry.traces.store import MAX_SPANS_OF_TRACE, Call, Query, Store


@pytest.fixture
def store(tmp_path):
    opened = Store.open(tmp_path / "traces.db")
    yield opened
    opened.close()


def found(store, **query):
    return [each[0].trace for each in store.search(Query(**query))]


def test_a_trace_comes_back_as_it_came_in(store):
    told = span(
        attributes={"http.status_code": 503, "retried": True, "zones": ["a", "b"], "load": 0.5},
        resource={"host.name": "agent-1"},
        events=(Event("gave up", NOW_US + 7, {"after": 3}),),
        failed=True,
        message="no healthy upstream",
    )
    assert store.add([told]) == 1
    assert store.trace(TRACE) == (told,)


def test_a_trace_is_found_by_the_request_id_that_its_proxy_told(store):
    store.add(chain(1))
    told = span(attributes={"guid:x-request-id": "8d0f1c9e-aaaa-9bbb-8ccc-0123456789ab"})  # Envoy has put the 9 there
    store.add([told])
    assert [each.trace for each in store.trace("8d0f1c9e-aaaa-4bbb-8ccc-0123456789ab")] == [TRACE]
    assert store.trace("8d0f1c9e-aaaa-9bbb-8ccc-0123456789ab") == (told,)
    assert store.trace("nobody's") == ()


def test_a_span_that_is_reported_twice_counts_once(store):
    store.add([span()])
    assert store.add([span()]) == 0
    assert len(store) == 1


def test_short_ids_are_the_last_digits_of_long_ones(store):
    store.add([span(trace="00000000000000000123456789abcdef")])
    assert store.trace("123456789ABCDEF")


def test_the_oldest_arrivals_go_when_there_are_too_many(tmp_path):
    store = Store.open(tmp_path / "traces.db", max_spans=6)
    for number in range(5):
        store.add(chain(number, start_us=NOW_US - number))  # a clock that runs backwards changes nothing
    assert (len(store), found(store)) == (6, [f"{number:032x}" for number in (2, 3, 4)])


def test_one_trace_cannot_push_out_all_others(store):
    store.add(chain(1))
    store.add(span(number, name="loop") for number in range(MAX_SPANS_OF_TRACE + 10))
    assert (len(store.trace(TRACE)), len(store.trace("1"))) == (MAX_SPANS_OF_TRACE, 2)


def test_what_is_kept_survives_a_restart(tmp_path):
    first = Store.open(tmp_path / "traces.db")
    first.add(chain(1))
    second = Store.open(tmp_path / "traces.db")
    second.add(chain(2))
    assert (len(second), len(found(second))) == (4, 2)
    assert (tmp_path / "traces.db").stat().st_mode & 0o777 == 0o600


def test_a_broken_file_is_put_aside(tmp_path):
    (tmp_path / "traces.db").write_bytes(b"no database at all" * 1000)
    store = Store.open(tmp_path / "traces.db")
    assert store.add(chain(1)) == 2
    assert (tmp_path / "traces.broken").exists()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["slow", "failed", "plain"]),
        ({"limit": 1}, ["slow"]),
        ({"service": "model.demo"}, ["slow"]),
        ({"service": "nobody"}, []),
        ({"operation": "GET /health"}, ["plain"]),
        ({"min_us": 10_000}, ["slow"]),
        ({"max_us": 10_000}, ["failed", "plain"]),
        ({"since_us": NOW_US + 1}, ["slow", "failed"]),
        ({"until_us": NOW_US + 1}, ["failed", "plain"]),
        ({"tags": (("http.status_code", "503"),)}, ["failed"]),
        ({"tags": (("http.status_code", "503"), ("http.method", "GET"))}, []),
        ({"tags": (("error", "true"),)}, ["failed"]),
        ({"tags": (("error", "false"),)}, ["slow", "plain"]),
        ({"tags": (("node", "laptop"),)}, ["plain"]),
        ({"tags": (("reason", "reset"),)}, ["slow"]),
        ({"tags": (("cached", "true"),)}, ["plain"]),
    ],
)
def test_a_search_finds_the_traces_with_such_a_span(store, query, expected):
    ids = {"plain": f"{1:032x}", "failed": f"{2:032x}", "slow": f"{3:032x}"}
    store.add(
        [
            span(trace=ids["plain"], name="GET /health", resource={"node": "laptop"}, attributes={"cached": True}),
            span(trace=ids["failed"], start_us=NOW_US + 1, failed=True, attributes={"http.status_code": 503}),
            span(
                trace=ids["slow"],
                start_us=NOW_US + 2,
                service="model.demo",
                duration_us=20_000,
                events=(Event("closed", NOW_US, {"reason": "reset"}),),
            ),
        ]
    )
    assert found(store, **query) == [ids[name] for name in expected]


def test_services_and_what_they_did(store):
    store.add(chain(1))
    assert store.services() == ["agent.demo", "model.demo"]
    assert store.operations("agent.demo") == [("GET /ask", "client")]
    assert store.operations("agent.demo", "server") == []


def test_who_called_whom_how_often(store):
    for number in range(3):
        store.add(chain(number))
    assert store.calls(NOW_US, NOW_US + 1_000_000) == [Call("agent.demo", "model.demo", 3)]
    assert store.calls(0, NOW_US) == []
