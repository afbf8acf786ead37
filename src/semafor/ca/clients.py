"""Certificates by which people and programs sign in to the API: who they are is in the subject, as Kubernetes reads it.

Source: Kubernetes' "Authenticating" (X.509 client certificates) and "Certificate Signing Requests"
(kubernetes.io/kube-apiserver-client).
"""

from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from semafor.base.struct import Value
from semafor.ca import issue, keys
from semafor.ca.authority import CLOCK_SKEW, Authority, usage
from semafor.ca.issue import Certificate, RequestError

_MIN_RSA_BITS: Final = 2048
_MAX_RSA_BITS: Final = 8192  # a larger one costs us, and proves no more
_CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey


class Client(Value):
    """Who signs in: the subject's common name, and its organizations."""

    name: str
    groups: tuple[str, ...] = ()


class Shown(Value):
    """A certificate that was shown: whose, for how long, and its digest, by which logs can name it."""

    client: Client
    not_before: datetime
    not_after: datetime
    digest: str

    def holds(self, now: datetime) -> bool:
        return self.not_before <= now <= self.not_after


def asked(csr: bytes) -> Client:
    """Whom a request (PEM) wants a certificate for. Raises RequestError when it is not sound, or names nobody."""
    request, _ = _sound(csr)
    found = _client(request.subject)
    if found is None:
        raise RequestError("the request names nobody: its subject needs one common name (CN), the user")
    return found


def request(key: keys.PrivateKey, client: Client) -> bytes:
    """A request (PEM) for a certificate of the client."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(client))
    return builder.sign(keys.load(key), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def sign(authority: Authority, csr: bytes, *, now: datetime, lifetime: timedelta) -> Certificate:
    """A certificate for whom the request names: somebody has approved that. Raises RequestError.

    It is good for signing in and for nothing else, whatever else the request asks for.
    """
    _, key = _sound(csr)
    builder = (
        x509.CertificateBuilder(issuer_name=authority.certificate.subject, subject_name=_subject(asked(csr)))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(min(now + lifetime, authority.expires))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    signed = builder.sign(authority.key, hashes.SHA256())
    pem = signed.public_bytes(serialization.Encoding.PEM)
    return Certificate(pem, signed.not_valid_before_utc, signed.not_valid_after_utc)


def read(authority: Authority, der: bytes) -> Shown | None:
    """Whose certificate it is; None when the authority has not signed it, or not for signing in. Times are the caller's
    to look at, with every request: connections outlive certificates."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.verify_directly_issued_by(authority.certificate)
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return None
    client = _client(certificate.subject)
    if client is None or ExtendedKeyUsageOID.CLIENT_AUTH not in uses:
        return None
    return Shown(
        client=client,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        digest=certificate.fingerprint(hashes.SHA256()).hex(),
    )


def _client(subject: x509.Name) -> Client | None:
    names = _texts(subject, NameOID.COMMON_NAME)
    return Client(names[0], _texts(subject, NameOID.ORGANIZATION_NAME)) if len(names) == 1 and names[0] else None


def _texts(subject: x509.Name, kind: x509.ObjectIdentifier) -> tuple[str, ...]:
    return tuple(str(each.value) for each in subject.get_attributes_for_oid(kind))


def _subject(client: Client) -> x509.Name:
    groups = (x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in client.groups)
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, client.name)])


def _sound(csr: bytes) -> tuple[x509.CertificateSigningRequest, PublicKey]:
    found, key = issue.read(csr)
    match key:
        case ec.EllipticCurvePublicKey() if key.curve.name in _CURVES:
            return found, key
        case rsa.RSAPublicKey() if _MIN_RSA_BITS <= key.key_size <= _MAX_RSA_BITS:
            return found, key
        case ed25519.Ed25519PublicKey():
            return found, key
    raise RequestError("the key must be ECDSA on a NIST curve, Ed25519, or RSA of at least 2048 bits")
