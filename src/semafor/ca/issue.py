"""Short-lived certificates. Pure: who asks, and what time it is, are parameters.

Source: SPIFFE X.509-SVID (exactly one URI SAN, no CA, digitalSignature); RFC 5280 (an empty subject makes the
SAN critical); Istio's defaults (24 hours).
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from semafor.base.struct import Value
from semafor.ca import keys
from semafor.ca.authority import CLOCK_SKEW, Authority, usage
from semafor.ca.keys import CaError

WORKLOAD_LIFETIME: Final = timedelta(hours=24)
SERVER_LIFETIME: Final = timedelta(days=365)
API_SERVER_NAMES: Final = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
                           "kubernetes.default.svc.cluster.local")  # fmt: skip
API_SERVER_ADDRESSES: Final = ("127.0.0.1", "::1", "10.96.0.1")

_SPIFFE_ID = re.compile(r"spiffe://[a-z0-9._-]{1,255}(/(?!\.{1,2}(/|$))[A-Za-z0-9._-]+)+")
_MAX_ID_BYTES = 2048
# The type of the name that says what metrics call a workload. Anybody may make one of a UUID: ITU-T X.667.
_CALLED = x509.ObjectIdentifier("2.25.108198309340420811676989779653834840359")
_CURVES = ("secp256r1", "secp384r1")  # what every TLS stack in a mesh can verify


class RequestError(CaError):
    """A certificate request that must not be signed; the message says why."""


class Certificate(Value):
    """A leaf certificate as PEM, with what leads to the root; that one every verifier has already."""

    pem: bytes
    not_before: datetime
    not_after: datetime


class Name(Value):
    """Whom a certificate is for, and what metrics call that workload: peers read it there, and trust the authority."""

    spiffe_id: str
    called: str = ""


class Identity(Value):
    """A certificate with its key: what a proxy or a server presents."""

    certificate: Certificate
    key: keys.PrivateKey


def issue(
    authority: Authority, csr: bytes, who: str | Name, *, now: datetime, lifetime: timedelta = WORKLOAD_LIFETIME
) -> Certificate:
    """Sign the key of the request `csr` (PEM) as belonging to `who`, a SPIFFE ID or a name.

    The identity is what the caller has established; whatever names the request itself holds are dropped.
    Raises RequestError when the request is not sound or the identity is not a SPIFFE ID.
    """
    name = Name(who) if isinstance(who, str) else who
    _check_id(name.spiffe_id)
    called = [x509.OtherName(_CALLED, _utf8(name.called))] if name.called else []
    san = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(name.spiffe_id), *called])
    return _sign(authority, _requested_key(csr), san, now, lifetime)


def workload(
    authority: Authority, spiffe_id: str, *, now: datetime, lifetime: timedelta = WORKLOAD_LIFETIME
) -> Identity:
    """A fresh key and its certificate in one step."""
    key = keys.generate()
    return Identity(issue(authority, keys.request(key), spiffe_id, now=now, lifetime=lifetime), key)


def server(
    authority: Authority,
    *,
    now: datetime,
    dns: Iterable[str] = API_SERVER_NAMES,
    addresses: Iterable[str] = API_SERVER_ADDRESSES,
) -> Identity:
    """The certificate of a TLS server that is known by names and addresses; by default, of the Kubernetes API."""
    key = keys.generate()
    entries = [*map(x509.DNSName, dns), *(x509.IPAddress(ip_address(address)) for address in addresses)]
    public = keys.load(key).public_key()
    return Identity(_sign(authority, public, x509.SubjectAlternativeName(entries), now, SERVER_LIFETIME), key)


def renew_at(certificate: Certificate, jitter: float, *, part: float = 0.5) -> datetime:
    """When to replace a certificate: after that part of its life, half of it as a rule, or up to a fifth earlier.

    `jitter` is between 0 and 1, drawn by the caller, so that a fleet that began together does not renew together.
    """
    lifetime = certificate.not_after - certificate.not_before
    return certificate.not_before + lifetime * part * (1 - 0.2 * jitter)


def _check_id(spiffe_id: str) -> None:
    if not _SPIFFE_ID.fullmatch(spiffe_id) or len(spiffe_id) > _MAX_ID_BYTES:
        raise RequestError(f"{spiffe_id!r} is not a SPIFFE ID of a workload")


def _utf8(text: str) -> bytes:
    """The text as a UTF8String of DER: tag, length, bytes. Source: ITU-T X.690."""
    data = text.encode()
    long = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    length = long if len(data) < 128 else bytes([0x80 | len(long)]) + long
    return b"\x0c" + length + data


def read(csr: bytes) -> tuple[x509.CertificateSigningRequest, CertificatePublicKeyTypes]:
    """A request (PEM) and its key, which has signed it. Raises RequestError."""
    try:
        request = x509.load_pem_x509_csr(csr)
        key, is_signed = request.public_key(), request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RequestError(f"not a certificate request in PEM: {error}") from None
    if not is_signed:
        raise RequestError("the request is not signed by the key that it asks a certificate for")
    return request, key


def _requested_key(csr: bytes) -> ec.EllipticCurvePublicKey:
    _, key = read(csr)
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _CURVES:
        raise RequestError("the key must be ECDSA P-256 or P-384")
    return key


def _sign(
    authority: Authority,
    key: ec.EllipticCurvePublicKey,
    san: x509.SubjectAlternativeName,
    now: datetime,
    lifetime: timedelta,
) -> Certificate:
    issuer = authority.certificate
    until = min(now + lifetime, authority.expires)
    builder = (
        x509.CertificateBuilder(issuer_name=issuer.subject, subject_name=x509.Name([]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(until)
        .add_extension(san, critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(_key_identifier(issuer), critical=False)
    )
    signed = builder.sign(authority.key, hashes.SHA256())
    pem = signed.public_bytes(serialization.Encoding.PEM)
    return Certificate(pem + authority.chain_pem, signed.not_valid_before_utc, signed.not_valid_after_utc)


def _key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """The issuer's own name for its key, which need not be the digest that we would make."""
    try:
        found = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found)
