"""Patches of the rendered configuration, one kind of thing after the other."""

import json
from typing import Any

import pytest

from semafor import ir
from semafor.base import xds
from semafor.base.problem import ObjectRef
from semafor.envoy.patch import MATCHES_NOTHING
from semafor.envoy.render import Renderer

REF = ObjectRef("EnvoyFilter", "mine", "default", "networking.istio.io")
HCM = "envoy.filters.network.http_connection_manager"
ROUTER = "envoy.filters.http.router"
TAP = "envoy.filters.http.tap"  # in every chain, and no place that patches are told by
TYPE = "type.googleapis.com/envoy.extensions."
BUFFER = {
    "name": "buffer",
    "typed_config": {"@type": f"{TYPE}filters.http.buffer.v3.Buffer", "max_request_bytes": 5},
}
ROUTES = ir.RouteTable(
    "inbound|8080||",
    (ir.VirtualHost("in", ("*",), (ir.Route(ir.RouteMatch(), ir.Forward((ir.Destination("app"),)), name="default"),)),),
)
CHAIN = ir.FilterChain(
    ir.HttpConnection("in", "inbound", routes=ROUTES),
    name="8080-http",
    match=ir.ChainMatch(port=8080, transport="tls", alpn=("istio", "h2"), server_names=("a.example.com",)),
    tls=ir.DownstreamTls(),
)
BYTES = ir.FilterChain(ir.TcpProxy("tcp", (ir.Destination("app"),)), name="tcp", match=ir.ChainMatch(port=9000))
INBOUND = ir.Listener(
    "virtualInbound", "0.0.0.0", 15006, direction="inbound", inspectors=(ir.Inspector("tls"),), chains=(CHAIN, BYTES)
)
OUTBOUND = ir.Listener("10.0.0.1_80", "10.0.0.1", 80, default_chain=BYTES)
APP = ir.Cluster("app", tls=ir.UpstreamTls(sni="old"), connect_timeout_s=2.5)


def patch(apply_to: str, operation: str, value: Any = None, **options: Any) -> ir.Patch:
    text = json.dumps(value) if value is not None else ""
    return ir.Patch(apply_to, operation, ir.Origin(REF, "spec.configPatches[0]"), value=text, **options)  # type: ignore[arg-type]


def at(**match: Any) -> dict[str, ir.PatchListener]:
    return {"listener": ir.PatchListener(**match)}


@pytest.fixture
def apply(pool):
    """The resources of one type after the patches, as JSON by name, and the problems."""
    renderer = Renderer(pool)
    plan = {"listeners": (INBOUND, OUTBOUND), "clusters": (APP,)}

    def applied(type_url: str, *patches: ir.Patch) -> tuple[dict[str, Any], list[str]]:
        node = ir.Plan("p", **plan, patches=patches)
        patched = renderer.patched(renderer.render(node), node)
        found = {}
        for name, resource in patched.resources.named(type_url).items():
            response = pool("envoy.service.discovery.v3.DeltaDiscoveryResponse").FromString(resource.frame)
            message = pool.message(type_url.rpartition("/")[2])
            found[name] = pool.document(message.FromString(response.resources[0].resource.value))
        return found, [f"{problem.reason} {problem.path}" for problem in patched.problems]

    return applied


def connection(found: dict[str, Any]) -> Any:
    return found["virtualInbound"]["filter_chains"][0]["filters"][-1]["typed_config"]


def http_filters(found: dict[str, Any]) -> list[str]:
    return [one["name"] for one in connection(found)["http_filters"] if one["name"] != TAP]


# --- HTTP filters ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "match", "expected"),
    [
        ("ADD", {}, ["buffer", ROUTER]),
        ("INSERT_FIRST", {}, ["buffer", ROUTER]),
        ("INSERT_BEFORE", {"filter": HCM, "sub_filter": ROUTER}, ["buffer", ROUTER]),
        ("INSERT_BEFORE", {"filter": HCM, "sub_filter": "nobody"}, [ROUTER]),
        ("INSERT_BEFORE", {"filter": "tcp_proxy"}, [ROUTER]),
        ("INSERT_AFTER", {"filter": HCM, "sub_filter": ROUTER}, ["buffer", ROUTER]),
        ("INSERT_FIRST", {"port": 8080}, ["buffer", ROUTER]),
        ("INSERT_FIRST", {"port": 8081}, [ROUTER]),
        ("INSERT_FIRST", {"name": "10.0.0.1_80"}, [ROUTER]),
        ("INSERT_FIRST", {"chain": "8080-http"}, ["buffer", ROUTER]),
        ("INSERT_FIRST", {"chain": "tcp"}, [ROUTER]),
        ("INSERT_FIRST", {"sni": "a.example.com"}, ["buffer", ROUTER]),
        ("INSERT_FIRST", {"sni": "b.example.com"}, [ROUTER]),
        ("INSERT_FIRST", {"transport": "tls"}, ["buffer", ROUTER]),
        ("INSERT_FIRST", {"transport": "raw_buffer"}, [ROUTER]),
        ("INSERT_FIRST", {"alpn": ("h2",)}, ["buffer", ROUTER]),
        ("INSERT_FIRST", {"alpn": ("http/1.1",)}, [ROUTER]),
        ("INSERT_FIRST", {"destination_port": 8080}, ["buffer", ROUTER]),
        ("INSERT_FIRST", {"destination_port": 9000}, [ROUTER]),
    ],
)
def test_a_filter_goes_where_the_patch_says(apply, operation, match, expected):
    found, problems = apply(xds.LISTENER, patch("HTTP_FILTER", operation, BUFFER, **at(**match)))
    assert http_filters(found) == expected
    assert problems == ([] if "buffer" in expected else [f"{MATCHES_NOTHING} spec.configPatches[0].match"])


def test_filters_are_replaced_removed_and_merged(apply):
    place = at(filter=HCM, sub_filter="buffer")
    other = {**BUFFER, "name": "other"}
    more = {"typed_config": {"@type": BUFFER["typed_config"]["@type"], "max_request_bytes": 9}}
    added = patch("HTTP_FILTER", "ADD", BUFFER)
    assert http_filters(apply(xds.LISTENER, added, patch("HTTP_FILTER", "REPLACE", other, **place))[0])[0] == "other"
    assert http_filters(apply(xds.LISTENER, added, patch("HTTP_FILTER", "REMOVE", **place))[0]) == [ROUTER]
    merged, _ = apply(xds.LISTENER, added, patch("HTTP_FILTER", "MERGE", more, **place))
    (buffer,) = [each for each in connection(merged)["http_filters"] if each["name"] == "buffer"]
    assert buffer["typed_config"]["max_request_bytes"] == 9


@pytest.mark.parametrize(
    ("filter_class", "expected"),
    [
        ("AUTHN", ["buffer", "envoy.filters.http.rbac", "istio.stats", ROUTER]),
        ("AUTHZ", ["envoy.filters.http.rbac", "buffer", "istio.stats", ROUTER]),
        ("STATS", ["envoy.filters.http.rbac", "buffer", "istio.stats", ROUTER]),
        ("UNSPECIFIED", ["envoy.filters.http.rbac", "istio.stats", "buffer", ROUTER]),
    ],
)
def test_a_class_is_a_place_among_the_filters(apply, filter_class, expected):
    rbac = {**BUFFER, "name": "envoy.filters.http.rbac"}
    stats = {**BUFFER, "name": "istio.stats"}
    first = [patch("HTTP_FILTER", "ADD", value) for value in (rbac, stats)]
    found, _ = apply(xds.LISTENER, *first, patch("HTTP_FILTER", "ADD", BUFFER, filter_class=filter_class))
    assert http_filters(found) == expected


# --- network filters, listener filters, chains, listeners ------------------------------------------------------------


def test_a_network_filter_goes_before_the_one_that_ends_the_chain(apply):
    limit = {
        "name": "limit",
        "typed_config": {
            "@type": f"{TYPE}filters.network.connection_limit.v3.ConnectionLimit",
            "stat_prefix": "limit",
            "max_connections": 1,
        },
    }
    found, _ = apply(xds.LISTENER, patch("NETWORK_FILTER", "ADD", limit, direction="outbound"))
    chain = found["10.0.0.1_80"]["default_filter_chain"]
    assert [one["name"] for one in chain["filters"]] == ["limit", "envoy.filters.network.tcp_proxy"]
    assert len(found["virtualInbound"]["filter_chains"][0]["filters"]) == 1


def test_a_network_filter_is_merged_into_what_it_holds(apply):
    timeouts = {
        "typed_config": {
            "@type": f"{TYPE}filters.network.http_connection_manager.v3.HttpConnectionManager",
            "common_http_protocol_options": {"idle_timeout": "30s"},
            "normalize_path": False,
        }
    }
    found, problems = apply(xds.LISTENER, patch("NETWORK_FILTER", "MERGE", timeouts, **at(filter=HCM)))
    assert connection(found)["common_http_protocol_options"] == {"idle_timeout": "30s"}
    assert (connection(found)["normalize_path"], connection(found)["stat_prefix"], problems) == (False, "in", [])


def test_a_patch_without_a_filter_is_about_those_of_its_type(apply):
    type_ = f"{TYPE}filters.network.http_connection_manager.v3.HttpConnectionManager"
    plain = {"typed_config": {"@type": type_, "upgrade_configs": [{"upgrade_type": "x"}]}}
    struct = {"@type": "type.googleapis.com/udpa.type.v1.TypedStruct", "type_url": type_}
    wrapped = {"typed_config": {**struct, "value": {"upgrade_configs": [{"upgrade_type": "x"}]}}}
    for value in (plain, wrapped):
        found, problems = apply(xds.LISTENER, patch("NETWORK_FILTER", "MERGE_AND_REPLACE_LIST", {"name": HCM, **value}))
        assert (connection(found)["upgrade_configs"], problems) == ([{"upgrade_type": "x"}], [])
        tcp = found["virtualInbound"]["filter_chains"][1]["filters"][0]
        assert tcp["name"] == "envoy.filters.network.tcp_proxy"


def test_listener_filters_are_inserted_and_removed(apply):
    proxy = {
        "name": "proxy",
        "typed_config": {"@type": f"{TYPE}filters.listener.proxy_protocol.v3.ProxyProtocol"},
    }
    tls = at(listener_filter="envoy.filters.listener.tls_inspector")
    before, _ = apply(xds.LISTENER, patch("LISTENER_FILTER", "INSERT_BEFORE", proxy, **tls))
    assert [one["name"] for one in before["virtualInbound"]["listener_filters"]] == [
        "proxy",
        tls["listener"].listener_filter,
    ]
    gone, _ = apply(xds.LISTENER, patch("LISTENER_FILTER", "REMOVE", **tls))
    assert "listener_filters" not in gone["virtualInbound"]


def test_chains_are_merged_added_and_removed(apply):
    merged, _ = apply(
        xds.LISTENER, patch("FILTER_CHAIN", "MERGE", {"transport_socket_connect_timeout": "4s"}, **at(chain="tcp"))
    )
    assert merged["virtualInbound"]["filter_chains"][1]["transport_socket_connect_timeout"] == "4s"
    gone, _ = apply(xds.LISTENER, patch("FILTER_CHAIN", "REMOVE", **at(port=9000)))
    assert [one["name"] for one in gone["virtualInbound"]["filter_chains"]] == ["8080-http"]
    chain = {"name": "new", "filter_chain_match": {"destination_port": 1}, "filters": []}
    more, _ = apply(xds.LISTENER, patch("FILTER_CHAIN", "ADD", chain, **at(name="virtualInbound")))
    assert [one["name"] for one in more["virtualInbound"]["filter_chains"]][-1] == "new"


def test_a_transport_socket_is_merged_into_the_one_of_its_name(apply):
    tls = {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{TYPE}transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {"tls_params": {"tls_minimum_protocol_version": "TLSv1_3"}},
        },
    }
    found, _ = apply(xds.LISTENER, patch("FILTER_CHAIN", "MERGE", {"transport_socket": tls}, **at(chain="8080-http")))
    context = found["virtualInbound"]["filter_chains"][0]["transport_socket"]["typed_config"]
    assert context["common_tls_context"]["tls_params"]["tls_minimum_protocol_version"] == "TLSv1_3"
    assert context["require_client_certificate"]


def test_listeners_are_merged_added_and_removed(apply):
    by_port = at(port=80)
    merged, _ = apply(xds.LISTENER, patch("LISTENER", "MERGE", {"per_connection_buffer_limit_bytes": 9}, **by_port))
    assert merged["10.0.0.1_80"]["per_connection_buffer_limit_bytes"] == 9
    assert "per_connection_buffer_limit_bytes" not in merged["virtualInbound"]
    gone, _ = apply(xds.LISTENER, patch("LISTENER", "REMOVE", **by_port))
    assert list(gone) == ["virtualInbound"]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 7000}}
    more, _ = apply(xds.LISTENER, patch("LISTENER", "ADD", {"name": "mine", "address": address}))
    assert more["mine"]["address"] == address


def test_inbound_listeners_carry_their_routes_themselves(apply):
    where = ir.PatchRoutes(tables=(r"inbound\|8080\|.*",), host="in", route="default", any_route=False)
    value = {"route": {"timeout": "3s"}}
    found, problems = apply(xds.LISTENER, patch("HTTP_ROUTE", "MERGE", value, routes=where, direction="inbound"))
    assert connection(found)["route_config"]["virtual_hosts"][0]["routes"][0]["route"]["timeout"] == "3s"
    assert problems == []


# --- clusters and extensions -----------------------------------------------------------------------------------------


def test_clusters_are_merged_added_and_removed(apply):
    found, _ = apply(xds.CLUSTER, patch("CLUSTER", "MERGE", {"connect_timeout": "1s"}, clusters=("a.*",)))
    assert found["app"]["connect_timeout"] == "1s"
    assert apply(xds.CLUSTER, patch("CLUSTER", "REMOVE"))[0] == {}
    found, _ = apply(xds.CLUSTER, patch("CLUSTER", "ADD", {"name": "mine", "type": "STATIC"}))
    assert list(found) == ["app", "mine"]


def test_a_cluster_keeps_its_tls_where_a_patch_changes_a_part_of_it(apply):
    context = {"@type": f"{TYPE}transport_sockets.tls.v3.UpstreamTlsContext", "sni": "new"}
    value = {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context}}
    found, _ = apply(xds.CLUSTER, patch("CLUSTER", "MERGE", value))
    made = found["app"]["transport_socket"]["typed_config"]
    assert (made["sni"], "common_tls_context" in made) == ("new", True)


def test_lists_grow_unless_they_are_to_be_replaced(apply):
    value = {"circuit_breakers": {"thresholds": [{"priority": "HIGH"}]}}
    grown, _ = apply(xds.CLUSTER, patch("CLUSTER", "MERGE", value))
    replaced, _ = apply(xds.CLUSTER, patch("CLUSTER", "MERGE_AND_REPLACE_LIST", value))
    assert len(grown["app"]["circuit_breakers"]["thresholds"]) == 2
    assert replaced["app"]["circuit_breakers"]["thresholds"] == [{"priority": "HIGH"}]


def test_an_extension_is_delivered_by_its_name(apply):
    found, problems = apply(xds.EXTENSION, patch("EXTENSION_CONFIG", "ADD", BUFFER))
    assert (found["buffer"]["typed_config"]["max_request_bytes"], problems) == (5, [])


# --- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "problems"),
    [
        (patch("CLUSTER", "MERGE", {"connect_timeout": {"much": 1}}), ["Invalid spec.configPatches[0].patch.value"]),
        (patch("HTTP_FILTER", "ADD", {"name": "x", "typed_config": {"@type": "type.googleapis.com/none.Such"}}), None),
        (patch("CLUSTER", "MERGE", {"nonsense": 1}), ["UnknownField spec.configPatches[0].patch.value"]),
        (patch("CLUSTER", "MERGE", {"connect_timeout": "0s"}), ["LeftOut spec.configPatches[0].patch.value"]),
        (patch("HTTP_FILTER", "ADD", {}), ["LeftOut spec.configPatches[0].patch.value.name"]),
    ],
)
def test_a_wrong_patch_is_left_out_and_the_others_count(apply, wrong, problems):
    right = patch("CLUSTER", "MERGE", {"alt_stat_name": "mine"})
    found, told = apply(xds.CLUSTER, wrong, right)
    assert told == (problems or ["Invalid spec.configPatches[0].patch.value"])
    assert (found["app"]["alt_stat_name"], found["app"]["connect_timeout"]) == ("mine", "2.500s")


def test_rendered_resources_are_shared_and_stay_as_they_are(pool):
    renderer = Renderer(pool)
    plain = ir.Plan("p", clusters=(APP,))
    changed = ir.Plan("p", clusters=(APP,), patches=(patch("CLUSTER", "MERGE", {"connect_timeout": "1s"}),))
    before = renderer.render(plain)
    patched = renderer.patched(renderer.render(changed), changed).resources
    again = renderer.patched(renderer.render(changed), changed).resources
    assert renderer.patched(renderer.render(plain), plain).resources == before != patched
    assert patched.named(xds.CLUSTER)["app"] is again.named(xds.CLUSTER)["app"]
