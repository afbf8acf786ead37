"""Forged JSON Web Tokens, as their makers try to get past a real Envoy. Source: RFC 8725; the usual tool boxes."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tests.calls import tokens
from tests.calls.tokens import ISSUER, KEY, STRANGER
from tests.envoy.test_tokens import ask, sidecar

__all__ = ["sidecar"]
pytestmark = pytest.mark.envoy

CLAIMS = {"iss": ISSUER, "sub": "ada", "aud": "shop", "exp": int(time.time()) + 3600, "group": "staff"}
PUBLIC = KEY.public_key()
JWK = json.loads(tokens.keys(STRANGER))["keys"][0]


def text(data: bytes | str | dict[str, Any]) -> str:
    raw = json.dumps(data).encode() if isinstance(data, dict) else data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def made(head: dict[str, Any], sign: Any = lambda _: b"", claims: dict[str, Any] = CLAIMS) -> str:
    signed = f"{text(head)}.{text(claims)}"
    return f"{signed}.{text(sign(signed.encode()))}"


def by(key: ec.EllipticCurvePrivateKey) -> Any:
    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


def keyed(secret: bytes, digest: str = "sha256") -> Any:
    return lambda data: hmac.new(secret, data, getattr(hashlib, digest)).digest()


def public(encoding: serialization.Encoding) -> bytes:
    return PUBLIC.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


GOOD = tokens.token(aud="shop")
HEAD, BODY, SIGNATURE = GOOD.split(".")
ES = {"alg": "ES256", "kid": "one"}
FORGED = {
    **{f"alg {alg}": made({"alg": alg, "kid": "one"}) for alg in ("none", "None", "NONE", "nOnE", "", "null")},
    "alg none with the signature of another": f"{text({'alg': 'none', 'kid': 'one'})}.{BODY}.{SIGNATURE}",
    "alg none and no third part": f"{text({'alg': 'none'})}.{text(CLAIMS)}",
    "no alg": made({"kid": "one"}, by(STRANGER)),
    "alg a list": made({"alg": ["none", "ES256"], "kid": "one"}, by(STRANGER)),
    "HMAC by the key in PEM": made({"alg": "HS256", "kid": "one"}, keyed(public(serialization.Encoding.PEM))),
    "HMAC by the key in DER": made({"alg": "HS256", "kid": "one"}, keyed(public(serialization.Encoding.DER))),
    "HMAC by the key set": made({"alg": "HS256", "kid": "one"}, keyed(tokens.keys().encode())),
    "HMAC by nothing": made({"alg": "HS256", "kid": "one"}, keyed(b"")),
    "HMAC of 512 bits by nothing": made({"alg": "HS512", "kid": "one"}, keyed(b"", "sha512")),
    "another key": made(ES, by(STRANGER)),
    "another key in the header": made({**ES, "jwk": JWK}, by(STRANGER)),
    "another key by address": made({**ES, "jku": "https://evil.example/keys"}, by(STRANGER)),
    "a kid that is a path": made({**ES, "kid": "../../../../../dev/null"}, keyed(b"")),
    "a kid that is a query": made({**ES, "kid": "one' OR '1'='1"}, by(STRANGER)),
    "a kid that is no text": made({**ES, "kid": {"a": 1}}, by(STRANGER)),
    "an unknown kid": made({**ES, "kid": "two"}, by(KEY)),
    "zeros": made(ES, lambda _: bytes(64)),
    "the order of the curve": made(ES, lambda _: bytes(31) + b"\1" + bytes.fromhex(
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")),
    "a signature in DER": made(ES, lambda data: KEY.sign(data, ec.ECDSA(hashes.SHA256()))[:64]),
    "no signature": f"{HEAD}.{BODY}.",
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.{SIGNATURE}",
    "other claims under a good signature": f"{HEAD}.{text({**CLAIMS, 'sub': 'root'})}.{SIGNATURE}",
    "claims that are a list": f"{HEAD}.{text('[]')}.{SIGNATURE}",
    "an issuer with a slash": made(ES, by(KEY), {**CLAIMS, "iss": f"{ISSUER}/"}),
    "an issuer in capitals": made(ES, by(KEY), {**CLAIMS, "iss": ISSUER.upper()}),
    "two issuers": made(ES, by(KEY), {**CLAIMS, "iss": [ISSUER, "x"]}),
    "not yet": made(ES, by(KEY), {**CLAIMS, "nbf": int(time.time()) + 7200}),
    "a huge one": made({**ES, "x": "y" * 40_000}, by(STRANGER)),
    "a deep one": made(ES, by(STRANGER), {"iss": ISSUER, "sub": json.loads("[" * 400 + "]" * 400)}),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused(sidecar, name):
    said = ask(sidecar, "/open", authorization=f"Bearer {FORGED[name]}")
    assert said in ("401", "403", "400", "431"), said


def test_the_token_that_they_are_made_of_is_good(sidecar):
    assert ask(sidecar, "/ada", authorization=f"Bearer {made(ES, by(KEY))}") == "app"
    assert ask(sidecar, "/ada", authorization=f"Bearer {GOOD}") == "app"


@pytest.mark.parametrize("said", ["a.b", "..", ""])
def test_what_is_no_token_gives_no_name(sidecar, said):
    assert ask(sidecar, "/anyone", authorization=f"Bearer {said}") in ("401", "403")


def test_a_good_token_beside_a_forged_one_does_not_help_it(sidecar):
    both = f"Bearer {FORGED['another key']}, Bearer {GOOD}"
    assert ask(sidecar, "/ada", authorization=both) != "app"


def test_no_token_got_the_sidecar_down(sidecar):
    assert ask(sidecar, "/open") == "app"
