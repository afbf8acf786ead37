import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from semafor import resources
from semafor.app import inject, propagation, proxies
from semafor.app.sidecars import BOOTSTRAP, Folders, Sidecars
from semafor.envoy.render import Renderer
from semafor.kube.node.spec import Interception, Mount
from semafor.planner import Mesh
from semafor.resources.istio import envoy_filter

POD = {
    "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
    "spec": {"containers": [{"name": "web", "image": "web:v2"}]},
    "status": {"podIP": "10.244.0.9"},
}


@pytest.fixture
def tokens():
    return proxies.ProxyTokens()


@pytest.fixture
def sidecars(tokens, tmp_path, pool):
    return Sidecars(
        cast("Any", SimpleNamespace(mesh=Mesh())),
        tokens,
        Folders(tmp_path, tmp_path / "keys"),
        Renderer(pool),
    )


def annotated(name, value):
    return inject.inject({**POD, "metadata": {**POD["metadata"], "annotations": {name: value}}})


def test_the_app_gets_neither_bootstrap_nor_socket(sidecars):
    pod = inject.inject(POD)
    shown = [mount.target for mount in sidecars.sockets(pod, "web")]
    assert (sidecars.files(pod, "web"), shown) == ({}, [propagation.TARGET])


def test_the_proxy_gets_a_bootstrap_with_a_token_of_its_own(sidecars, tokens):
    bootstrap = json.loads(sidecars.files(inject.inject(POD), "istio-proxy")[BOOTSTRAP])
    assert bootstrap["node"]["id"] == "sidecar~10.244.0.9~web.shop~shop.svc.cluster.local"
    (token,) = [known for known in tokens._proxies if known in json.dumps(bootstrap)]
    assert tokens.proxy(token) == "u1"


def test_a_bootstrap_may_be_patched(sidecars):
    value = {"stats_flush_interval": "7s", "node": {"cluster": "mine"}}
    patch = {"applyTo": "BOOTSTRAP", "patch": {"operation": "MERGE", "value": value}}
    wrong = {"applyTo": "BOOTSTRAP", "patch": {"operation": "MERGE", "value": {"stats_flush_interval": "0s"}}}
    document = {"metadata": {"name": "a", "namespace": "shop"}, "spec": {"configPatches": [patch, wrong]}}
    sidecars._pipeline.mesh = Mesh.of([resources.decode(envoy_filter.KIND, document)])
    made = json.loads(sidecars.files(inject.inject(POD), "istio-proxy")[BOOTSTRAP])
    assert (made["stats_flush_interval"], made["node"]["cluster"]) == ("7s", "mine")
    assert made["node"]["id"].startswith("sidecar~")


def test_the_proxy_gets_the_daemons_sockets_and_its_keys(sidecars, tmp_path):
    socket = Mount(source=str(tmp_path / "xds.sock"), target="/var/run/semafor/xds.sock")
    traces = Mount(source=str(tmp_path / "otlp.sock"), target="/var/run/semafor/otlp.sock")
    keys = Mount(source=str(tmp_path / "keys"), target="/var/run/secrets/semafor.io/keys", read_only=True)
    assert sidecars.sockets(inject.inject(POD), "istio-proxy") == (socket, traces, keys)


def test_everything_but_the_health_port_is_intercepted(sidecars):
    assert sidecars.interception(inject.inject(POD)) == Interception(exclude_inbound_ports=(15021, 15090, 15020))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("excludeOutboundPorts", "5432, 6379", {"exclude_outbound_ports": (5432, 6379)}),
        ("excludeOutboundIPRanges", "10.1.0.0/16", {"exclude_outbound_cidrs": ("10.1.0.0/16",)}),
        ("includeOutboundIPRanges", "*", {}),
        ("includeOutboundIPRanges", "10.2.0.0/16", {"include_outbound_cidrs": ("10.2.0.0/16",)}),
        ("includeInboundPorts", "*", {}),
        ("includeInboundPorts", "8080", {"include_inbound_ports": (8080,)}),
        ("includeInboundPorts", "", {"include_inbound_ports": ()}),
        ("excludeInboundPorts", "9000", {"exclude_inbound_ports": (9000, 15021, 15090, 15020)}),
    ],
)
def test_istios_annotations_say_what_is_left_alone(sidecars, name, value, expected):
    wanted = Interception(**{"exclude_inbound_ports": (15021, 15090, 15020), **expected})
    assert sidecars.interception(annotated(f"traffic.sidecar.istio.io/{name}", value)) == wanted


def test_interception_can_be_switched_off(sidecars):
    assert sidecars.interception(annotated("sidecar.istio.io/interceptionMode", "NONE")) is None


def test_a_pod_without_a_sidecar_is_not_intercepted(sidecars):
    assert sidecars.interception(POD) is None


PYTHON, NODE = f"{propagation.TARGET}/python", f"--require={propagation.TARGET}/node/propagation.cjs"


def test_applications_are_shown_what_continues_traces(sidecars):
    pod = inject.inject(POD)
    (mount,) = sidecars.sockets(pod, "web")
    assert (mount.target, mount.read_only) == (propagation.TARGET, True)
    assert sidecars.environment(pod, "web", {}) == {"PYTHONPATH": PYTHON, "NODE_OPTIONS": NODE}
    own = {"PYTHONPATH": "/own", "NODE_OPTIONS": "--no-warnings"}
    added = {"PYTHONPATH": f"{PYTHON}:/own", "NODE_OPTIONS": f"{NODE} --no-warnings"}
    assert sidecars.environment(pod, "web", own) == added
    assert sidecars.environment(pod, "istio-proxy", {}) == {}


def test_a_pod_can_refuse_each(sidecars):
    pod = annotated("instrumentation.opentelemetry.io/inject-python", "false")
    assert sidecars.environment(pod, "web", {}) == {"NODE_OPTIONS": NODE}
    pod = annotated("instrumentation.opentelemetry.io/inject-nodejs", "false")
    assert sidecars.environment(pod, "web", {}) == {"PYTHONPATH": PYTHON}


def test_pods_without_a_sidecar_are_left_alone(sidecars):
    assert (sidecars.sockets(POD, "web"), sidecars.environment(POD, "web", {})) == ((), {})
