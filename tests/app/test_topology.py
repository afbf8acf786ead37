import pytest

from semafor.app import mesh_config, topology
from semafor.ir import Edge


def test_the_mesh_configuration_says_what_stands_in_front_of_gateways():
    said = {"defaultConfig": {"gatewayTopology": {"numTrustedProxies": 2, "forwardClientCertDetails": "FORWARD_ONLY"}}}
    options, problems = mesh_config.read(said)
    assert (options.edge, problems) == (Edge(trusted_proxies=2, client_certificates="forward_only"), ())


def test_a_pods_annotation_says_it_for_the_pod():
    annotations = {topology.ANNOTATION: "gatewayTopology: {numTrustedProxies: 1}"}
    assert topology.of_pod(annotations) == Edge(trusted_proxies=1)


@pytest.mark.parametrize("text", ["", "{", "[]", "gatewayTopology: 3"])
def test_an_annotation_that_says_nothing_of_it_counts_for_nothing(text):
    assert topology.of_pod({topology.ANNOTATION: text}) is None
