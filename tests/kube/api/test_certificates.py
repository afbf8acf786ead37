"""Signing in by certificate: asked for, approved and used by the real kubectl."""

import asyncio
import base64
import contextlib
import json
import ssl
import tempfile
from datetime import timedelta

import pytest
import ryaml
from tests.kube.conftest import Cluster, authenticate, certificate, furnish, kubeconfig

from semafor.app.credentials import Credentials, groups_of
from semafor.app.home import Home
from semafor.base import clock
from semafor.ca import clients, keys
from semafor.ca.authority import Authority
from semafor.ca.clients import Client as Person
from semafor.kube.api import approval, serve, server, streams
from semafor.kube.api.client import Client
from semafor.kube.api.objects import Objects
from semafor.kube.api.options import Options
from semafor.kube.controllers import reconcile
from semafor.kube.controllers.certificates import Certificates
from semafor.kube.store import Store

SIGNER = "kubernetes.io/kube-apiserver-client"


@contextlib.asynccontextmanager
async def running(folder):
    """An API that takes certificates, and the controller that signs them."""
    home = Home(folder / "home")
    home.create()
    store = Store.open(None)
    objects = Objects(store, admission=(approval.Requester(groups_of),))
    credentials = Credentials(home, Authority.open(home.ca / "api", now=clock.now()), store.get)
    app = server.app(objects, Options(authenticate=authenticate, recognize=credentials.recognize))
    certfile, keyfile = certificate(folder)
    client = Client(objects)
    async with serve.serve(
        app,
        "127.0.0.1",
        0,
        tls=serve.Tls(certfile, keyfile, credentials.client_roots),
        http_protocol=streams.Protocol,
    ) as port:
        await furnish(client)
        url = f"https://127.0.0.1:{port}"
        (folder / "kubeconfig").write_text(ryaml.dumps(kubeconfig(url, certfile)))
        signing = asyncio.create_task(reconcile.run(Certificates(client, credentials.sign), client))
        yield Cluster(objects=objects, client=client, store=store, url=url, home=folder), credentials
        signing.cancel()
        await asyncio.wait([signing])
    await store.close()


@pytest.fixture
async def both(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where a home with a long path has its sockets
    async with running(tmp_path) as made:
        yield made


def wish(name: str, person: Person, *, signer: str = SIGNER, usages=("client auth",)):
    key = keys.generate()
    pem = clients.request(key, person)
    spec = {"request": base64.b64encode(pem).decode(), "signerName": signer, "usages": list(usages)}
    document = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest"}
    return key, json.dumps({**document, "metadata": {"name": name}, "spec": {**spec, "username": "somebody-else"}})


async def test_a_request_is_approved_signed_and_signs_in(both, tmp_path):
    cluster, _ = both
    key, document = wish("jane", Person("jane", ("devs",)))
    await cluster.kubectl("create", "-f", "-", stdin=document)
    assert "Pending" in (await cluster.kubectl("get", "csr", "jane")).out
    await cluster.kubectl("certificate", "approve", "jane")
    await cluster.kubectl("wait", "csr/jane", "--for=jsonpath={.status.certificate}", "--timeout=60s")
    listed = (await cluster.kubectl("get", "csr", "jane")).out
    assert "Approved,Issued" in listed
    assert "admin" in listed  # who asked, as the API knows it
    found = json.loads((await cluster.kubectl("get", "csr", "jane", "-o", "json")).out)
    (tmp_path / "jane.crt").write_bytes(base64.b64decode(found["status"]["certificate"]))
    (tmp_path / "jane.key").write_bytes(key.pem)
    signed_in = ("--client-certificate=jane.crt", "--client-key=jane.key", "--user=nobody")
    config = ryaml.loads((tmp_path / "kubeconfig").read_text())
    config["users"].append({"name": "nobody", "user": {}})
    (tmp_path / "kubeconfig").write_text(ryaml.dumps(config))
    who = json.loads((await cluster.kubectl("auth", "whoami", "-o", "json", *signed_in)).out)["status"]["userInfo"]
    assert (who["username"], who["groups"]) == ("jane", ["devs", "system:authenticated"])
    assert "cannot list" in (await cluster.kubectl("get", "pods", *signed_in, check=False)).err
    await cluster.kubectl("create", "clusterrolebinding", "devs", "--clusterrole=reader", "--group=devs")
    await cluster.kubectl("create", "clusterrole", "reader", "--verb=list", "--resource=pods")
    await cluster.kubectl("get", "pods", *signed_in)


async def test_what_is_denied_is_never_signed(both):
    cluster, _ = both
    await cluster.kubectl("create", "-f", "-", stdin=wish("eve", Person("eve"))[1])
    await cluster.kubectl("certificate", "deny", "eve")
    assert (await cluster.kubectl("certificate", "approve", "eve", check=False)).code != 0
    found = json.loads((await cluster.kubectl("get", "csr", "eve", "-o", "json")).out)
    assert "certificate" not in found["status"]


async def test_a_use_that_the_signer_does_not_sign_for_fails(both):
    cluster, _ = both
    await cluster.kubectl("create", "-f", "-", stdin=wish("server", Person("s"), usages=("server auth",))[1])
    await cluster.kubectl("certificate", "approve", "server")
    await cluster.kubectl("wait", "csr/server", "--for=condition=Failed", "--timeout=60s")


async def test_nobody_asks_for_the_administrators_group(both):
    cluster, _ = both
    said = await cluster.kubectl("create", "-f", "-", stdin=wish("x", Person("x", ("system:masters",)))[1], check=False)
    assert "with system:masters group is not allowed" in said.err


async def test_what_is_asked_for_cannot_be_changed(both):
    cluster, _ = both
    await cluster.kubectl("create", "-f", "-", stdin=wish("a", Person("a"))[1])
    said = await cluster.kubectl("replace", "-f", "-", stdin=wish("a", Person("root"))[1], check=False)
    assert "cannot be changed" in said.err


@pytest.mark.parametrize("path", ["approval", "status"])
async def test_only_who_may_approve_decides(both, path):
    """The right to write the subresource is not the right to decide for a signer."""
    cluster, _ = both
    await cluster.kubectl("create", "-f", "-", stdin=wish("me", Person("viewer"))[1])
    rights = ("--verb=get,update,patch", "--resource=certificatesigningrequests,certificatesigningrequests/" + path)
    await cluster.kubectl("create", "clusterrole", "writer", *rights)
    await cluster.kubectl("create", "clusterrolebinding", "writer", "--clusterrole=writer", "--user=viewer")
    said = {"type": "Approved", "status": "True", "reason": "Mine"}
    patch = ("patch", "csr", "me", f"--subresource={path}", "--type=merge", "--user=viewer", "-p")
    refused = await cluster.kubectl(*patch, json.dumps({"status": {"conditions": [said]}}), check=False)
    assert "not permitted to" in refused.err, refused
    main = ("patch", "csr", "me", "--type=merge", "--user=viewer", "-p")
    await cluster.kubectl(*main, json.dumps({"status": {"conditions": [said]}}), check=False)
    found = json.loads((await cluster.kubectl("get", "csr", "me", "-o", "json")).out)
    assert not found.get("status", {}).get("conditions")


async def shake(url, folder, pem: bytes, key: bytes) -> bytes:
    """What the API says to a certificate."""
    (folder / "c.pem").write_bytes(pem + key)
    context = ssl.create_default_context(cafile=folder / "tls.crt")
    context.load_cert_chain(folder / "c.pem")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]), ssl=context)
    review = b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
    head = b"POST /apis/authentication.k8s.io/v1/selfsubjectreviews HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    writer.write(head + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(review) + review)
    try:
        async with asyncio.timeout(30):
            return await reader.read()
    finally:
        writer.close()


async def test_a_certificate_of_another_authority_ends_the_handshake(both, tmp_path):
    cluster, _ = both
    key = keys.generate()
    other = Authority.new(now=clock.now())
    forged = clients.sign(other, clients.request(key, Person("root")), now=clock.now(), lifetime=timedelta(hours=1))
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        assert await shake(cluster.url, tmp_path, forged.pem, key.pem) == b""


async def test_a_certificate_that_has_ended_is_nobodys(both, monkeypatch):
    _, credentials = both
    key = keys.generate()
    pem = credentials.sign(clients.request(key, Person("jane")), timedelta(hours=1))
    der = ssl.PEM_cert_to_DER_cert(pem.decode())
    assert credentials.recognize(der).name == "jane"
    later = clock.now() + 2 * timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert credentials.recognize(der) is None
