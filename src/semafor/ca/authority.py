"""The root of trust of one mesh: made once, kept in two files, valid for ten years.

Source: SPIFFE X.509-SVID, sections 3 and 4; RFC 5280, section 4.2.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from semafor.base import names
from semafor.ca import keys
from semafor.ca.keys import KeyFileError

ROOT_LIFETIME: Final = timedelta(days=3650)
CLOCK_SKEW: Final = timedelta(minutes=2)  # certificates are valid a little in the past, for clocks that lag


class Authority:
    """A root certificate with its key. `Authority.open` makes it or finds it again."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, trust_domain: str) -> None:
        self.certificate = certificate
        self.key = key
        self.trust_domain = trust_domain

    @classmethod
    def open(cls, folder: Path, *, now: datetime, trust_domain: str = names.TRUST_DOMAIN) -> "Authority":
        """The authority in `folder` (`root-key.pem` with mode 0600, `root-cert.pem`), made on first use.

        Raises KeyFileError when the files do not fit together, or when the root has expired.
        """
        key = keys.open_or_create(folder / "root-key.pem")
        path = folder / "root-cert.pem"
        if not path.exists():
            with suppress(FileExistsError):
                keys.write_once(path, _encode(_self_sign(key, trust_domain, now)), mode=0o644)
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
        except ValueError as error:
            raise KeyFileError(f"{path}: not a certificate in PEM: {error}") from None
        _check(certificate, key, path, now)
        return cls(certificate, key, trust_domain)

    @property
    def root_pem(self) -> bytes:
        """What others verify with: the trust bundle."""
        return _encode(self.certificate)

    def __repr__(self) -> str:
        return f"Authority({self.trust_domain!r}, key=redacted)"


def _self_sign(key: ec.EllipticCurvePrivateKey, trust_domain: str, now: datetime) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, trust_domain),
            x509.NameAttribute(NameOID.COMMON_NAME, "Semafor root"),
        ]
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
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


def _encode(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
