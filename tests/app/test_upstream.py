"""Intermediates that others sign: cert-manager by its objects, SPIRE by its calls, each played by a few lines here."""

import asyncio
import base64
import contextlib
import ssl
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import grpc
import grpc.aio
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from tests.ca import made

from semafor.app.upstream import cert_manager, settings, spire
from semafor.app.upstream.keeper import Keeper
from semafor.app.upstream.settings import CertManager, Spire
from semafor.base import protobuf
from semafor.ca import intermediate, issue, svid
from semafor.ca.authority import Authority
from semafor.ca.plugged import PluggedError
from semafor.kube.api.client import Client
from semafor.kube.api.objects import Objects
from semafor.kube.store import Store
from semafor.resources.apiextensions import custom_resource_definition
from semafor.resources.core import config_map, namespace

NOW = datetime.now(UTC)
DER = serialization.Encoding.DER


class Signer:
    """A root that signs what it is asked to."""

    def __init__(self) -> None:
        self.wanted = made.Wanted("Above", start=NOW - made.YEAR, end=NOW + made.YEAR)
        self.root = self.wanted.signed()

    def sign(self, csr: x509.CertificateSigningRequest, **options) -> x509.Certificate:
        key = SimpleNamespace(public_key=csr.public_key)
        below = made.Wanted("Below", key=key, start=NOW - made.YEAR / 365, end=NOW + made.YEAR / 12, **options)
        return below.signed(self.root, self.wanted.key)


# --- cert-manager ----------------------------------------------------------------------------------------------------

DEFINITION = yaml.safe_load("""
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: certificaterequests.cert-manager.io}
spec:
  group: cert-manager.io
  scope: Namespaced
  names: {kind: CertificateRequest, plural: certificaterequests, singular: certificaterequest}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, x-kubernetes-preserve-unknown-fields: true}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
""")


@pytest.fixture
async def cluster():
    client = Client(Objects(Store.open(None)))
    await client.create(namespace.KIND, {"metadata": {"name": "istio-system"}})
    await client.create(custom_resource_definition.KIND, DEFINITION)
    return client


async def play_cert_manager(client: Client, answer) -> None:
    """`answer` makes a status of a request's spec."""
    kind = next(kind for kind in client.kinds if kind.kind == "CertificateRequest")
    async for change, obj in client.watch(kind):
        if change == "ADDED":
            meta = obj["metadata"]
            status = {"status": answer(obj["spec"])}
            await client.patch(kind, meta["namespace"], meta["name"], status, subresource="status")


def issued(signer: Signer, spec: dict) -> dict:
    signed = signer.sign(x509.load_pem_x509_csr(base64.b64decode(spec["request"])))
    pems = (each.public_bytes(serialization.Encoding.PEM) for each in (signed, signer.root))
    certificate, ca = (base64.b64encode(pem).decode() for pem in pems)
    return {"certificate": certificate, "ca": ca, "conditions": [{"type": "Ready", "status": "True"}]}


async def test_cert_manager_signs_an_intermediate_by_its_own_objects(cluster):
    signer, specs = Signer(), []
    playing = asyncio.create_task(play_cert_manager(cluster, lambda spec: specs.append(spec) or issued(signer, spec)))
    asked = intermediate.ask("cluster.local")
    chain, roots = await cert_manager.sign(cluster, CertManager("mesh"), asked)
    authority = intermediate.answered(asked, chain, roots, now=NOW, source="cert-manager")
    assert authority.roots == (signer.root,)
    assert {**specs[0], "request": ""} == {
        "request": "",
        "isCA": True,
        "usages": ["cert sign", "crl sign"],
        "duration": "2592000s",
        "issuerRef": {"name": "mesh", "kind": "Issuer", "group": "cert-manager.io"},
    }
    kind = next(kind for kind in cluster.kinds if kind.kind == "CertificateRequest")
    assert cluster.list(kind) == []
    playing.cancel()


@pytest.mark.parametrize(
    "condition",
    [
        {"type": "Denied", "status": "True", "message": "not you"},
        {"type": "Ready", "status": "False", "reason": "Failed", "message": "not you"},
    ],
)
async def test_what_cert_manager_refuses_is_told_in_its_words(cluster, condition):
    playing = asyncio.create_task(play_cert_manager(cluster, lambda _: {"conditions": [condition]}))
    with pytest.raises(PluggedError, match="not you"):
        await cert_manager.sign(cluster, CertManager("mesh"), intermediate.ask("cluster.local"))
    playing.cancel()


async def test_a_cluster_without_cert_manager_is_told_what_to_do():
    with pytest.raises(PluggedError, match="install cert-manager"):
        await cert_manager.sign(Client(Objects(Store.open(None))), CertManager("mesh"), intermediate.ask("x"))


def test_a_leaf_in_place_of_an_intermediate_is_refused():
    signer, asked = Signer(), intermediate.ask("cluster.local")
    leaf = signer.sign(x509.load_der_x509_csr(asked.request), ca=False).public_bytes(DER)
    with pytest.raises(PluggedError, match="is not an authority"):
        intermediate.answered(asked, [leaf], [signer.root.public_bytes(DER)], now=NOW, source="x")


# --- SPIRE -----------------------------------------------------------------------------------------------------------


class Handler(grpc.GenericRpcHandler):
    def __init__(self, method: str, answer, *, streams: bool = False) -> None:
        make = grpc.unary_stream_rpc_method_handler if streams else grpc.unary_unary_rpc_method_handler
        self._method, self._handler = method, make(answer)

    def service(self, details):
        return self._handler if details.method == self._method else None


@contextlib.asynccontextmanager
async def serving(address: str, handler: Handler, credentials=None):
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handler,))
    port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)


def downstream(signer: Signer):
    async def answer(request: bytes, _) -> bytes:
        found = dict(protobuf.fields(request))
        signed = signer.sign(x509.load_der_x509_csr(found[1]))
        return protobuf.delimited(1, signed.public_bytes(DER)) + protobuf.delimited(2, signer.root.public_bytes(DER))

    return Handler(spire.METHOD, answer)


async def test_spire_signs_an_intermediate_over_its_socket(tmp_path):
    signer, asked = Signer(), intermediate.ask("cluster.local")
    async with serving(f"unix:{tmp_path}/s", downstream(signer)):
        chain, roots = await spire.sign(Spire(f"unix:{tmp_path}/s"), asked)
    assert intermediate.answered(asked, chain, roots, now=NOW, source="spire").roots == (signer.root,)


async def test_what_spire_refuses_is_told_in_its_words(tmp_path):
    async def answer(_, context) -> bytes:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no downstream entry: 50%")

    async with serving(f"unix:{tmp_path}/s", Handler(spire.METHOD, answer)):
        with pytest.raises(PluggedError, match=r"no downstream entry: 50% \(gRPC status 7\)"):
            await spire.sign(Spire(f"unix:{tmp_path}/s"), intermediate.ask("cluster.local"))


async def test_a_server_that_is_not_there_is_told(tmp_path):
    with pytest.raises(PluggedError, match="SPIRE at unix:"):
        await spire.sign(Spire(f"unix:{tmp_path}/nobody"), intermediate.ask("cluster.local"))


class Tls:
    """A SPIRE server over mutual TLS, and an agent that says who we are."""

    def __init__(self, identity: str) -> None:
        self.root = Authority.new(now=NOW)
        self.server, self.client = (self._identity(name) for name in (identity, "spiffe://td/mesh"))

    def _identity(self, name: str) -> tuple[bytes, bytes]:

        made_ = issue.workload(self.root, name, now=NOW)
        return made_.certificate.pem, made_.key.pem

    def credentials(self) -> grpc.ServerCredentials:
        certificate, key = self.server
        return grpc.ssl_server_credentials([(key, certificate)], self.root.root_pem, require_client_auth=True)

    def agent(self) -> Handler:
        certificate, key = self.client
        private = serialization.load_pem_private_key(key, None)
        pkcs8 = private.private_bytes(DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        parts = (b"spiffe://td/mesh", *intermediate.ders(certificate), pkcs8, *intermediate.ders(self.root.root_pem))
        message = b"".join(protobuf.delimited(number, part) for number, part in enumerate(parts, 1))

        async def answer(_, context):
            assert dict(context.invocation_metadata())["workload.spiffe.io"] == "true"
            yield protobuf.delimited(1, message)
            await asyncio.sleep(60)  # the agent keeps the stream open

        return Handler(spire.WORKLOAD, answer, streams=True)


@pytest.mark.parametrize(("identity", "is_it"), [("spiffe://td/spire/server", True), ("spiffe://td/other", False)])
async def test_over_tcp_both_sides_prove_who_they_are(tmp_path, identity, is_it):
    tls, signer, asked = Tls(identity), Signer(), intermediate.ask("td")
    async with (
        serving(f"unix:{tmp_path}/agent", tls.agent()),
        serving("127.0.0.1:0", downstream(signer), tls.credentials()) as port,
    ):
        wanted = Spire(f"127.0.0.1:{port}", workload_socket=f"{tmp_path}/agent", trust_domain="td")
        if is_it:
            assert (await spire.sign(wanted, asked))[1] == [signer.root.public_bytes(DER)]
        else:
            with pytest.raises(PluggedError, match="proves to be spiffe://td/other, not spiffe://td/spire/server"):
                await spire.sign(wanted, asked)


def test_an_identity_that_cannot_be_used_is_refused():
    with pytest.raises(svid.SvidError):
        svid.Svid(b"nonsense", b"nonsense", b"nonsense").context()
    assert ssl.HAS_TLSv1_3


# --- the mesh configuration ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("{certManager: {issuerRef: {name: mesh}}}", CertManager("mesh")),
        (
            "{certManager: {issuerRef: {name: m, kind: ClusterIssuer, group: g.io}, namespace: n, duration: 2h}}",
            CertManager("m", "ClusterIssuer", "g.io", "n", 7200.0),
        ),
        ("{spire: {server: 'unix:/run/spire.sock'}}", Spire("unix:/run/spire.sock")),
        (
            "{spire: {server: 'spire:8081', workloadSocket: 'unix:/a', trustDomain: td}}",
            Spire("spire:8081", "/a", "td"),
        ),
    ],
)
def test_settings(written, read):
    assert settings.read(yaml.safe_load(written)) == read


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{}", "write either certManager or spire"),
        ("{vault: {}}", "vault is not known here"),
        ("{certManager: {}}", "wants issuerRef with a name"),
        ("{certManager: {issuerRef: {name: m}, duration: 1m}}", "at least an hour"),
        ("{certManager: {issuerRef: {name: m}, ttl: 1h}}", "ttl is not known here"),
        ("{spire: {server: nowhere}}", "unix:PATH or HOST:PORT"),
        ("{spire: {server: 'a:1'}}", "wants workloadSocket and trustDomain"),
    ],
)
def test_settings_that_are_not_understood(written, words):
    with pytest.raises(ValueError, match=words):
        settings.read(yaml.safe_load(written))


# --- the keeper ------------------------------------------------------------------------------------------------------


class Offered:
    """An app.authorities.Authorities that remembers."""

    def __init__(self) -> None:
        self.offers: asyncio.Queue[tuple[str, Authority | None, str]] = asyncio.Queue()
        self.last: Authority | None = None

    def offer(self, source: str, made: Authority | None, problem: str = "") -> None:
        self.last = made or self.last
        self.offers.put_nowait((source, made, problem))

    def known(self, source: str) -> Authority | None:
        return self.last

    async def next(self) -> tuple[str, Authority | None, str]:
        async with asyncio.timeout(20):
            return await self.offers.get()


async def test_an_intermediate_is_asked_for_kept_and_given_up_as_the_configuration_says(cluster, tmp_path: Path):
    signer, offered = Signer(), Offered()
    keeper = Keeper(cluster, offered, retry_s=(0.05,))
    running = asyncio.create_task(keeper.run())
    assert await offered.next() == ("", None, "")
    mesh = {"mesh": f"semafor: {{certificateAuthority: {{spire: {{server: 'unix:{tmp_path}/s'}}}}}}"}
    about = {"metadata": {"name": "istio", "namespace": "istio-system"}}
    await cluster.create(config_map.KIND, {**about, "data": mesh})
    source, first, problem = await offered.next()
    assert (source, first) == ("spire", None)
    assert "SPIRE at unix:" in problem
    async with serving(f"unix:{tmp_path}/s", downstream(signer)):
        found = (source, first, problem)
        while found[1] is None:
            found = await offered.next()
    assert (found[1].roots, found[2]) == ((signer.root,), "")
    await cluster.delete(config_map.KIND, "istio-system", "istio")
    assert await offered.next() == ("", None, "")
    running.cancel()
