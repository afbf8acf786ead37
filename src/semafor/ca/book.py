"""The file in which the mesh's authorities outlive the daemon: written whole or not at all, and its owner's alone.

A rotation goes on from where it stood, whenever the daemon ended, because every step is written here before it is done.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from semafor.ca import keys, plugged, trust
from semafor.ca.authority import Authority, bundle
from semafor.ca.keys import KeyFileError
from semafor.ca.trust import Trust

FILE: Final = "authorities.json"
ROOTS: Final = "root-cert.pem"  # what is trusted now, for people and programs to read
_FIRST_KEY: Final = "root-key.pem"


def open_(folder: Path, *, now: datetime) -> Trust:
    """The authorities in `folder`; a new root on first use. Raises KeyFileError."""
    path = folder / FILE
    if path.exists():
        return _read(path)
    made = trust.start(Authority.open(folder, now=now), now)
    save(folder, made)
    (folder / _FIRST_KEY).unlink()  # its key is in the other file now
    return made


def save(folder: Path, made: Trust) -> None:
    """Keep the authorities; on disk when this returns."""
    document: dict[str, Any] = {"phase": made.phase, "since": made.since.isoformat()}
    document |= {name: _files(getattr(made, name)) for name in ("own", "active", "coming")}
    keys.write(folder / FILE, json.dumps(document, indent=1).encode(), mode=0o600)
    keys.write(folder / ROOTS, bundle(made.roots), mode=0o644)


def _read(path: Path) -> Trust:
    keys.check_mode(path)
    try:
        document = json.loads(path.read_bytes())
        own, active, coming = (_authority(document[name]) for name in ("own", "active", "coming"))
        since = datetime.fromisoformat(document["since"])
    except (ValueError, LookupError, TypeError) as error:
        raise KeyFileError(f"{path}: not what was written there: {error} (delete it and a new root is made)") from None
    return Trust(own=own, active=active, coming=coming, phase=document["phase"], since=since)


def _authority(files: dict[str, str]) -> Authority:
    """Without the checks of `plugged`, which it has passed: one that has expired since is still known here."""
    key = keys.load_any(files[plugged.KEY].encode())
    certificate = x509.load_pem_x509_certificate(files[plugged.CERTIFICATE].encode())
    roots = tuple(x509.load_pem_x509_certificates(files[plugged.ROOT].encode()))
    chain = tuple(x509.load_pem_x509_certificates(pem.encode())) if (pem := files[plugged.CHAIN]) else ()
    return Authority(certificate, key, chain=chain, roots=roots, source=files["source"])


def _files(authority: Authority) -> dict[str, str]:
    found = plugged.files(authority) | {plugged.CHAIN: authority.chain_pem}
    return {name: pem.decode() for name, pem in found.items()} | {"source": authority.source}
