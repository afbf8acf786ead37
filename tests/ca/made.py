"""Authorities of any kind, good and bad, for tests."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from semafor.ca import authority, plugged

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
YEAR = timedelta(days=365)


def key():
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Wanted:
    """A certificate to be made, by default a good authority's."""

    name: str
    key: Any = field(default_factory=key)
    ca: bool = True
    length: int | None = None
    start: datetime = NOW - YEAR
    end: datetime = NOW + YEAR
    signs: bool = True
    algorithm: hashes.HashAlgorithm = field(default_factory=hashes.SHA256)

    def signed(self, issuer: x509.Certificate | None = None, issuer_key: Any = None) -> x509.Certificate:
        """Signed by the issuer, or by itself."""
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.name)])
        signing, public = issuer_key or self.key, self.key.public_key()
        parts = (
            (x509.BasicConstraints(ca=self.ca, path_length=self.length if self.ca else None), True),
            (authority.usage(signs_certificates=self.signs), True),
            (x509.SubjectKeyIdentifier.from_public_key(public), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), False),
        )
        builder = x509.CertificateBuilder(issuer.subject if issuer else subject, subject, public)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(self.start).not_valid_after(self.end)
        for extension, critical in parts:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(signing, self.algorithm)


def cacerts(now: datetime = NOW, root_length: int | None = None, **wanted: Any) -> dict[str, bytes]:
    """The four files of an intermediate, `wanted` so, below a new root."""
    usual = {"start": now - YEAR, "end": now + YEAR}
    above, own = Wanted("Root", length=root_length, **usual), Wanted("Intermediate", **{**usual, **wanted})
    root = above.signed()
    made = own.signed(root, above.key)
    return plugged.files(authority.Authority(made, own.key, chain=(made,), roots=(root,)))


def ids(pem: bytes) -> list[str]:
    """What tells the certificates apart for people."""
    return [authority.fingerprint(each) for each in x509.load_pem_x509_certificates(pem)]
