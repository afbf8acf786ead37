"""TLS by X509-SVIDs of somebody else's: identities are verified, host names are not.

Source: SPIFFE X.509-SVID, section 5.
"""

import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from semafor.ca.keys import CaError


class SvidError(CaError):
    """An SVID that cannot be used, or a peer that is not who it should be."""


class Svid:
    """Who one is: a chain and a key (PKCS #8), and whom one trusts; all in DER, certificates one after the other."""

    def __init__(self, chain: bytes, key: bytes, roots: bytes) -> None:
        self._chain = chain
        self._key = key
        self._roots = roots

    def context(self) -> ssl.SSLContext:
        """TLS as a client with this identity. Raises SvidError."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.check_hostname = False  # `check` looks at the identity
        made.set_alpn_protocols(["h2"])
        try:
            made.load_verify_locations(cadata=_pems(self._roots).decode())
            key = serialization.load_der_private_key(self._key, password=None)
        except (ValueError, TypeError, ssl.SSLError) as error:
            raise SvidError(f"the X509-SVID cannot be used: {error}") from None
        own = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        load(made, _pems(self._chain) + own)
        return made

    def __repr__(self) -> str:
        return "Svid(key=redacted)"


def check(connection: ssl.SSLObject, wanted: str) -> None:
    """Raises SvidError unless the other side has proven the identity `wanted`."""
    der = connection.getpeercert(binary_form=True)
    try:
        found = x509.load_der_x509_certificate(der or b"").extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        names = found.value.get_values_for_type(x509.UniformResourceIdentifier)
    except (ValueError, x509.ExtensionNotFound):
        names = []
    if names != [wanted]:
        raise SvidError(f"the server proves to be {', '.join(names) or 'nobody'}, not {wanted}")


def load(context: ssl.SSLContext, pem: bytes) -> None:
    """Take a chain and its key from a file in memory: a key is never written to disk, and ssl reads files only.

    Raises SvidError.
    """
    file = os.memfd_create("svid")
    try:
        with os.fdopen(os.dup(file), "wb") as writer:
            writer.write(pem)
        context.load_cert_chain(f"/proc/self/fd/{file}")
    except ssl.SSLError as error:
        raise SvidError(f"the X509-SVID cannot be used: {error}") from None
    finally:
        os.close(file)


def _pems(ders: bytes) -> bytes:
    """Certificates in DER, one after the other, as PEM."""
    found, at = b"", 0
    while at < len(ders):
        length = _length(ders[at : at + 6])
        one = x509.load_der_x509_certificate(ders[at : at + length])
        found, at = found + one.public_bytes(serialization.Encoding.PEM), at + length
    return found


def _length(head: bytes) -> int:
    """Of the whole DER value that begins so. Raises ValueError."""
    if len(head) < 2:
        raise ValueError("cut off")
    if head[1] < 0x80:
        return 2 + head[1]
    count = head[1] & 0x7F
    return 2 + count + int.from_bytes(head[2 : 2 + count], "big")
