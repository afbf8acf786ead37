"""From documents in the store to what proxies are told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from tests.app.fakes import Delivery, identities

from semafor.app import mesh_config
from semafor.app.fleet import Fleet
from semafor.app.pipeline import Pipeline
from semafor.app.proxies import ProxyTokens
from semafor.base import xds
from semafor.envoy.render import Renderer
from semafor.kube.api.client import Client
from semafor.kube.api.objects import Objects
from semafor.kube.store import Store
from semafor.planner import Proxy, Workload
from semafor.resources.core import config_map, namespace, pod, service
from semafor.resources.discovery import endpoint_slice
from semafor.resources.istio import destination_rule, virtual_service

WEB = Proxy(id="u1", workloads=(Workload(namespace="default", name="web", ip="10.244.0.9"),))
ECHO = {"name": "echo", "namespace": "default"}
OBJECTS = (
    (service.KIND, {"metadata": ECHO, "spec": {"selector": {"app": "echo"}, "ports": [{"name": "http", "port": 80}]}}),
    (
        pod.KIND,
        {
            "metadata": {**ECHO, "labels": {"app": "echo", "version": "v1"}},
            "spec": {"containers": [{"name": "echo", "image": "echo"}]},
        },
    ),
    (
        endpoint_slice.KIND,
        {
            "metadata": {**ECHO, "labels": {"kubernetes.io/service-name": "echo"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.244.0.7"], "targetRef": {"kind": "Pod", **ECHO}}],
            "ports": [{"name": "http", "port": 8080}],
        },
    ),
    (
        destination_rule.KIND,
        {
            "metadata": ECHO,
            "spec": {"host": "echo", "subsets": [{"name": "v1", "labels": {"version": "v1"}}]},
        },
    ),
    (
        virtual_service.KIND,
        {
            "metadata": ECHO,
            "spec": {"hosts": ["echo"], "http": [{"route": [{"destination": {"host": "echo", "subset": "v1"}}]}]},
        },
    ),
)
OPTIONS = {"metadata": {"name": mesh_config.NAME, "namespace": mesh_config.NAMESPACE}}


class World:
    """A pipeline over a store in memory."""

    def __init__(self, pool) -> None:
        self.store = Store.open(None)
        self.client = Client(Objects(self.store))
        self.delivery = Delivery()
        fleet = Fleet(Renderer(pool), identities(), ProxyTokens())
        fleet.deliver_by(self.delivery)
        fleet.add(WEB)
        self.pipeline = Pipeline(self.client, fleet)

    async def until(self, ready) -> None:
        async with asyncio.timeout(10):
            await self.pipeline.everywhere(ready)


@pytest.fixture
def running(pool):
    @contextlib.asynccontextmanager
    async def run() -> AsyncIterator[World]:
        world = World(pool)
        task = asyncio.create_task(world.pipeline.run(Proxy(id="node", role="node")))
        yield world
        task.cancel()
        await asyncio.wait([task])

    return run


def whole(mesh) -> bool:
    return bool(mesh.virtual_services and mesh.destination_rules and mesh.slices and mesh.pods and mesh.services)


async def test_the_order_of_objects_makes_no_difference(running):
    told = []
    for order in (OBJECTS, OBJECTS[::-1], OBJECTS[2:] + OBJECTS[:2]):
        async with running() as world:
            for kind, obj in order:
                await world.client.create(kind, obj)
            await world.until(whole)
            told.append(world.delivery.told)
    assert told[0] == told[1] == told[2]


async def test_a_document_of_a_wrong_shape_leaves_the_others_in_force(running):
    async with running() as world:
        broken = {"metadata": {**ECHO, "name": "broken"}, "spec": {"http": "text"}}
        await world.store.create(virtual_service.KIND.resource, broken)
        for kind, obj in OBJECTS:
            await world.client.create(kind, obj)
        await world.until(whole)
        assert list(world.pipeline.mesh.virtual_services) == [("default", "echo")]


async def test_an_object_that_is_gone_is_gone_from_every_proxy(running):
    async with running() as world:
        for kind, obj in OBJECTS:
            await world.client.create(kind, obj)
        await world.until(whole)
        await world.client.delete(service.KIND, "default", "echo")
        await world.until(lambda mesh: not mesh.services)
        assert not [name for name in world.delivery.told["u1"].named(xds.CLUSTER) if "|echo." in name]


async def test_the_mesh_configuration_counts_while_it_is_there(running):
    async with running() as world:
        await world.client.create(namespace.KIND, {"metadata": {"name": mesh_config.NAMESPACE}})
        data = {"mesh": "outboundTrafficPolicy: {mode: REGISTRY_ONLY}"}
        await world.client.create(config_map.KIND, {**OPTIONS, "data": data})
        await world.until(lambda mesh: mesh.options.outbound == "REGISTRY_ONLY")
        await world.client.delete(config_map.KIND, mesh_config.NAMESPACE, mesh_config.NAME)
        await world.until(lambda mesh: mesh.options.outbound == "ALLOW_ANY")


async def test_a_mesh_configuration_that_cannot_be_read_changes_nothing(running):
    async with running() as world:
        world.pipeline._take_options("", {"data": {"mesh": "outboundTrafficPolicy: {mode: REGISTRY_ONLY}"}})
        world.pipeline._take_options("", {"data": {"mesh": "a: [b"}})
        assert world.pipeline.mesh.options.outbound == "REGISTRY_ONLY"
