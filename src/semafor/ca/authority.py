"""Who signs: a root of our own, made once, kept in two files, valid for ten years; or an intermediate of another's.

Source: SPIFFE X.509-SVID, sections 3 and 4; RFC 5280, section 4.2.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from semafor.base import names
from semafor.ca import keys
from semafor.ca.keys import KeyFileError

ROOT_LIFETIME: Final = timedelta(days=3650)
OWN: Final = "own"
CLOCK_SKEW: Final = timedelta(minutes=2)  # certificates are valid a little in the past, for clocks that lag

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Authority:
    """A certificate that signs others, with its key. `Authority.open` makes a root or finds it again.

    `chain` leads from the certificate, which is its first, to one of the `roots`, which are not in it; a root of our
    own has none. Leaves are sent with it, because others know the roots alone. `source` is where it comes from, in a
    word for people.
    """

    def __init__(
        self,
        certificate: x509.Certificate,
        key: SigningKey,
        *,
        chain: tuple[x509.Certificate, ...] = (),
        roots: tuple[x509.Certificate, ...] = (),
        source: str = OWN,
    ) -> None:
        self.certificate = certificate
        self.key = key
        self.chain = chain
        self.roots = roots or (certificate,)
        self.source = source

    @classmethod
    def open(cls, folder: Path, *, now: datetime, trust_domain: str = names.TRUST_DOMAIN) -> "Authority":
        """The authority in `folder` (`root-key.pem` with mode 0600, `root-cert.pem`), made on first use.

        Raises KeyFileError when the files do not fit together, or when the root has expired.
        """
        key = keys.open_or_create(folder / "root-key.pem")
        path = folder / "root-cert.pem"
        if not path.exists():
            with suppress(FileExistsError):
                keys.write_once(path, encode(self_sign(key, trust_domain, now)), mode=0o644)
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
        except ValueError as error:
            raise KeyFileError(f"{path}: not a certificate in PEM: {error}") from None
        _check(certificate, key, path, now)
        return cls(certificate, key)

    @classmethod
    def new(cls, *, now: datetime, trust_domain: str = names.TRUST_DOMAIN) -> "Authority":
        """A new root, in memory."""
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(self_sign(key, trust_domain, now), key)

    @property
    def root_pem(self) -> bytes:
        """What others verify with: the trust bundle."""
        return bundle(self.roots)

    @property
    def chain_pem(self) -> bytes:
        """What a leaf is sent with."""
        return bundle(self.chain)

    @property
    def expires(self) -> datetime:
        """When the first certificate that its leaves need ends."""
        return min(each.not_valid_after_utc for each in (self.certificate, *self.chain))

    @property
    def id(self) -> str:
        """Sixteen digits of the certificate's SHA-256 fingerprint, which tell authorities apart."""
        return fingerprint(self.certificate)

    def __repr__(self) -> str:
        return f"Authority({self.id!r}, key=redacted)"


def fingerprint(certificate: x509.Certificate) -> str:
    """Sixteen digits of the certificate's SHA-256 fingerprint."""
    return certificate.fingerprint(hashes.SHA256()).hex()[:16]


def bundle(certificates: Iterable[x509.Certificate]) -> bytes:
    """The certificates as PEM, each once, in their order."""
    return b"".join(encode(each) for each in dict.fromkeys(certificates))


def encode(certificate: x509.Certificate) -> bytes:
    """The certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def self_sign(key: ec.EllipticCurvePrivateKey, trust_domain: str, now: datetime) -> x509.Certificate:
    """A root of ten years."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, trust_domain),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Semafor root {identifier.digest.hex()[:8]}"),
        ]
    )
    builder = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + ROOT_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"spiffe://{trust_domain}")]), critical=False
        )
    )
    return builder.sign(key, hashes.SHA256())


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """Key usage of a root, or of a leaf: one of them signs certificates, the other never does."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _check(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, path: Path, now: datetime) -> None:
    if certificate.public_key() != key.public_key():
        raise KeyFileError(f"{path} does not belong to the key beside it (delete both and new ones are made)")
    if now > certificate.not_valid_after_utc:
        raise KeyFileError(f"{path} expired on {certificate.not_valid_after_utc:%Y-%m-%d} (delete it)")
