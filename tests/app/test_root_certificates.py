"""The ConfigMap with the mesh's roots in every namespace."""

import asyncio
import contextlib

import pytest

from semafor.app import authorities, root_certificates
from semafor.app.root_certificates import RootCertificates
from semafor.kube.api.client import Client
from semafor.kube.api.objects import Objects
from semafor.kube.controllers import reconcile
from semafor.kube.store import Store
from semafor.resources.core import config_map, namespace


class Trusted:
    def __init__(self) -> None:
        self.pem = b"first"

    def roots(self) -> bytes:
        return self.pem


@contextlib.asynccontextmanager
async def running(trusted):
    store = Store.open(None)
    client = Client(Objects(store))
    for name in (authorities.NAMESPACE, "shop", "kube-system"):
        await client.create(namespace.KIND, {"metadata": {"name": name}})
    work = asyncio.create_task(reconcile.run(RootCertificates(client, trusted.roots), client))
    try:
        yield client
    finally:
        work.cancel()
        await asyncio.wait([work])
        await store.close()


async def until(client: Client, where: str, pem: str | None) -> None:
    async with asyncio.timeout(30), contextlib.aclosing(client.watch(config_map.KIND)) as changes:
        async for _ in changes:
            if told(client, where) == pem:
                return


def told(client, where):
    found = client.get(config_map.KIND, where, root_certificates.NAME)
    return found and found["data"].get(root_certificates.FILE)


async def test_every_namespace_but_kubernetes_own_is_told_the_roots():
    async with running(Trusted()) as client:
        await until(client, "shop", "first")
        await until(client, authorities.NAMESPACE, "first")
        await client.create(namespace.KIND, {"metadata": {"name": "later"}})
        await until(client, "later", "first")
        assert told(client, "kube-system") is None
        found = client.get(config_map.KIND, "shop", root_certificates.NAME)
        assert found["metadata"]["labels"] == {"istio.io/config": "true"}


async def test_a_rotation_is_told_everywhere():
    trusted = Trusted()
    async with running(trusted) as client:
        await until(client, "shop", "first")
        trusted.pem = b"second"
        state = {"name": authorities.STATUS, "namespace": authorities.NAMESPACE}
        await client.create(config_map.KIND, {"metadata": state, "data": {"status": "announcing"}})
        await until(client, "shop", "second")


@pytest.mark.parametrize("harm", ["delete", "change"])
async def test_what_somebody_spoils_is_mended(harm):
    async with running(Trusted()) as client:
        await until(client, "shop", "first")
        if harm == "delete":
            await client.delete(config_map.KIND, "shop", root_certificates.NAME)
        else:
            await client.patch(config_map.KIND, "shop", root_certificates.NAME, {"data": {"root-cert.pem": "mine"}})
        await until(client, "shop", "first")
