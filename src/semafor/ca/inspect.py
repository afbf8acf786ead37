"""What certificates say, for people."""

from datetime import datetime

from cryptography import x509

from semafor.base.struct import Value


class Shown(Value):
    """One certificate. `names` are the URIs and DNS names that it is for."""

    serial: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]


def read(pem: bytes) -> tuple[Shown, ...]:
    """The certificates of the text, in their order. Raises ValueError when it holds none."""
    return tuple(_shown(each) for each in x509.load_pem_x509_certificates(pem))


def _shown(certificate: x509.Certificate) -> Shown:
    return Shown(
        serial=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        names=_names(certificate),
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (*found.get_values_for_type(x509.UniformResourceIdentifier), *found.get_values_for_type(x509.DNSName))
