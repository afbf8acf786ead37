"""An authority of our own below somebody else's: what is asked for, and what has to come back."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from semafor.ca import plugged
from semafor.ca.authority import Authority, usage
from semafor.ca.plugged import PluggedError


class Asked(NamedTuple):
    """A new key, and the request (DER) for an authority's certificate for it."""

    key: ec.EllipticCurvePrivateKey
    request: bytes

    @property
    def pem(self) -> bytes:
        return x509.load_der_x509_csr(self.request).public_bytes(serialization.Encoding.PEM)

    def __repr__(self) -> str:
        return "Asked(key=redacted)"


def ask(trust_domain: str) -> Asked:
    """A request for an authority that signs leaves, and no further authorities."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, trust_domain),
            x509.NameAttribute(NameOID.COMMON_NAME, "Semafor intermediate"),
        ]
    )
    identity = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"spiffe://{trust_domain}")])
    builder = (
        x509.CertificateSigningRequestBuilder(name)
        .add_extension(identity, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
    )
    return Asked(key, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


def answered(asked: Asked, chain: Sequence[bytes], roots: Sequence[bytes], *, now: datetime, source: str) -> Authority:
    """The authority that was asked for. `chain` begins with its certificate; both are DER. Raises PluggedError."""
    try:
        found, trusted = ([x509.load_der_x509_certificate(each) for each in ders] for ders in (chain, roots))
    except ValueError as error:
        raise PluggedError(f"the answer holds what is no certificate: {error}") from None
    if not found or not trusted:
        raise PluggedError("the answer holds no certificate, or no root")
    return plugged.authority(found[0], asked.key, chain=found, roots=trusted, now=now, source=source)


def ders(pem: bytes) -> list[bytes]:
    """The certificates of a PEM text, each as DER. Raises PluggedError."""
    try:
        return [each.public_bytes(serialization.Encoding.DER) for each in x509.load_pem_x509_certificates(pem)]
    except ValueError as error:
        raise PluggedError(f"the answer holds what is no certificate in PEM: {error}") from None
