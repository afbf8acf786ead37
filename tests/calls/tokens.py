"""JSON Web Tokens of an issuer whose keys tests have, and of a stranger."""

import base64
import json
import time
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://issuer.example"
KEY = ec.generate_private_key(ec.SECP256R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def keys(key: ec.EllipticCurvePrivateKey = KEY) -> str:
    """The public half as a key set."""
    numbers = key.public_key().public_numbers()
    point = {name: _text(value.to_bytes(32, "big")) for name, value in (("x", numbers.x), ("y", numbers.y))}
    return json.dumps({"keys": [{"kty": "EC", "crv": "P-256", "kid": "one", "alg": "ES256", **point}]})


def token(key: ec.EllipticCurvePrivateKey = KEY, **claims: Any) -> str:
    said = {"iss": ISSUER, "sub": "ada", "exp": int(time.time()) + 600, **claims}
    head = _text(json.dumps({"alg": "ES256", "kid": "one"}).encode()) + "." + _text(json.dumps(said).encode())
    r, s = decode_dss_signature(key.sign(head.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{head}.{_text(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
