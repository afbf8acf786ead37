"""The authorities that this machine trusts, for TLS to servers outside of the mesh."""

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

# Where distributions keep them: Debian, Fedora, SUSE, Alpine.
_PLACES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def read() -> str:
    """Their certificates in PEM, of the first place that has any; empty where there is none."""
    for place in _places():
        try:
            text = Path(place).read_text(encoding="ascii", errors="ignore")
        except OSError:
            continue
        if "BEGIN CERTIFICATE" in text:
            return text
    return ""


def _places() -> Iterator[str]:
    yield from filter(None, (os.environ.get("SSL_CERT_FILE"), ssl.get_default_verify_paths().cafile))
    yield from _PLACES
