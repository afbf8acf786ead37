"""Secrets and ConfigMaps as certificates, with what is wrong with them: Envoy refuses what does not fit together.

Source: Istio's "Secure Gateways", which keys of a Secret count, and Envoy's requirements for certificates.
"""

import base64
import binascii

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from semafor.base.struct import Value
from semafor.resources.core import config_map, secret
from semafor.resources.marks import Labels

AUTHORITIES_SUFFIX = "-cacert"
_MIN_RSA_BITS = 2048  # Envoy's own limit
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)  # those that Envoy takes
_PUBLIC = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class Credential(Value, cache_hash=True):
    """The certificate, key and authorities of one object, in PEM; empty texts for what it does not have.

    `flaw` says why certificate and key can not be used, `authorities_flaw` the same of the authorities.
    `expires` is when the certificate does, as RFC 3339 in UTC.
    """

    namespace: str
    name: str
    certificate: str = ""
    key: str = ""
    authorities: str = ""
    revoked: str = ""
    flaw: str = ""
    authorities_flaw: str = ""
    expires: str = ""

    def __repr__(self) -> str:
        """Leave the key out."""
        return f"Credential({self.namespace}/{self.name})"


def read(document: secret.Secret) -> Credential | None:
    """The Secret as certificates; None for one that has nothing to do with them."""
    data = document.data
    certificate, key = _either(data, ("cert", "tls.crt"), ("key", "tls.key"))
    authorities = _decoded(data, "cacert", "ca.crt")
    if not (certificate or key or authorities):
        return None
    return _credential(
        Credential(
            namespace=document.metadata.namespace,
            name=document.metadata.name,
            certificate=certificate,
            key=key,
            authorities=authorities,
            revoked=_decoded(data, "crl", "ca.crl"),
        )
    )


def read_bundle(document: config_map.ConfigMap) -> Credential | None:
    """The ConfigMap as authorities (its key `ca.crt`); None for one without."""
    authorities = document.data.get("ca.crt", "")
    if not authorities:
        return None
    meta, revoked = document.metadata, document.data.get("ca.crl", "")
    return _credential(Credential(namespace=meta.namespace, name=meta.name, authorities=authorities, revoked=revoked))


def _either(data: Labels, *names: tuple[str, str]) -> tuple[str, str]:
    """Certificate and key by Istio's own names, or else by Kubernetes'."""
    own = tuple(_decoded(data, pair[0]) for pair in names)
    found = own if all(own) else tuple(_decoded(data, pair[1]) for pair in names)
    return found[0], found[1]


def _decoded(data: Labels, *keys: str) -> str:
    """The value of the first of the keys that is there."""
    for key in keys:
        if data.get(key):
            try:
                return base64.b64decode(data[key]).decode()
            except (binascii.Error, UnicodeDecodeError):
                return "?"  # no PEM, which is then told of
    return ""


def _credential(found: Credential) -> Credential:
    flaw, expires = _pair_flaw(found.certificate, found.key)
    authorities_flaw = _authorities_flaw(found.authorities) if found.authorities else "it has no ca.crt or cacert"
    return Credential(
        namespace=found.namespace,
        name=found.name,
        certificate=found.certificate,
        key=found.key,
        authorities=found.authorities,
        revoked=found.revoked,
        flaw=flaw,
        authorities_flaw=authorities_flaw,
        expires=expires,
    )


def _pair_flaw(certificate: str, key: str) -> tuple[str, str]:
    """Why Envoy would not take the pair, and until when the certificate is good."""
    if not certificate or not key:
        return f"it has no {'tls.crt' if not certificate else 'tls.key'}", ""
    try:
        first, *_ = x509.load_pem_x509_certificates(certificate.encode())
    except ValueError as error:
        return f"tls.crt is no certificate in PEM ({error})", ""
    try:
        private = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        return f"tls.key is no private key in PEM ({error})", ""
    expires = first.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    if private.public_key().public_bytes(*_PUBLIC) != first.public_key().public_bytes(*_PUBLIC):
        return "tls.key is not the key of the certificate in tls.crt", expires
    return _key_flaw(first.public_key()), expires


def _key_flaw(public: object) -> str:
    if isinstance(public, rsa.RSAPublicKey) and public.key_size < _MIN_RSA_BITS:
        return f"its RSA key has {public.key_size} bits, and Envoy takes none below {_MIN_RSA_BITS}"
    if isinstance(public, ec.EllipticCurvePublicKey) and not isinstance(public.curve, _CURVES):
        return f"its key is on the curve {public.curve.name}, and Envoy takes P-256, P-384 and P-521"
    if not isinstance(public, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        return "its key is neither RSA nor ECDSA, and Envoy takes no other"
    return ""


def _authorities_flaw(text: str) -> str:
    try:
        x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        return f"its authorities are no certificates in PEM ({error})"
    return ""
