"""What Gateway objects say, where the calls of the goldens cannot show it."""

from semafor.planner import Mesh
from semafor.planner.gateway import credentials, istio
from semafor.resources.istio.gateway import GatewaySpec, Server, ServerPort, ServerTLSSettings
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
