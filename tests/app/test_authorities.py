"""One authority follows another in a mesh whose proxies take what they are told, or do not."""

import asyncio
import base64
import json
from typing import Any, cast

import pytest
from tests.ca import made

from semafor import planner
from semafor.app import authorities
from semafor.app.authorities import Authorities, Parts
from semafor.app.identities import Identities, Wanted
from semafor.ca import book, keys, plugged
from semafor.ca.authority import Authority
from semafor.kube.api.client import Client
from semafor.kube.api.objects import Objects
from semafor.kube.store import Store
from semafor.resources.core import config_map, namespace, secret

SYSTEM = {"metadata": {"name": authorities.NAMESPACE}}


class Mesh:
    """Proxies, the rules they get, and the authorities under test. `slow` proxies lack everything."""

    def __init__(self, folder, pool, start) -> None:
        self.now = start
        self.folder = folder
        self.client = Client(Objects(Store.open(None)))
        self.identities = Identities(book.open_(folder, now=start), pool, now=lambda: self.now)
        self.slow: set[str] = set()
        self.mesh = planner.Mesh()

    def lacking(self, _generation: int) -> tuple[str, ...]:
        return tuple(self.slow)

    def name(self, proxy: str) -> str:
        return f"shop/{proxy}"

    def again(self) -> int:
        return 1

    def start(self) -> "asyncio.Task[None]":
        parts = Parts(self.client, self.identities, self, self)
        known = book.open_(self.folder, now=self.now)
        self.identities.follow(known)
        self.authorities = Authorities(self.folder, known, parts, now=lambda: self.now, settle_s=0.01)
        self.authorities.offer("", None)
        return asyncio.create_task(self.authorities.run())

    def enrol(self) -> None:
        """What enrolment does."""
        self.identities.want("web", Wanted("spiffe://cluster.local/ns/shop/sa/web"))
        self.identities.certify("web", keys.request(keys.generate()), "k.pem")

    async def plug(self, files: dict[str, bytes]) -> None:
        data = {name: base64.b64encode(pem).decode() for name, pem in files.items()}
        found = {"metadata": {"name": "cacerts", "namespace": authorities.NAMESPACE}, "data": data}
        if self.client.get(secret.KIND, authorities.NAMESPACE, "cacerts"):
            await self.client.update(secret.KIND, found)
        else:
            await self.client.create(secret.KIND, found)

    async def wish(self, text: str) -> None:
        patch = {"metadata": {"annotations": {authorities.ROTATE: text}}}
        await self.client.patch(config_map.KIND, authorities.NAMESPACE, authorities.STATUS, patch)

    def told(self) -> dict[str, Any]:
        found = self.client.get(config_map.KIND, authorities.NAMESPACE, authorities.STATUS)
        return cast("dict[str, Any]", json.loads(found["data"]["status"])) if found else {}

    async def until(self, **wanted: Any) -> dict[str, Any]:
        async with asyncio.timeout(20):
            while not wanted.items() <= self.told().items():  # noqa: ASYNC110 - it reads what people read
                await asyncio.sleep(0.01)
        return self.told()


@pytest.fixture
async def mesh(tmp_path, pool, start):
    made_ = Mesh(tmp_path, pool, start)
    await made_.client.create(namespace.KIND, SYSTEM)
    running = made_.start()
    await made_.until(phase="stable")
    yield made_
    running.cancel()


async def test_a_wish_brings_a_new_root_when_every_proxy_has_a_new_certificate(mesh):
    mesh.enrol()
    before = mesh.told()
    await mesh.wish("once")
    await mesh.until(phase="replacing", rotation="once", waitingFor=["shop/web"])
    mesh.enrol()
    after = await mesh.until(phase="stable")
    assert after["signer"]["id"] != before["signer"]["id"]
    assert [root["id"] for root in after["trusted"]] == [after["signer"]["id"]]


async def test_while_a_proxy_lacks_the_new_root_nothing_is_signed_with_it(mesh):
    mesh.slow = {"web"}
    before = mesh.told()
    await mesh.wish("once")
    told = await mesh.until(phase="announcing", waitingFor=["shop/web"])
    assert told["signer"] == before["signer"]
    assert len(told["trusted"]) == 2


async def test_a_secret_is_followed_when_it_comes_when_it_changes_and_when_it_goes(mesh):
    own = mesh.told()["signer"]["id"]
    signers = []
    for files in (made.cacerts(mesh.now), made.cacerts(mesh.now)):
        await mesh.plug(files)
        await mesh.until(phase="announcing")
        signers.append((await mesh.until(phase="stable"))["signer"]["id"])
    await mesh.client.delete(secret.KIND, authorities.NAMESPACE, "cacerts")
    await mesh.until(phase="announcing")
    signers.append((await mesh.until(phase="stable"))["signer"]["id"])
    assert len(set(signers)) == 3
    assert signers[-1] == own


async def test_an_intermediate_from_upstream_signs_until_it_is_given_up(mesh):
    own = mesh.told()["signer"]["id"]
    found = plugged.read(made.cacerts(mesh.now), now=mesh.now)
    mesh.authorities.offer("spire", None, "not there")
    await mesh.until(problem="spire: not there")
    mesh.authorities.offer(
        "spire", Authority(found.certificate, found.key, chain=found.chain, roots=found.roots, source="spire")
    )
    await mesh.until(phase="announcing", problem="")
    told = await mesh.until(phase="stable")
    assert (told["signer"]["source"], mesh.authorities.known("spire").id) == ("spire", found.id)
    mesh.authorities.offer("spire", None, "gone for a moment")
    assert (await mesh.until(problem="spire: gone for a moment"))["signer"] == told["signer"]
    mesh.authorities.offer("", None)
    await mesh.until(phase="announcing")
    assert (await mesh.until(phase="stable"))["signer"]["id"] == own


async def test_a_bad_secret_is_refused_in_words_and_the_last_good_one_stays(mesh):
    await mesh.plug(made.cacerts(mesh.now))
    await mesh.until(phase="announcing")
    good = await mesh.until(phase="stable")
    words = (
        "Secret istio-system/cacerts, ca-cert.pem: 'CN=Intermediate' is not an authority, but a leaf (ask for CA:TRUE)"
    )
    await mesh.plug(made.cacerts(mesh.now, ca=False))
    told = await mesh.until(problem=words)
    assert (told["signer"], told["phase"]) == (good["signer"], "stable")


async def test_after_a_restart_with_a_bad_secret_the_last_good_one_stays(mesh):
    await mesh.plug(made.cacerts(mesh.now))
    await mesh.until(phase="announcing")
    good = await mesh.until(phase="stable")
    await mesh.plug(made.cacerts(mesh.now, ca=False))
    running = mesh.start()
    await asyncio.sleep(0.1)
    assert (mesh.told()["signer"], mesh.told()["phase"]) == (good["signer"], "stable")
    running.cancel()


@pytest.mark.parametrize("phase", ["announcing", "replacing"])
async def test_a_rotation_goes_on_after_a_restart(tmp_path, pool, start, phase):
    mesh = Mesh(tmp_path, pool, start)
    await mesh.client.create(namespace.KIND, SYSTEM)
    first = mesh.start()
    before = await mesh.until(phase="stable")
    mesh.enrol()
    mesh.slow = {"web"} if phase == "announcing" else set()
    await mesh.wish("once")
    await mesh.until(phase=phase)
    first.cancel()
    mesh.slow = set()
    mesh.identities.forget("web")  # it ended with the daemon
    second = mesh.start()
    after = await mesh.until(phase="stable")
    assert after["signer"]["id"] != before["signer"]["id"]
    assert (after["rotation"], len(after["trusted"])) == ("once", 1)
    second.cancel()
