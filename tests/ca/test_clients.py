"""Certificates by which people sign in to the API."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from semafor.ca import clients, issue, keys
from semafor.ca.authority import Authority
from semafor.ca.clients import Client
from semafor.ca.issue import RequestError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JANE = Client("jane", ("devs", "ops"))
YEAR = timedelta(days=365)


def pem_of(key, *attributes, extensions=()):
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])
    )
    for each in extensions:
        builder = builder.add_extension(each, critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def shown(authority, pem):
    return clients.read(authority, x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER))


def test_who_signs_in_is_in_the_subject():
    authority = Authority.new(now=NOW)
    made = clients.sign(authority, clients.request(keys.generate(), JANE), now=NOW, lifetime=YEAR)
    found = shown(authority, made.pem)
    assert (found.client, found.holds(NOW), found.holds(NOW + YEAR + timedelta(seconds=1))) == (JANE, True, False)


def test_a_certificate_of_another_authority_is_nobodys():
    other = Authority.new(now=NOW)
    made = clients.sign(other, clients.request(keys.generate(), JANE), now=NOW, lifetime=YEAR)
    assert shown(Authority.new(now=NOW), made.pem) is None


def test_a_workloads_certificate_does_not_sign_in():
    authority = Authority.new(now=NOW)
    leaf = issue.issue(authority, keys.request(keys.generate()), "spiffe://cluster.local/ns/a/sa/b", now=NOW)
    assert shown(authority, leaf.pem) is None


def test_nothing_else_of_a_request_is_signed():
    wishes = (
        x509.BasicConstraints(ca=True, path_length=None),
        x509.SubjectAlternativeName([x509.DNSName("kubernetes")]),
    )
    pem = pem_of(ec.generate_private_key(ec.SECP256R1()), (NameOID.COMMON_NAME, "jane"), extensions=wishes)
    made = clients.sign(Authority.new(now=NOW), pem, now=NOW, lifetime=YEAR)
    found = x509.load_pem_x509_certificate(made.pem)
    assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert [each.oid._name for each in found.extensions] == ["basicConstraints", "keyUsage", "extendedKeyUsage"]


@pytest.mark.parametrize(
    ("key", "attributes"),
    [
        (ec.generate_private_key(ec.SECP256R1()), ()),
        (ec.generate_private_key(ec.SECP256R1()), ((NameOID.ORGANIZATION_NAME, "devs"),)),
        (ec.generate_private_key(ec.SECP256R1()), ((NameOID.COMMON_NAME, "a"), (NameOID.COMMON_NAME, "b"))),
        (ec.generate_private_key(ec.SECP224R1()), ((NameOID.COMMON_NAME, "a"),)),
        (rsa.generate_private_key(65537, 1024), ((NameOID.COMMON_NAME, "a"),)),
    ],
)
def test_a_request_that_names_nobody_or_has_a_weak_key_is_refused(key, attributes):
    with pytest.raises(RequestError):
        clients.sign(Authority.new(now=NOW), pem_of(key, *attributes), now=NOW, lifetime=YEAR)


def test_a_request_without_the_key_is_refused():
    pem = clients.request(keys.generate(), JANE)
    der = x509.load_pem_x509_csr(pem).public_bytes(serialization.Encoding.DER)
    forged = der.replace(b"jane", b"root")
    csr = x509.load_der_x509_csr(forged).public_bytes(serialization.Encoding.PEM)
    with pytest.raises(RequestError, match="not signed by the key"):
        clients.asked(csr)


@pytest.mark.parametrize("der", [b"", b"0", b"\x30\x80", b"x" * 100_000])
def test_what_is_no_certificate_is_nobodys(der):
    assert clients.read(Authority.new(now=NOW), der) is None
