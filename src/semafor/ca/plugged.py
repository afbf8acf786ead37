"""An authority that somebody else made: the files of Istio's Secret `cacerts`, checked before it signs anything.

Source: Istio's documentation, "Plug in CA Certificates"; RFC 5280, sections 4.2.1.9 and 6.1.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

from semafor.ca.authority import Authority, SigningKey
from semafor.ca.keys import CaError

CERTIFICATE: Final = "ca-cert.pem"
KEY: Final = "ca-key.pem"
ROOT: Final = "root-cert.pem"
CHAIN: Final = "cert-chain.pem"
_CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")
_MIN_RSA_BITS: Final = 2048
_STRONG: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


class PluggedError(CaError):
    """Files that nothing may be signed with. The message names the file, what is wrong with it, and what to do."""


def read(files: Mapping[str, bytes], *, now: datetime) -> Authority:
    """The authority in `files`, by the names above. Raises PluggedError."""
    try:
        return _read(files, now)
    except PluggedError:
        raise
    except Exception as error:
        raise PluggedError(f"the files are not understood: {error or type(error).__name__}") from error


def _read(files: Mapping[str, bytes], now: datetime) -> Authority:
    if missing := [name for name in (CERTIFICATE, KEY, ROOT, CHAIN) if not files.get(name, b"").strip()]:
        raise PluggedError(f"{' and '.join(missing)}: missing (Istio's `cacerts` has four files)")
    certificate = _certificates(CERTIFICATE, files[CERTIFICATE])[0]
    key = _key(files[KEY])
    return authority(
        certificate,
        key,
        chain=_certificates(CHAIN, files[CHAIN]),
        roots=_certificates(ROOT, files[ROOT]),
        now=now,
        source="plugged",
    )


def authority(
    certificate: x509.Certificate,
    key: SigningKey,
    *,
    chain: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    now: datetime,
    source: str,
) -> Authority:
    """The authority of the certificate and its key, if leaves of it can be trusted. Raises PluggedError."""
    if certificate.public_key() != key.public_key():
        raise PluggedError(f"{KEY}: is not the key of {CERTIFICATE} (take both from the same request)")
    path = _path(certificate, chain, roots)
    for depth, each in enumerate(path):
        _check(each, CERTIFICATE if depth == 0 else CHAIN if depth < len(path) - 1 else ROOT, depth, now)
    return Authority(certificate, key, chain=tuple(path[:-1]), roots=tuple(roots), source=source)


def files(made: Authority) -> dict[str, bytes]:
    """The files that `read` makes the same authority of."""
    return {
        CERTIFICATE: made.certificate.public_bytes(serialization.Encoding.PEM),
        KEY: made.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        ROOT: made.root_pem,
        CHAIN: made.chain_pem or made.root_pem,
    }


def _certificates(name: str, pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise PluggedError(f"{name}: not certificates in PEM: {error}") from None


def _key(pem: bytes) -> SigningKey:
    try:
        key: PrivateKeyTypes = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise PluggedError(f"{KEY}: not a private key in PEM without a password") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise PluggedError(f"{KEY}: neither an ECDSA nor an RSA key, which all that a mesh speaks with can verify")
    return key


def _path(
    certificate: x509.Certificate, chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> list[x509.Certificate]:
    """From the certificate to a root, each signed by the next."""
    path = [certificate]
    while path[-1] not in roots:
        issuer = next((each for each in (*roots, *chain) if each not in path and _issued(path[-1], each)), None)
        if issuer is None:
            by = path[-1].issuer.rfc4514_string()
            raise PluggedError(f"{CHAIN}: does not lead from {CERTIFICATE} to {ROOT} (none of both is {by!r})")
        path.append(issuer)
    return path


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _check(certificate: x509.Certificate, name: str, depth: int, now: datetime) -> None:
    """`depth` is the number of authorities between the certificate and a leaf."""
    who = f"{name}: {certificate.subject.rfc4514_string()!r}"
    if now > certificate.not_valid_after_utc:
        raise PluggedError(f"{who} expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC (renew it)")
    if now < certificate.not_valid_before_utc:
        raise PluggedError(f"{who} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC")
    _check_role(certificate, who, depth)
    if weakness := _weakness(certificate.public_key()):
        raise PluggedError(f"{who} has {weakness} (take ECDSA P-256, or RSA of at least {_MIN_RSA_BITS} bits)")
    if name != ROOT and not isinstance(certificate.signature_hash_algorithm, _STRONG):
        algorithm = certificate.signature_hash_algorithm
        raise PluggedError(f"{who} is signed with {algorithm.name if algorithm else 'an unknown hash'} (take SHA-256)")


def _check_role(certificate: x509.Certificate, who: str, depth: int) -> None:
    try:
        extensions = certificate.extensions
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, x509.ExtensionNotFound):
        raise PluggedError(f"{who} is not an authority: it has no basic constraints (ask for CA:TRUE)") from None
    if not constraints.ca:
        raise PluggedError(f"{who} is not an authority, but a leaf (ask for CA:TRUE)")
    if constraints.path_length is not None and constraints.path_length < depth:
        words = f"{depth} authorit{'y is' if depth == 1 else 'ies are'} below it"
        raise PluggedError(f"{who} has a path length of {constraints.path_length}, but {words}")
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not usage.key_cert_sign:
        raise PluggedError(f"{who} may not sign certificates (ask for the key usage keyCertSign)")


def _weakness(key: PublicKeyTypes) -> str:
    match key:
        case rsa.RSAPublicKey():
            return f"an RSA key of {key.key_size} bits" if key.key_size < _MIN_RSA_BITS else ""
        case ec.EllipticCurvePublicKey():
            return "" if key.curve.name in _CURVES else f"a key on the curve {key.curve.name}"
        case _:
            return "a key that is neither ECDSA nor RSA"
