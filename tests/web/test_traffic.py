"""From samples of Istio's metrics to edges."""

import math

from tests.web import fake

from semafor.app.web import traffic
from semafor.app.web.graph import draw
from semafor.app.web.sources import Sample

WEB = {
    "source_workload": "web-v1",
    "source_workload_namespace": "default",
    "source_canonical_service": "web",
    "source_canonical_revision": "v1",
    "destination_workload": "api-v1",
    "destination_workload_namespace": "default",
    "destination_canonical_service": "api",
    "destination_canonical_revision": "v1",
    "destination_service_name": "api",
    "destination_service_namespace": "default",
    "request_protocol": "http",
}


def _flow(*samples):
    [flow] = traffic.flows([Sample({**WEB, **labels}, value) for labels, value in samples]).values()
    return flow


def test_a_call_that_both_ends_report_counts_once():
    flow = _flow(
        ({"reporter": "source", "response_code": "200"}, 10.0),
        ({"reporter": "destination", "response_code": "200", "connection_security_policy": "mutual_tls"}, 9.0),
    )
    assert (flow.rate, flow.secure / flow.known) == (10.0, 1.0)


def test_what_only_the_receiver_reports_counts_too():
    assert _flow(({"reporter": "destination", "response_code": "200"}, 3.0)).rate == 3.0


def test_failures_are_the_servers_answers_and_the_missing_ones():
    flow = _flow(
        ({"reporter": "source", "response_code": "200"}, 5.0),
        ({"reporter": "source", "response_code": "503"}, 2.0),
        ({"reporter": "source", "response_code": "0"}, 1.0),
        ({"reporter": "source", "response_code": "404"}, 2.0),
    )
    assert (flow.failed, flow.refused, flow.rate) == (3.0, 2.0, 10.0)


def test_a_grpc_status_tells_failure_where_the_code_does_not():
    answered = {"reporter": "source", "request_protocol": "grpc", "response_code": "200"}
    flow = _flow(({**answered, "grpc_response_status": "0"}, 1.0), ({**answered, "grpc_response_status": "14"}, 1.0))
    assert flow.failed == 1.0


async def test_each_view_draws_the_same_traffic_its_own_way():
    samples = await fake.Figures().query(traffic.request_rate(60), 0.0)
    flows = traffic.flows(samples)
    drawn = {view: draw(flows, (), view, frozenset()) for view in ("app", "versioned", "workload", "service")}
    assert {view: len(each["nodes"]) for view, each in drawn.items()} == {
        "app": 7,
        "versioned": 8,
        "workload": 8,
        "service": 7,
    }
    assert {round(sum(edge["rate"] for edge in each["edges"]), 6) for each in drawn.values()} == {133.6}


async def test_the_share_is_of_what_the_caller_sends():
    samples = await fake.Figures().query(traffic.request_rate(60), 0.0)
    edges = draw(traffic.flows(samples), (), "versioned", frozenset())["edges"]
    sent = [edge["share"] for edge in edges if "productpage" in edge["source"]]
    assert round(sum(sent), 6) == 1.0


async def test_only_the_chosen_namespaces_and_who_they_talk_to_are_drawn():
    samples = await fake.Figures().query(traffic.request_rate(60), 0.0)
    drawn = draw(traffic.flows(samples), (), "app", frozenset({"istio-system"}))
    assert [node["name"] for node in drawn["nodes"]] == ["productpage", "istio-ingressgateway"]


def test_quantiles_are_read_off_the_histogram():
    flow = traffic.Flow(buckets={10.0: 50.0, 100.0: 90.0, math.inf: 100.0})
    assert [flow.quantile(each) for each in (0.25, 0.5, 0.7, 0.9, 0.99)] == [5.0, 10.0, 55.0, 100.0, 100.0]
    assert traffic.Flow().quantile(0.5) is None


async def test_durations_of_versions_are_counted_together():
    figures = fake.Figures()
    samples = [await figures.query(asked, 0.0) for asked in (traffic.request_rate(60), *traffic.durations(60))]
    flows = traffic.flows(samples[0], (), (), *samples[1:])
    edges = {edge["target"]: edge["latency"]["p50"] for edge in draw(flows, (), "app", frozenset())["edges"]}
    assert 10 < edges["app/default/reviews/"] < 25, "nine tenths go to the fast version"
