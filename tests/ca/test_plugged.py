"""Authorities of others: which are taken, and what is said of those that are not."""

import base64
import subprocess
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from tests.ca import made

from semafor.ca import issue, keys, plugged
from semafor.ca.plugged import PluggedError

ID = "spiffe://cluster.local/ns/default/sa/reviews"


def spoilt(pem: bytes, old: bytes, new: bytes) -> bytes:
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    text = base64.encodebytes(der.replace(old, new))
    return b"-----BEGIN CERTIFICATE-----\n" + text + b"-----END CERTIFICATE-----\n"


def pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def openssl(folder, files: dict[str, bytes], leaf: bytes) -> str:
    for name, content in {**files, "leaf.pem": leaf}.items():
        (folder / name).write_bytes(content)
    moment = str(int(made.NOW.timestamp()) + 60)
    argv = ["openssl", "verify", "-x509_strict", "-attime", moment, "-CAfile", "root-cert.pem"]
    argv += ["-untrusted", "leaf.pem", "leaf.pem"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_leaves_of_an_intermediate_come_with_the_chain_that_openssl_verifies(tmp_path):
    files = made.cacerts()
    leaf = issue.workload(plugged.read(files, now=made.NOW), ID, now=made.NOW).certificate.pem
    assert leaf.count(b"BEGIN CERTIFICATE") == 2
    assert openssl(tmp_path, files, leaf) == "leaf.pem: OK\n"


def test_an_rsa_authority_signs_leaves_too(tmp_path):
    files = made.cacerts(key=rsa.generate_private_key(65537, 2048))
    leaf = issue.workload(plugged.read(files, now=made.NOW), ID, now=made.NOW).certificate.pem
    assert openssl(tmp_path, files, leaf) == "leaf.pem: OK\n"


def test_a_chain_may_hold_more_than_it_needs_in_any_order():
    files = made.cacerts()
    files["cert-chain.pem"] = files["root-cert.pem"] + made.cacerts()["ca-cert.pem"] + files["ca-cert.pem"]
    assert len(plugged.read(files, now=made.NOW).chain) == 1


def test_a_root_can_be_plugged_in_as_it_is(tmp_path):
    own = made.key()
    root = made.Wanted("Root", key=own).signed().public_bytes(serialization.Encoding.PEM)
    files = {"ca-cert.pem": root, "ca-key.pem": pem(own), "root-cert.pem": root, "cert-chain.pem": root}
    authority = plugged.read(files, now=made.NOW)
    leaf = issue.workload(authority, ID, now=made.NOW).certificate.pem
    assert (authority.chain_pem, openssl(tmp_path, files, leaf)) == (b"", "leaf.pem: OK\n")


def test_a_leaf_never_outlives_the_intermediate():
    authority = plugged.read(made.cacerts(end=made.NOW + timedelta(hours=3)), now=made.NOW)
    leaf = issue.issue(authority, keys.request(keys.generate()), ID, now=made.NOW)
    assert leaf.not_after == made.NOW + timedelta(hours=3)


def test_what_is_written_is_read_as_the_same_authority():
    authority = plugged.read(made.cacerts(), now=made.NOW)
    assert plugged.read(plugged.files(authority), now=made.NOW).id == authority.id


# A certificate whose key is on a curve that nobody knows: its object identifier is changed.
STRANGE = spoilt(made.cacerts()["ca-cert.pem"], bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030163"))


def without(name: str) -> dict[str, bytes]:
    return {key: value for key, value in made.cacerts().items() if key != name}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (without("ca-key.pem"), "ca-key.pem: missing"),
        ({**made.cacerts(), "ca-cert.pem": b"nonsense"}, "ca-cert.pem: not certificates in PEM"),
        ({**made.cacerts(), "ca-key.pem": b"nonsense"}, "ca-key.pem: not a private key"),
        ({**made.cacerts(), "ca-key.pem": pem(made.key())}, "is not the key of ca-cert.pem"),
        ({**made.cacerts(), "ca-key.pem": pem(ed25519.Ed25519PrivateKey.generate())}, "neither an ECDSA nor an RSA"),
        ({**made.cacerts(), "root-cert.pem": made.cacerts()["root-cert.pem"]}, "does not lead from ca-cert.pem"),
        (made.cacerts(ca=False), "is not an authority, but a leaf"),
        ({**made.cacerts(), "ca-cert.pem": STRANGE}, "not understood|not certificates"),
        (made.cacerts(signs=False), "may not sign certificates"),
        (made.cacerts(end=made.NOW - timedelta(days=1)), "expired on 2026-11-21"),
        (made.cacerts(start=made.NOW + timedelta(days=1)), "is not valid before 2026-11-23"),
        (made.cacerts(root_length=0), "has a path length of 0, but 1 authority is below it"),
        (made.cacerts(key=rsa.generate_private_key(65537, 1024)), "an RSA key of 1024 bits"),
        (made.cacerts(key=ec.generate_private_key(ec.SECP256K1())), "a key on the curve secp256k1"),
        (made.cacerts(algorithm=hashes.SHA224()), "is signed with sha224"),
    ],
)
def test_what_nothing_may_be_signed_with_is_refused_in_words(files, words):
    with pytest.raises(PluggedError, match=words):
        plugged.read(files, now=made.NOW)
