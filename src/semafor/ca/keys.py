"""Private keys: ECDSA P-256, in memory and in files that only their owner can read."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import CertificateSigningRequestBuilder, Name

from semafor.base.struct import Value


class CaError(Exception):
    """Anything this package refuses.

    CaError
     ├ KeyFileError      a key or root file that cannot be used
     ├ RequestError      a certificate request that must not be signed
     ├ PluggedError      an authority of others that nothing may be signed with
     └ TokenError        a token that proves nothing
    """


class KeyFileError(CaError):
    """A key or root file that cannot be used; the message says which and what to do."""


class PrivateKey(Value):
    """A private key as PEM (PKCS #8). It never shows itself in a log or a traceback."""

    pem: bytes

    def __repr__(self) -> str:
        return "PrivateKey(redacted)"


def generate() -> PrivateKey:
    """A new key for a workload or a server."""
    return PrivateKey(_pem(ec.generate_private_key(ec.SECP256R1())))


def request(key: PrivateKey) -> bytes:
    """A certificate request (PEM) that proves possession of `key`. It names nobody: the issuer knows who asks."""
    signed = CertificateSigningRequestBuilder().subject_name(Name([])).sign(load(key), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def load_any(pem: bytes) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    """Raises KeyFileError when the PEM holds no key that an authority may have."""
    try:
        loaded = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"not a private key in PEM: {error}") from None
    if not isinstance(loaded, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeyFileError("neither an elliptic-curve nor an RSA key")
    return loaded


def load(key: PrivateKey) -> ec.EllipticCurvePrivateKey:
    """Raises KeyFileError when the PEM holds no elliptic-curve key."""
    loaded = load_any(key.pem)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise KeyFileError("not an elliptic-curve key")
    return loaded


def open_or_create(path: Path) -> ec.EllipticCurvePrivateKey:
    """The key in the file `path`, made on first use with mode 0600.

    Two processes that start at once end up with the same key. Raises KeyFileError when the file cannot be used or
    when others may read it.
    """
    if not path.exists():
        with contextlib.suppress(FileExistsError):
            write_once(path, _pem(ec.generate_private_key(ec.SECP256R1())), mode=0o600)
    check_mode(path)
    try:
        return load(PrivateKey(path.read_bytes()))
    except KeyFileError as error:
        raise KeyFileError(f"{path}: {error} (delete it and a new one is made)") from None


def check_mode(path: Path) -> None:
    """Raises KeyFileError when others than the owner may read the file."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyFileError(f"{path}: other users may read this private key (chmod 600 {path}, or delete it)")


def write_once(path: Path, content: bytes, *, mode: int) -> None:
    """Make a file in one step: it appears whole and on disk, or not at all. Raises FileExistsError when it is there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _written(path, content, mode) as temporary:
        path.hardlink_to(temporary)  # unlike a rename, fails when another process was first


def write(path: Path, content: bytes, *, mode: int) -> None:
    """Make a file in one step, in the place of the one that is there; both are on disk when this returns."""
    with _written(path, content, mode) as temporary:
        temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _written(path: Path, content: bytes, mode: int) -> Iterator[Path]:
    """The content in a file of its own beside `path`, on disk; gone at the end, unless it was moved."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
