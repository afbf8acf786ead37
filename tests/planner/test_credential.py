"""What keeps a certificate from being used is found before Envoy is told of it."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from semafor.planner import credential
from semafor.resources.core.config_map import ConfigMap
from semafor.resources.core.secret import Secret
from semafor.resources.meta.meta import ObjectMeta

META = ObjectMeta(name="shop", namespace="edge")


def pair(key) -> tuple[bytes, bytes]:
    """A certificate of the key, and the key."""
    now, name = datetime.now(UTC), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    signed = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    return signed.public_bytes(Encoding.PEM), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


GOOD = pair(ec.generate_private_key(ec.SECP256R1()))


def read(**data: bytes) -> credential.Credential | None:
    named = {key.replace("_", "."): base64.b64encode(value).decode() for key, value in data.items()}
    return credential.read(Secret(metadata=META, data=named))


@pytest.mark.parametrize("names", [("tls.crt", "tls.key"), ("cert", "key")])
def test_a_certificate_goes_by_kubernetes_names_and_by_istios(names):
    found = read(**dict(zip(names, GOOD, strict=True)))
    assert (found.flaw, found.certificate, found.expires[:2]) == ("", GOOD[0].decode(), "20")


@pytest.mark.parametrize(
    ("certificate", "key", "why"),
    [
        (GOOD[0], b"", "it has no tls.key"),
        (b"x", GOOD[1], "tls.crt is no certificate in PEM"),
        (GOOD[0], b"x", "tls.key is no private key in PEM"),
        (GOOD[0], pair(ec.generate_private_key(ec.SECP256R1()))[1], "tls.key is not the key of the certificate"),
        (*pair(rsa.generate_private_key(65537, 1024)), "its RSA key has 1024 bits"),
        (*pair(ec.generate_private_key(ec.SECP256K1())), "its key is on the curve secp256k1"),
        (*pair(ed25519.Ed25519PrivateKey.generate()), "its key is neither RSA nor ECDSA"),
        (b"\xff", GOOD[1], "tls.crt is no certificate in PEM"),
    ],
)
def test_what_envoy_would_refuse_is_a_flaw(certificate, key, why):
    assert read(tls_crt=certificate, tls_key=key).flaw.startswith(why)


def test_a_secret_without_certificates_is_none():
    assert read(password=b"secret") is None


def test_authorities_come_from_secrets_and_from_config_maps():
    assert read(cacert=GOOD[0]).authorities_flaw == ""
    assert credential.read_bundle(ConfigMap(metadata=META, data={"ca.crt": GOOD[0].decode()})).authorities_flaw == ""
    bad = credential.read_bundle(ConfigMap(metadata=META, data={"ca.crt": "x"}))
    assert bad.authorities_flaw.startswith("its authorities are no certificates in PEM")


def test_keys_are_not_shown():
    assert repr(read(tls_crt=GOOD[0], tls_key=GOOD[1])) == "Credential(edge/shop)"
