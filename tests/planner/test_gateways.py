"""What Gateway objects say, where the calls of the goldens cannot show it."""

from semafor.planner import Mesh, hosts
from semafor.planner.gateway import credentials, istio, istio_routes
from semafor.planner.gateway.server import ANY, ServedHost
from semafor.planner.routes import virtual_service
from semafor.resources.istio.gateway import GatewaySpec, Server, ServerPort, ServerTLSSettings
from semafor.resources.istio.virtual_service import VirtualServiceSpec
from semafor.resources.meta.meta import ObjectMeta


def read(**tls):
    port = ServerPort(number=443, protocol="HTTPS", name="https")
    server = Server(port=port, hosts=("a.example.com",), tls=ServerTLSSettings(**tls))
    return istio.read(ObjectMeta(name="g", namespace="edge"), GatewaySpec(servers=(server,), selector={"a": "b"}))


def test_files_of_the_pod_are_named_and_never_read():
    files = {"server_certificate": "/c", "private_key": "/k", "ca_certificates": "/a", "ca_crl": "/r"}
    found = credentials.of(Mesh(), read(mode="MUTUAL", **files).servers[0], "edge")
    assert (found.certificates, found.validation) == (("file-cert:/c~/k",), "file-root:/a")
    assert [(one.certificate or one.authorities, one.revoked, one.files) for one in found.used] == [
        ("/c", "", True),
        ("/a", "/r", True),
    ]


def test_versions_and_ciphers_are_envoys_words():
    (server,) = read(mode="SIMPLE", min_protocol_version="TLSV1_1", max_protocol_version="TLSV1_2").servers
    assert (server.tls.min_version, server.tls.max_version) == ("1.1", "1.2")
    gateway = read(mode="SIMPLE", cipher_suites=("AES128-SHA", "AES128-SHA", "X"))
    assert gateway.servers[0].tls.ciphers == ("AES128-SHA",)
    assert [problem.path for problem in gateway.problems] == ["spec.servers[0].tls.cipherSuites[2]"]


def common(mine, theirs):
    meta = ObjectMeta(name="v", namespace="edge")
    vs = virtual_service.read(meta, VirtualServiceSpec(hosts=tuple(theirs)))
    return istio_routes.common(tuple(ServedHost(namespace=ANY, name=name) for name in mine), vs)


def test_of_two_hosts_that_overlap_the_narrower_one_is_served():
    mine = ("a.example", "*.wide.example", "x.near.example", "no.example")
    theirs = ("A.example", "b.wide.example", "*.near.example", "other.example")
    assert common(mine, theirs) == ("a.example", "b.wide.example", "x.near.example")
    assert common(("*",), ("*.b.example",)) == common(("*.b.example",), ("*",)) == ("*.b.example",)


def test_thousands_of_hosts_are_not_compared_with_each_other(monkeypatch):
    monkeypatch.setattr(hosts, "covers", None)  # only wildcards need it
    names = [f"h{n}.example" for n in range(3000)]
    assert len(common(names, names)) == len(names)
