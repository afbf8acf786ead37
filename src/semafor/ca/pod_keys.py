"""Private keys of a pod's proxy, made in the pod's own supervisor. What leaves it is a certificate request.

The key lies in a folder in memory that only the proxy's container is shown; the daemon learns the file's name.
"""

import hashlib
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

# The order of the group of P-256. Source: SEC 2, section 2.4.2.
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SEED_BYTES: Final = 48  # 128 bits more than the order has, so that the remainder is even. FIPS 186-5, A.2.1


class Made(NamedTuple):
    """The name of the file with the key, and a request (PEM) that proves that its maker has it."""

    name: str
    request: bytes


def make(folder: Path, keep: Collection[str]) -> Made:
    """A new key in `folder`; of the older ones those named `keep` stay."""
    key = _derived(int.from_bytes(os.urandom(_SEED_BYTES)))
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    name = f"{hashlib.sha256(public).hexdigest()[:32]}.pem"
    _write(folder / name, _pem(key))
    for path in folder.iterdir():
        if path.name not in {name, *keep}:
            path.unlink()
    return Made(name, _request(key))


def answer(body: dict[str, Any], folder: str) -> dict[str, Any]:
    """What a supervisor answers when it is asked for a key: never the key."""
    made = make(Path(folder), body["keep"])
    return {"name": made.name, "request": made.request.decode()}


def prepare() -> None:
    """Have OpenSSL load what `make` needs, so that forks share that memory: 3 MB of each of them."""
    known_to_all = _derived(0)
    _pem(known_to_all)
    _request(known_to_all)


def _derived(seed: int) -> ec.EllipticCurvePrivateKey:
    """The key that follows from the seed, which has to be the kernel's random number.

    Supervisors are forks of one process, and each is the first of its PID namespace. OpenSSL knows a fork by a process
    id of its own, which is 1 in all of them: its random numbers could be the same in each.
    """
    return ec.derive_private_key(seed % (_ORDER - 1) + 1, ec.SECP256R1())


def _request(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Signed without random numbers, for the same reason."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True).public_bytes(serialization.Encoding.PEM)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Not by renaming: Envoy watches the folder for that, and would read its older key once more."""
    owner = path.parent.stat()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
        file.write(content)
        if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
