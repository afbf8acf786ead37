"""What parts of a plan become, as JSON documents in Envoy's own words."""

import pytest

from semafor import ir
from semafor.base import protobuf, xds
from semafor.base.problem import ObjectRef
from semafor.envoy.render import Renderer, actions, clusters, dns, endpoints, listener, matches, routes, tls


@pytest.fixture
def cluster(pool):
    """The document of a cluster, without what every cluster has."""

    def document(**fields) -> dict:
        made = pool.document(clusters.cluster(pool, ir.Cluster("c", **fields)))
        for name in ("name", "connect_timeout", "circuit_breakers"):
            made.pop(name)
        return made

    return document


@pytest.fixture
def route(pool):
    """The document of a route with this action, without its match."""

    def document(action, **fields) -> dict:
        host = ir.VirtualHost("h", ("*",), (ir.Route(ir.RouteMatch(), action, **fields),))
        made = pool.document(routes.virtual_host(pool, host))["routes"][0]
        assert made.pop("match") == {"prefix": "/"}
        return made

    return document


def forward(**fields) -> ir.Forward:
    return ir.Forward((ir.Destination("c"),), **fields)


# --- matches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "rendered"),
    [
        (ir.PathMatch(), {"prefix": "/"}),
        (ir.PathMatch("exact", "/a"), {"path": "/a"}),
        (ir.PathMatch("segment_prefix", "/a/"), {"path_separated_prefix": "/a"}),
        (ir.PathMatch("segment_prefix", "/"), {"prefix": "/"}),
        (ir.PathMatch("regex", "/v[12]"), {"safe_regex": {"regex": "/v[12]"}}),
        (ir.PathMatch("prefix", "/A", ignore_case=True), {"prefix": "/A", "case_sensitive": {"value": False}}),
        (
            ir.PathMatch("regex", "/a", ignore_case=True),
            {"safe_regex": {"regex": "(?i)/a"}, "case_sensitive": {"value": False}},
        ),
    ],
)
def test_a_path_is_matched_in_the_way_that_was_meant(path, rendered):
    assert matches.route_match(ir.RouteMatch(path)) == rendered


@pytest.mark.parametrize(
    ("header", "rendered"),
    [
        (ir.HeaderMatch("x"), {"name": "x", "invert_match": False, "present_match": True}),
        (ir.HeaderMatch("x", inverted=True), {"name": "x", "invert_match": True, "present_match": True}),
        (
            ir.HeaderMatch("x", ir.StringMatch("suffix", "z", ignore_case=True)),
            {"name": "x", "invert_match": False, "string_match": {"suffix": "z", "ignore_case": True}},
        ),
        (
            ir.HeaderMatch("x", ir.StringMatch("regex", "a+", ignore_case=True)),
            {"name": "x", "invert_match": False, "string_match": {"safe_regex": {"regex": "(?i)a+"}}},
        ),
    ],
)
def test_a_header_is_matched_in_the_way_that_was_meant(header, rendered):
    assert matches.route_match(ir.RouteMatch(headers=(header,)))["headers"] == [rendered]


def test_query_parameters_are_matched():
    query = (ir.QueryMatch("a"), ir.QueryMatch("b", ir.StringMatch("exact", "1")))
    assert matches.route_match(ir.RouteMatch(query=query))["query_parameters"] == [
        {"name": "a", "present_match": True},
        {"name": "b", "string_match": {"exact": "1", "ignore_case": False}},
    ]


# --- actions ---------------------------------------------------------------------------------------------------------


def test_one_destination_is_a_cluster_and_several_are_weighted(route):
    assert route(forward())["route"] == {"cluster": "c", "timeout": "0s"}
    split = ir.Forward((ir.Destination("a", 90), ir.Destination("b", 10)))
    assert route(split)["route"]["weighted_clusters"] == {
        "clusters": [{"name": "a", "weight": 90}, {"name": "b", "weight": 10}]
    }


def test_changes_of_one_destination_are_its_own(route):
    one = ir.Forward((ir.Destination("a", request=ir.HeaderOps(remove=("x",)), host="b.example"),))
    weighted = route(one)["route"]["weighted_clusters"]["clusters"]
    expected = {"name": "a", "weight": 1, "request_headers_to_remove": ["x"], "host_rewrite_literal": "b.example"}
    assert weighted == [expected]


def test_headers_are_removed_set_and_added(route):
    ops = ir.HeaderOps(remove=("r",), set=(("s", "1"),), add=(("a", "2"),))
    made = route(forward(), request=ops)
    assert made["request_headers_to_remove"] == ["r"]
    how = {each["header"]["key"]: each.get("append_action") for each in made["request_headers_to_add"]}
    assert how == {"s": "OVERWRITE_IF_EXISTS_OR_ADD", "a": None}  # appending is the default, which is not shown


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("100%", "100%%"),
        ("%", "%%"),
        ("50% of %REQ(x)%", "50%% of %REQ(x)%"),
        ("%%", "%%"),
        ("%START_TIME%", "%START_TIME%"),
        ("%REQ(:path):10%", "%REQ(:path):10%"),
        ("plain", "plain"),
    ],
)
def test_a_stray_percent_is_sent_as_it_is(written, sent):
    fields = actions.headers(ir.HeaderOps(set=(("x", written),)), ir.HeaderOps())
    assert fields["request_headers_to_add"][0]["header"]["value"] == sent


def test_retries_are_rendered_in_full(route):
    retry = ir.Retry(
        attempts=3,
        retry_on=("5xx", "retriable-status-codes"),
        status_codes=(503,),
        per_try_timeout_s=2.0,
        backoff_s=0.025,
        remote_localities=True,
    )
    made = route(forward(timeout_s=5.0, retry=retry))["route"]
    predicates = [each["name"] for each in made["retry_policy"].pop("retry_host_predicate")]
    assert predicates == ["envoy.retry_host_predicates.previous_hosts"]
    assert made["retry_policy"].pop("retry_priority")["name"] == "envoy.retry_priorities.previous_priorities"
    assert made == {
        "cluster": "c",
        "timeout": "5s",
        "retry_policy": {
            "retry_on": "5xx,retriable-status-codes",
            "num_retries": 3,
            "retriable_status_codes": [503],
            "per_try_timeout": "2s",
            "retry_back_off": {"base_interval": "0.025s"},
            "host_selection_retry_max_attempts": "5",
        },
    }


@pytest.mark.parametrize(
    ("rewrite", "rendered"),
    [
        (ir.Rewrite(prefix="/b"), {"prefix_rewrite": "/b"}),
        (ir.Rewrite(host="h"), {"host_rewrite_literal": "h"}),
        (ir.Rewrite(path=r"/a\1"), {"regex_rewrite": {"pattern": {"regex": "^.+$"}, "substitution": r"/a\\1"}}),
        (
            ir.Rewrite(regex=ir.RegexRewrite("^/(.*)", r"/x/\1")),
            {"regex_rewrite": {"pattern": {"regex": "^/(.*)"}, "substitution": r"/x/\1"}},
        ),
    ],
)
def test_a_rewrite_changes_what_was_meant(route, rewrite, rendered):
    assert route(forward(rewrite=rewrite))["route"] == {"cluster": "c", "timeout": "0s", **rendered}


@pytest.mark.parametrize(
    ("key", "rendered"),
    [
        (ir.HashKey("header", "x-user"), {"header": {"header_name": "x-user"}}),
        (ir.HashKey("cookie", "u", "/", 0.0), {"cookie": {"name": "u", "path": "/", "ttl": "0s"}}),
        (ir.HashKey("cookie", "u"), {"cookie": {"name": "u"}}),
        (ir.HashKey("source_ip"), {"connection_properties": {"source_ip": True}}),
        (ir.HashKey("query", "q"), {"query_parameter": {"name": "q"}}),
    ],
)
def test_a_hash_key_is_rendered(route, key, rendered):
    assert route(forward(hash_keys=(key,)))["route"]["hash_policy"] == [rendered]


def test_a_redirect_keeps_what_it_does_not_name(route):
    made = route(ir.Redirect(308, scheme="https", port=8443))["redirect"]
    assert made == {"response_code": "PERMANENT_REDIRECT", "scheme_redirect": "https", "port_redirect": 8443}


def test_a_mistaken_route_fails_visibly(route):
    assert route(ir.Fail("no subset v9"))["direct_response"] == {
        "status": 503,
        "body": {"inline_string": "no subset v9"},
    }


# --- clusters --------------------------------------------------------------------------------------------------------


def test_endpoints_come_by_the_clusters_own_name(cluster):
    assert cluster()["eds_cluster_config"] == {
        "eds_config": {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "5s"}
    }


def test_no_limit_is_the_greatest_number_and_not_envoys_default(pool):
    made = pool.document(clusters.cluster(pool, ir.Cluster("c", limits=ir.ConnectionLimits(max_connections=100))))
    most = 2**32 - 1
    assert made["circuit_breakers"]["thresholds"] == [
        {"max_connections": 100, "max_pending_requests": most, "max_requests": most, "max_retries": most}
    ]


@pytest.mark.parametrize(
    ("balancer", "rendered"),
    [
        (ir.SimpleBalancer("round_robin"), {}),
        (ir.SimpleBalancer("random"), {"lb_policy": "RANDOM"}),
        (ir.ConsistentHash(), {"lb_policy": "RING_HASH", "ring_hash_lb_config": {"minimum_ring_size": "1024"}}),
        (ir.ConsistentHash("maglev", 7), {"lb_policy": "MAGLEV", "maglev_lb_config": {"table_size": "7"}}),
    ],
)
def test_a_balancer_is_rendered(cluster, balancer, rendered):
    made = cluster(balancer=balancer)
    assert {name: value for name, value in made.items() if "lb_" in name} == rendered


def test_a_slow_start_belongs_to_its_balancer(cluster):
    made = cluster(balancer=ir.SimpleBalancer("round_robin", ir.SlowStart(30.0)))
    assert made["round_robin_lb_config"]["slow_start_config"]["slow_start_window"] == "30s"


def test_tests_of_outlier_detection_that_were_not_asked_for_are_off(cluster):
    made = cluster(outlier=ir.OutlierDetection(consecutive_5xx=5, max_ejection_percent=50))["outlier_detection"]
    enforced = {name: value for name, value in made.items() if name.startswith("enforcing_consecutive")}
    assert made["consecutive_5xx"] == 5
    assert enforced == {
        "enforcing_consecutive_5xx": 100,
        "enforcing_consecutive_gateway_failure": 0,
        "enforcing_consecutive_local_origin_failure": 0,
    }


def test_automatic_mutual_tls_is_for_endpoints_that_offer_it(cluster):
    made = cluster(tls=ir.UpstreamTls(sni="s", only_mesh_endpoints=True))
    kinds = [(each["match"], each["transport_socket"]["name"]) for each in made["transport_socket_matches"]]
    assert kinds == [({"tlsMode": "istio"}, "envoy.transport_sockets.tls"), ({}, "envoy.transport_sockets.raw_buffer")]


@pytest.mark.parametrize(("san", "kind"), [("spiffe://a/ns/b", "URI"), ("db.example.com", "DNS")])
def test_the_servers_identity_is_checked_by_its_kind(pool, san, kind):
    made = pool.document(tls.upstream(pool, ir.UpstreamTls(sans=(san,)))["typed_config"])
    context = made["common_tls_context"]["combined_validation_context"]["default_validation_context"]
    assert context == {"match_typed_subject_alt_names": [{"san_type": kind, "matcher": {"exact": san}}]}


def test_a_mark_is_put_on_connections(cluster):
    option = {"level": "1", "name": "36", "int_value": "1338"}
    assert cluster(mark=1338)["upstream_bind_config"] == {"socket_options": [option]}


def test_endpoints_say_whether_a_sidecar_answers(pool):
    group = ir.LocalityEndpoints((ir.Endpoint("10.0.0.1", 80, tls_mode="istio"), ir.Endpoint(pipe="/x", weight=3)))
    made = pool.document(endpoints.message(pool, ir.EndpointSet("c", (group,))))
    mesh, pipe = made["endpoints"][0]["lb_endpoints"]
    assert mesh["metadata"] == {"filter_metadata": {"envoy.transport_socket_match": {"tlsMode": "istio"}}}
    assert pipe == {"endpoint": {"address": {"pipe": {"path": "/x"}}}, "load_balancing_weight": 3}


# --- listeners -------------------------------------------------------------------------------------------------------


def bytes_chain(**fields) -> ir.FilterChain:
    return ir.FilterChain(ir.TcpProxy("t", (ir.Destination("c"),)), **fields)


def test_a_listener_that_hands_over_does_not_look_for_the_original_destination_twice(pool):
    node = ir.Listener("l", "0.0.0.0", 15001, hand_over=True, inspectors=(ir.Inspector("original_dst"),))
    made = pool.document(listener.listener(pool, node))
    assert (made["use_original_dst"], "listener_filters" in made) == (True, False)


def test_an_inspector_leaves_the_ports_alone_that_it_should_skip(pool):
    node = ir.Listener("l", "::", 1, inspectors=(ir.Inspector("http", (25, 3306)),), chains=(bytes_chain(),))
    made = pool.document(listener.listener(pool, node))["listener_filters"][0]["filter_disabled"]
    ports = [rule["destination_port_range"]["start"] for rule in made["or_match"]["rules"]]
    assert ports == [25, 3306]


@pytest.mark.parametrize(("text", "bits"), [("10.0.0.0/8", 8), ("10.0.0.1", 32), ("fd00::1", 128)])
def test_a_range_without_bits_is_one_address(pool, text, bits):
    chain = bytes_chain(match=ir.ChainMatch(ranges=(text,)))
    made = pool.document(listener.listener(pool, ir.Listener("l", "0.0.0.0", 1, chains=(chain,))))
    assert made["filter_chains"][0]["filter_chain_match"]["prefix_ranges"][0]["prefix_len"] == bits


def connection(pool, **fields) -> dict:
    node = ir.Listener("l", "0.0.0.0", 1, chains=(ir.FilterChain(ir.HttpConnection("h", "inbound", **fields)),))
    return pool.document(listener.listener(pool, node))["filter_chains"][0]["filters"][0]["typed_config"]


def test_the_callers_identity_is_taken_from_its_certificate_or_removed(pool):
    shown = connection(pool, rds="80", forward_client_identity=True)
    hidden = connection(pool, rds="80")
    assert shown["forward_client_cert_details"] == "SANITIZE_SET"
    assert "forward_client_cert_details" not in hidden  # SANITIZE is the default


def test_the_router_is_the_last_filter(pool):
    assert connection(pool, rds="80")["http_filters"][-1]["name"] == "envoy.filters.http.router"


def test_questions_for_names_are_passed_on(pool):
    (relay,) = pool.document(dns.listeners(pool)[0])["listener_filters"]
    assert relay["typed_config"]["matcher"]["on_no_match"]["action"]["typed_config"]["cluster"] == "dns-udp"


def test_resolvers_are_not_asked_on_the_port_that_comes_back_here(pool):
    addresses = [
        made["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
        for made in map(pool.document, dns.clusters(pool, ir.DnsRelay(("10.96.0.10",))))
    ]
    assert addresses == [
        {"protocol": "UDP", "address": "10.96.0.10", "port_value": 15053},
        {"address": "10.96.0.10", "port_value": 15053},
    ]


# --- the whole -------------------------------------------------------------------------------------------------------


def plan(timeout_s: float = 1.0) -> ir.Plan:
    """Made anew at each call, so that nothing is the same object by accident."""
    hosts = tuple(
        ir.VirtualHost(name, (name,), (ir.Route(ir.RouteMatch(), forward(timeout_s=timeout_s if name == "a" else 0)),))
        for name in ("a", "b")
    )
    sets = (ir.EndpointSet("c", (ir.LocalityEndpoints((ir.Endpoint("10.0.0.1", 80),)),)),)
    return ir.Plan("p", routes=(ir.RouteTable("80", hosts),), clusters=(ir.Cluster("c"),), endpoints=sets)


def test_equal_plans_give_the_very_same_parts(pool):
    renderer = Renderer(pool)
    one, two = renderer.render(plan()), renderer.render(plan())
    assert all(one.named(type_url) is two.named(type_url) for type_url in one.types)


def test_a_changed_route_changes_its_table_and_nothing_else(pool):
    renderer = Renderer(pool)
    one, two = renderer.render(plan()), renderer.render(plan(timeout_s=9.0))
    changed = [type_url for type_url in one.types if one.named(type_url) != two.named(type_url)]
    assert changed == [xds.ROUTES]


def parsed(pool, resource: xds.Resource):
    """The message within a framed resource."""
    framed = dict(protobuf.fields(dict(protobuf.fields(resource.frame))[2]))
    name = resource.type_url.rpartition("/")[2]
    return pool.message(name).FromString(dict(protobuf.fields(framed[2]))[2])


def test_a_joined_table_reads_like_one_that_was_made_whole(pool):
    resource = Renderer(pool).render(plan()).named(xds.ROUTES)["80"]
    assert parsed(pool, resource) == routes.table(pool, plan().routes[0])


def test_a_virtual_host_that_envoy_would_refuse_answers_with_the_reason(pool):
    bad = ir.VirtualHost(
        "bad",
        ("bad.example",),
        (ir.Route(ir.RouteMatch(), ir.DirectResponse(999)),),
        origin=ir.Origin(ObjectRef(kind="VirtualService", name="v", namespace="n"), "spec.http[0]"),
    )
    node = ir.Plan("p", routes=(ir.RouteTable("80", (bad, plan().routes[0].hosts[0])),))
    renderer = Renderer(pool)
    table = parsed(pool, renderer.render(node).named(xds.ROUTES)["80"])
    (problem,) = renderer.problems(node)
    assert [host.routes[0].WhichOneof("action") for host in table.virtual_hosts] == ["direct_response", "route"]
    assert table.virtual_hosts[0].routes[0].direct_response.status == 503
    assert (str(problem.ref), problem.path, problem.reason) == ("VirtualService n/v", "spec.http[0]", "RefusedByEnvoy")


def test_copies_have_the_host_of_the_request_and_no_trace(route):
    made = route(forward(mirrors=(ir.Mirror(cluster="m", percent=50.0),)))["route"]["request_mirror_policies"]
    share = {"default_value": {"numerator": 500_000, "denominator": "MILLION"}}
    common = {"disable_shadow_host_suffix_append": True, "trace_sampled": False}
    assert made == [{"cluster": "m", "runtime_fraction": share, **common}]
