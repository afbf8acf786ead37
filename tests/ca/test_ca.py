"""Identity, judged by another implementation (`openssl`) where that is possible."""

import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from semafor.ca import issue, keys
from semafor.ca.authority import Authority
from semafor.ca.issue import RequestError
from semafor.ca.keys import KeyFileError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ID = "spiffe://cluster.local/ns/default/sa/reviews"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl")


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority.open(tmp_path_factory.mktemp("ca"), now=NOW)


def leaf(authority, csr=None, **options) -> x509.Certificate:
    signed = issue.issue(authority, csr or keys.request(keys.generate()), ID, now=NOW, **options)
    return x509.load_pem_x509_certificate(signed.pem)


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind)


def openssl_verify(folder, root: bytes, pem: bytes, *options: str) -> str:
    (folder / "root.pem").write_bytes(root)
    (folder / "leaf.pem").write_bytes(pem)
    moment = str(int(NOW.timestamp()) + 60)
    argv = ["openssl", "verify", "-x509_strict", "-attime", moment, "-CAfile", "root.pem", *options, "leaf.pem"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@needs_openssl
@pytest.mark.parametrize("purpose", ["sslserver", "sslclient"])
def test_openssl_accepts_a_workload_certificate_for_both_sides(authority, tmp_path, purpose):
    pem = issue.workload(authority, ID, now=NOW).certificate.pem
    assert openssl_verify(tmp_path, authority.root_pem, pem, "-purpose", purpose) == "leaf.pem: OK\n"


@needs_openssl
def test_openssl_refuses_a_certificate_of_another_root(authority, tmp_path):
    other = Authority.open(tmp_path / "other", now=NOW)
    pem = issue.workload(other, ID, now=NOW).certificate.pem
    assert "leaf.pem: verification failed" in openssl_verify(tmp_path, authority.root_pem, pem)


@needs_openssl
@pytest.mark.parametrize("check", [("-verify_hostname", "kubernetes.default.svc"), ("-verify_ip", "10.96.0.1")])
def test_openssl_accepts_the_api_server_by_name_and_by_address(authority, tmp_path, check):
    pem = issue.server(authority, now=NOW).certificate.pem
    assert openssl_verify(tmp_path, authority.root_pem, pem, *check) == "leaf.pem: OK\n"


def test_a_leaf_is_what_the_spiffe_standard_asks_for(authority):
    certificate = leaf(authority)
    san = extension(certificate, x509.SubjectAlternativeName)
    assert (san.critical, san.value.get_values_for_type(x509.UniformResourceIdentifier)) == (True, [ID])
    assert len(list(san.value)) == 1
    assert not extension(certificate, x509.BasicConstraints).value.ca
    assert not extension(certificate, x509.KeyUsage).value.key_cert_sign
    assert certificate.subject == x509.Name([])


def test_a_leaf_says_what_metrics_call_the_workload_when_asked(authority):
    signed = issue.issue(authority, keys.request(keys.generate()), issue.Name(ID, "w" * 200), now=NOW)
    san = extension(x509.load_pem_x509_certificate(signed.pem), x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.UniformResourceIdentifier) == [ID]
    assert san.get_values_for_type(x509.OtherName)[0].value == b"\x0c\x81\xc8" + b"w" * 200


def test_a_leaf_lives_for_a_day_and_begins_a_little_in_the_past(authority):
    certificate = leaf(authority)
    assert certificate.not_valid_before_utc == NOW - timedelta(minutes=2)
    assert certificate.not_valid_after_utc == NOW + timedelta(hours=24)


def test_a_leaf_never_outlives_the_root(authority):
    end = authority.certificate.not_valid_after_utc
    assert leaf(authority, lifetime=timedelta(days=10_000)).not_valid_after_utc == end


def test_names_inside_a_request_are_dropped(authority):
    key = ec.generate_private_key(ec.SECP256R1())
    evil = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("spiffe://cluster.local/ns/x/sa/admin")])
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "admin")])
    request = x509.CertificateSigningRequestBuilder(subject).add_extension(evil, critical=False)
    csr = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    certificate = leaf(authority, csr)
    names = extension(certificate, x509.SubjectAlternativeName).value
    assert (certificate.subject, [name.value for name in names]) == (x509.Name([]), [ID])


def forged() -> bytes:
    """A request whose signature is not of the key in it."""
    pem = keys.request(keys.generate())
    der = bytearray(x509.load_pem_x509_csr(pem).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    return x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM)


def weak() -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    return (
        x509.CertificateSigningRequestBuilder(x509.Name([]))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


@pytest.mark.parametrize("csr", [b"", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n", forged(), weak()])
def test_an_unsound_request_is_refused(authority, csr):
    with pytest.raises(RequestError):
        issue.issue(authority, csr, ID, now=NOW)


@pytest.mark.parametrize(
    "spiffe_id",
    [
        "spiffe://cluster.local",
        "spiffe://cluster.local/",
        "spiffe://cluster.local/ns/../sa/admin",
        "spiffe://cluster.local/ns/a b",
        "https://cluster.local/ns/default/sa/reviews",
        "spiffe://cluster.local/" + "a" * 2048,
    ],
)
def test_what_is_no_identity_of_a_workload_is_never_signed(authority, spiffe_id):
    with pytest.raises(RequestError):
        issue.issue(authority, keys.request(keys.generate()), spiffe_id, now=NOW)


def test_the_root_is_found_again(tmp_path):
    assert Authority.open(tmp_path, now=NOW).root_pem == Authority.open(tmp_path, now=NOW).root_pem


def test_the_root_key_is_for_its_owner_only(tmp_path):
    Authority.open(tmp_path / "ca", now=NOW)
    assert stat.S_IMODE((tmp_path / "ca" / "root-key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "ca").stat().st_mode) == 0o700


def test_daemons_that_start_at_once_agree_on_one_root(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        roots = set(pool.map(lambda _: Authority.open(tmp_path, now=NOW).root_pem, range(8)))
    assert len(roots) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["root-cert.pem", "root-key.pem"]


def spoil_mode(folder):
    (folder / "root-key.pem").chmod(0o644)


def spoil_key(folder):
    (folder / "root-key.pem").write_bytes(b"nonsense")


def spoil_certificate(folder):
    (folder / "root-cert.pem").write_bytes(b"nonsense")


def swap_key(folder):
    (folder / "root-key.pem").write_bytes(keys.generate().pem)


@pytest.mark.parametrize("spoil", [spoil_mode, spoil_key, spoil_certificate, swap_key])
def test_spoilt_files_are_refused_with_the_path(tmp_path, spoil):
    Authority.open(tmp_path, now=NOW)
    spoil(tmp_path)
    with pytest.raises(KeyFileError, match="root-"):
        Authority.open(tmp_path, now=NOW)


def test_an_expired_root_is_refused(tmp_path):
    Authority.open(tmp_path, now=NOW)
    with pytest.raises(KeyFileError, match="expired"):
        Authority.open(tmp_path, now=NOW + timedelta(days=3651))


def test_a_certificate_is_renewed_before_half_its_life_is_over(authority):
    certificate = issue.workload(authority, ID, now=NOW).certificate
    life = certificate.not_after - certificate.not_before
    assert issue.renew_at(certificate, 0.0) == certificate.not_before + life / 2
    assert issue.renew_at(certificate, 1.0) == certificate.not_before + life * 0.4


def test_secrets_redact_themselves(authority):
    identity = issue.workload(authority, ID, now=NOW)
    assert "PRIVATE KEY" not in repr(identity) + repr(authority) + repr(keys.generate())
