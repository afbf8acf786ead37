import pytest
from tests.app.fakes import Delivery, FaultyRenderer, identities

from semafor.app.fleet import Fleet
from semafor.app.proxies import ProxyTokens
from semafor.base import xds
from semafor.planner import Mesh, Proxy, Workload

WEB = Proxy(id="u1", workloads=(Workload(namespace="shop", name="web", ip="10.244.0.9"),))
NODE = Proxy(id="node", role="node")
ROUTER = {
    "metadata": {"uid": "r1", "name": "gateway", "namespace": "istio-system"},
    "spec": {"containers": [{"name": "istio-proxy", "image": "semafor/proxyv2", "args": ["proxy", "router"]}]},
}


@pytest.fixture
def delivery() -> Delivery:
    return Delivery()


@pytest.fixture
def renderer(pool) -> FaultyRenderer:
    return FaultyRenderer(pool)


@pytest.fixture
def fleet(renderer, delivery) -> Fleet:
    made = Fleet(renderer, identities(), ProxyTokens())
    made.deliver_by(delivery)
    made.add(WEB)
    made.add(NODE)
    return made


def test_every_proxy_is_told_what_the_mesh_means_to_it(fleet, delivery):
    assert fleet.push(Mesh(), 1) == ()
    assert delivery.generations == {"u1": 1, "node": 1}
    assert "virtualOutbound" in delivery.told["u1"].named(xds.LISTENER)


def test_a_fault_of_ours_leaves_a_proxy_with_what_it_has_and_the_others_untouched(fleet, delivery, renderer):
    fleet.push(Mesh(), 1)
    renderer.broken = frozenset({"u1"})
    assert fleet.push(Mesh(), 2) == ("a fault of ours",)
    assert delivery.generations == {"u1": 1, "node": 2}


def test_it_is_complete_when_every_connected_proxy_has_the_generation(fleet, delivery):
    fleet.push(Mesh(), 2)
    assert (fleet.has(2), fleet.has(3)) == (True, False)
    delivery.forget("u1")
    delivery.forget("node")
    assert fleet.has(3)


def test_a_refusal_finds_the_plan_that_it_speaks_of(fleet):
    for generation in (1, 3):
        fleet.push(Mesh(), generation)
    assert fleet.plan("u1", 2) is not None
    assert (fleet.plan("u1", 0), fleet.plan("node"), fleet.plan("unknown")) == (None, None, None)


def test_a_gateway_listens_to_nobody_while_nothing_asks_it_to(fleet, delivery):
    assert not fleet.take(ROUTER)  # it has no address yet
    assert fleet.take({**ROUTER, "status": {"podIP": "10.244.0.5"}})
    fleet.push(Mesh(), 1)
    assert delivery.told["r1"].named(xds.LISTENER) == {}


def test_what_is_forgotten_is_told_nothing_more(fleet, delivery):
    fleet.forget("u1")
    fleet.push(Mesh(), 1)
    assert list(delivery.told) == ["node"]


def test_it_says_who_is_how_far_behind(fleet):
    fleet.push(Mesh(), 2)
    assert fleet.table(5) == [{"proxy": "web.shop", "connected": True, "behind": 3, "types": {"CDS": "SYNCED"}}]


def test_who_goes_while_all_are_told_is_told_nothing_more(fleet, delivery):
    fleet.take({**ROUTER, "status": {"podIP": "10.244.0.5"}})
    steps = fleet.push_each(Mesh(), 1)
    next(steps)
    fleet.forget("r1")
    assert (list(steps), list(delivery.told)) == ([""], ["u1", "node"])
