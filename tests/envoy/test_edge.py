"""How gateways take in what comes from outside, in Envoy's words."""

import pytest

from semafor import ir
from semafor.envoy import secrets
from semafor.envoy.pool import Pool
from semafor.envoy.render import listener

_SAID = {"subject": True, "cert": True, "dns": True, "uri": True}


def connection(pool: Pool, edge: ir.Edge) -> dict:
    node = ir.HttpConnection("h", "outbound", rds="http.80", edge=edge, http_10=False, server_name="istio-envoy")
    chain = ir.FilterChain(filter=node)
    made = pool.document(listener.listener(pool, ir.Listener("l", "0.0.0.0", 1, chains=(chain,))))
    found: dict = made["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def test_the_caller_is_who_the_last_trusted_proxy_saw(pool):
    made = connection(pool, ir.Edge(trusted_proxies=2))
    assert (made["use_remote_address"], made["xff_num_trusted_hops"]) == (True, 2)
    assert made["http_protocol_options"] == {}  # no HTTP/1.0
    assert made["server_name"] == "istio-envoy"


@pytest.mark.parametrize(
    ("said", "told"),
    [("sanitize", None), ("forward_only", None), ("sanitize_set", _SAID), ("append_forward", _SAID)],
)
def test_certificates_of_clients_are_told_as_the_topology_says(pool, said, told):
    made = connection(pool, ir.Edge(client_certificates=said))
    assert made.get("forward_client_cert_details", "SANITIZE") == said.upper()
    assert made.get("set_current_client_cert_details") == told


def test_a_credential_is_a_secret_that_hides_its_key(pool):
    node = ir.Credential(name="kubernetes://a/b", certificate="CERT", key="KEY")
    assert "KEY" not in repr(node)
    assert secrets.credential(pool, node).name == "kubernetes://a/b"
