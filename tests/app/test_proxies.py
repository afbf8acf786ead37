from msgspec.structs import replace

from semafor.app import inject, proxies, proxy_config
from semafor.planner import Proxy, Workload

POD = {
    "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "labels": {"b": "2", "a": "1"}},
    "spec": {"containers": [{"name": "web", "image": "web:v2", "ports": [{"name": "http", "containerPort": 8080}]}]},
    "status": {"podIP": "10.244.0.9"},
}
ROUTER = {"name": "istio-proxy", "image": "semafor/proxyv2:1", "args": ["proxy", "router"]}


def test_a_sidecar_is_the_proxy_of_its_pod():
    workload = Workload(
        namespace="shop",
        name="web",
        ip="10.244.0.9",
        labels=(("a", "1"), ("b", "2")),
        service_account="default",
        ports=(("http", 8080),),
        of="web",
    )
    sidecar = proxies.proxy({**inject.inject(POD), "metadata": POD["metadata"]})
    assert sidecar is not None
    assert dict(sidecar.metadata)["NAMESPACE"] == "shop"
    assert replace(sidecar, metadata=()) == Proxy(id="u1", role="sidecar", workloads=(workload,), metadata=())


def test_a_pod_without_an_address_is_no_proxy_yet():
    assert proxies.proxy({**inject.inject(POD), "status": {}}) is None


def test_a_pod_without_a_sidecar_is_no_proxy():
    assert (proxies.role(POD), proxies.proxy(POD)) == ("", None)


def test_the_role_is_what_the_proxys_container_is_started_as():
    assert proxies.role({"spec": {"containers": [ROUTER]}}) == "router"


def test_a_token_stands_for_its_proxy_until_it_is_revoked():
    tokens = proxies.ProxyTokens()
    mine, other = tokens.mint("a"), tokens.mint("b")
    tokens.revoke("a")
    assert [tokens.proxy(token) for token in (mine, other, "guessed")] == [None, "b", None]


def test_a_life_of_certificates_that_is_not_understood_is_named():
    said = {"proxy.istio.io/config": 'proxyMetadata: {SECRET_TTL: "soon", SECRET_GRACE_PERIOD_RATIO: "0.5"}'}
    pod = {"metadata": {"name": "web", "namespace": "shop", "annotations": said}, "spec": {"containers": []}}
    settings = proxy_config.of(pod, (), {}, "istio-system")
    (problem,) = proxies.problems(inject.inject(pod, settings))
    assert str(problem).startswith("Pod shop/web env of its proxy: SECRET_TTL counts as absent: ")
