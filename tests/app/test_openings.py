import asyncio
from ipaddress import IPv4Network
from pathlib import Path

from semafor.app import openings
from semafor.app.openings import Openings

HOME = IPv4Network("127.9.9.0/24")
SOCKETS = Path("/sockets")


class Cluster:
    """A client and a pipeline in one: it keeps what it is told."""

    def __init__(self, services):
        self.services = services
        self.statuses, self.events, self.opened = {}, [], []

    async def watch(self, _):
        for service in self.services:
            yield "ADDED", service
        await asyncio.Event().wait()

    async def patch(self, _, namespace, name, patch, *, subresource):
        assert subresource == "status"
        self.statuses[name] = patch["status"]["loadBalancer"]["ingress"]

    async def event(self, obj, type_, reason, message, *, source):
        self.events.append(f"{type_} {reason} {obj['metadata']['name']}: {message}")

    def open(self, found):
        self.opened = [(each.address, each.port, each.service[1], each.service_port) for each in found]


def service(name, type_, *ports):
    spec = {"type": type_, "ports": [{"port": port, "nodePort": node} for port, node in ports]}
    return {"metadata": {"namespace": "default", "name": name}, "spec": spec}


async def kept(cluster, probe=lambda _: ""):
    running = asyncio.create_task(Openings(cluster, cluster, HOME, SOCKETS, probe=probe).run())
    await asyncio.sleep(0.05)
    running.cancel()
    return {name: [each["ip"] for each in ingress] for name, ingress in cluster.statuses.items()}


async def test_each_load_balancer_has_an_address_of_its_own():
    cluster = Cluster([service("a", "LoadBalancer", (80, 30080)), service("b", "LoadBalancer", (80, 30081))])
    addresses = await kept(cluster)
    assert len({*addresses["a"], *addresses["b"]}) == 2
    own = {(addresses[name][0], 80, name, 80) for name in "ab"}
    assert set(cluster.opened) == own | {("127.0.0.1", 30080, "a", 80), ("127.0.0.1", 30081, "b", 80)}


async def test_a_load_balancer_gets_the_free_address_that_it_asks_for():
    wanted = str(HOME[77])
    asking = service("a", "LoadBalancer", (80, 30080))
    asking["spec"]["loadBalancerIP"] = wanted
    strange = service("b", "LoadBalancer", (80, 30081))
    strange["spec"]["loadBalancerIP"] = "192.0.2.1"
    addresses = await kept(Cluster([asking, strange]))
    assert addresses["a"] == [wanted]
    assert addresses["b"] not in ([wanted], ["192.0.2.1"])


async def test_services_of_the_cluster_alone_are_not_opened():
    cluster = Cluster([service("a", "ClusterIP", (80, 0)), service("b", "NodePort", (80, 30080))])
    assert await kept(cluster) == {}
    assert cluster.opened == [("127.0.0.1", 30080, "b", 80)]


async def test_a_port_that_cannot_be_had_is_told_and_its_node_port_stands_in():
    cluster = Cluster([service("a", "LoadBalancer", (80, 30080))])
    addresses = await kept(cluster, lambda place: openings.PRIVILEGED if place[1] < 1024 else "")
    assert cluster.opened == [("127.0.0.1", 30080, "a", 80)]
    assert cluster.statuses["a"][0]["ports"] == [{"port": 80, "protocol": "TCP", "error": openings.PRIVILEGED}]
    (event,) = cluster.events
    assert event.startswith(f"Warning PortNotOpen a: port 80 of {addresses['a'][0]} cannot be had")


def test_two_homes_have_different_addresses():
    assert openings.network(Path("/home/ada")) != openings.network(Path("/home/bob"))
    assert openings.network(Path("/home/ada")) == openings.network(Path("/home/ada"))
