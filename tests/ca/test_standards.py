"""Certificates held against the standards: SPIFFE's X.509-SVID, and path validation by two libraries.

Source: https://spiffe.io/docs/latest/spiffe-specs/x509-svid/, sections 2 to 5 and appendix A.
"""

import subprocess
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import verification
from tests.ca import made

from semafor.ca import issue, plugged
from semafor.ca.authority import Authority

ID = "spiffe://cluster.local/ns/default/sa/reviews"
OWN = Authority.new(now=made.NOW)
PLUGGED = plugged.read(made.cacerts(), now=made.NOW)
KNOWN = {
    x509.SubjectAlternativeName,
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.ExtendedKeyUsage,
    x509.SubjectKeyIdentifier,
    x509.AuthorityKeyIdentifier,
}
each_authority = pytest.mark.parametrize("authority", [OWN, PLUGGED], ids=["own", "plugged"])


def leaf(authority: Authority) -> list[x509.Certificate]:
    """The leaf, and what it is sent with."""
    return x509.load_pem_x509_certificates(issue.workload(authority, ID, now=made.NOW).certificate.pem)


def said(certificate: x509.Certificate, kind: type) -> x509.Extension:
    return certificate.extensions.get_extension_for_class(kind)


@each_authority
def test_a_leaf_has_exactly_one_uri_and_that_is_its_identity(authority):
    names = said(leaf(authority)[0], x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.UniformResourceIdentifier) == [ID]
    assert names.critical  # for the subject is empty: RFC 5280, section 4.2.1.6


@each_authority
def test_a_leaf_may_be_a_server_and_a_client_and_nothing_more(authority):
    own = leaf(authority)[0]
    constraints, usage = said(own, x509.BasicConstraints), said(own, x509.KeyUsage)
    assert (constraints.value.ca, constraints.value.path_length) == (False, None)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    assert not usage.value.crl_sign
    assert {each.dotted_string for each in said(own, x509.ExtendedKeyUsage).value} == {
        x509.ExtendedKeyUsageOID.SERVER_AUTH.dotted_string,
        x509.ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string,
    }


@each_authority
def test_a_leaf_has_no_extension_beyond_these_and_names_no_constraints(authority):
    assert {type(extension.value) for extension in leaf(authority)[0].extensions} == KNOWN


@each_authority
def test_who_signs_is_an_authority_and_says_so(authority):
    signer = authority.certificate
    assert said(signer, x509.BasicConstraints).critical
    assert said(signer, x509.BasicConstraints).value.ca
    assert said(signer, x509.KeyUsage).value.key_cert_sign


def test_the_identity_of_our_own_root_is_its_trust_domain():
    names = said(OWN.certificate, x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://cluster.local"]


def verifier(authority: Authority, *, later: timedelta = timedelta(minutes=1)) -> verification.ClientVerifier:
    store = verification.Store(list(authority.roots))
    return verification.PolicyBuilder().store(store).time(made.NOW + later).build_client_verifier()


@each_authority
def test_another_library_verifies_a_leaf(authority):
    own, *chain = leaf(authority)
    found = verifier(authority).verify(own, chain)
    assert [name.value for name in found.subjects or ()] == [ID]


@each_authority
@pytest.mark.parametrize(("trusted", "later_h"), [(Authority.new(now=made.NOW), 0.1), (None, 25)])
def test_it_refuses_an_unknown_root_and_an_old_leaf(authority, trusted, later_h):
    own, *chain = leaf(authority)
    with pytest.raises(verification.VerificationError):
        verifier(trusted or authority, later=timedelta(hours=later_h)).verify(own, chain)


@each_authority
@pytest.mark.parametrize("purpose", ["sslserver", "sslclient"])
def test_openssl_verifies_a_leaf_strictly(authority, purpose, tmp_path):
    own, *chain = (each.public_bytes(serialization.Encoding.PEM) for each in leaf(authority))
    for name, content in {"leaf": own, "chain": b"".join(chain) or own, "roots": authority.root_pem}.items():
        (tmp_path / name).write_bytes(content)
    moment = str(int(made.NOW.timestamp()) + 60)
    argv = ["openssl", "verify", "-x509_strict", "-attime", moment, "-purpose", purpose, "-check_ss_sig"]
    argv += ["-CAfile", "roots", "-untrusted", "chain", "leaf"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == "leaf: OK\n"
