"""Service-account tokens: JSON Web Tokens signed with ES256, as the Kubernetes API server mints them.

Source: RFC 7515, 7518 (ES256) and 7519; the claims of Kubernetes' bound service-account tokens.
"""

import base64
import binascii
import hashlib
import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from semafor.base.struct import Value
from semafor.ca import keys
from semafor.ca.keys import CaError

SIGNS_FOR: Final = timedelta(days=90)  # a signing key; then a new one is made when the mesh starts
ISSUER: Final = "https://kubernetes.default.svc.cluster.local"
API_AUDIENCE: Final = ISSUER
_HALF_BYTES = 32  # an ES256 signature is r and s, of 32 bytes each
_MAX_TOKEN_BYTES = 16 * 1024


class TokenError(CaError):
    """A token that proves nothing. The message is for the log; callers only learn that they are not known."""


class Claims(Value):
    """Whom a token stands for. `pod` or `secret` is what the token dies with; both empty: nothing but the account.

    `id` names the token itself; it is chosen when the token is made.
    """

    namespace: str
    service_account: str
    audiences: tuple[str, ...] = (API_AUDIENCE,)
    uid: str = ""
    pod: str = ""
    pod_uid: str = ""
    secret: str = ""
    secret_uid: str = ""
    id: str = ""

    @property
    def subject(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.service_account}"


class Tokens:
    """Mint with one signing key; verify with that one, and with the one before it."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, *, retired: Sequence[ec.EllipticCurvePublicKey] = ()) -> None:
        self._key = key
        self._key_id = _key_id(key.public_key())
        self._known = {_key_id(public): public for public in (key.public_key(), *retired)}

    @classmethod
    def open(cls, folder: Path, *, now: datetime) -> "Tokens":
        """With the key in `folder`/token-key.pem, made on first use and replaced when it is old.

        The replaced one stays beside it, so that tokens it has signed hold until they expire. Raises keys.KeyFileError.
        """
        current, retired = folder / "token-key.pem", folder / "token-key-retired.pem"
        if current.exists() and current.stat().st_mtime + SIGNS_FOR.total_seconds() < now.timestamp():
            current.replace(retired)
        key = keys.open_or_create(current)
        return cls(key, retired=[keys.open_or_create(retired).public_key()] if retired.exists() else [])

    def mint(self, claims: Claims, *, now: datetime, lifetime: timedelta) -> str:
        """A token for `claims` that ends `lifetime` after `now`."""
        issued_at = int(now.timestamp())
        payload = {
            "iss": ISSUER,
            "sub": claims.subject,
            "aud": list(claims.audiences),
            "iat": issued_at,
            "nbf": issued_at,
            "exp": int((now + lifetime).timestamp()),
            "jti": str(uuid.uuid4()),
            "kubernetes.io": _bound(claims),
        }
        signed = f"{_encode_json({'alg': 'ES256', 'kid': self._key_id})}.{_encode_json(payload)}"
        r, s = utils.decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_encode(r.to_bytes(_HALF_BYTES, 'big') + s.to_bytes(_HALF_BYTES, 'big'))}"

    def verify(self, token: str, *, now: datetime, audience: str = API_AUDIENCE) -> Claims:
        """Whom `token` stands for. Raises TokenError unless signature, issuer, times and audience are all right."""
        payload = self._verified_payload(token)
        if payload.get("iss") != ISSUER:
            raise TokenError("the token is of another issuer")
        _check_times(payload, now)
        claims = _claims(payload)
        if audience not in claims.audiences:
            raise TokenError(f"the token is for {', '.join(claims.audiences)}, not for {audience}")
        return claims

    def _verified_payload(self, token: str) -> dict[str, Any]:
        if len(token) > _MAX_TOKEN_BYTES or token.count(".") != 2:
            raise TokenError("not a token")
        header, payload, signature = token.split(".")
        named = _decode_json(header)
        public = self._known.get(str(named.get("kid")))
        if public is None or named != {"alg": "ES256", "kid": named["kid"]}:  # never let a token choose its algorithm
            raise TokenError("the token is signed by another key or in another way")
        raw = _decode(signature)
        if len(raw) != 2 * _HALF_BYTES:
            raise TokenError("the signature has the wrong length")
        r, s = int.from_bytes(raw[:_HALF_BYTES], "big"), int.from_bytes(raw[_HALF_BYTES:], "big")
        try:
            der = utils.encode_dss_signature(r, s)
            public.verify(der, f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, ValueError):
            raise TokenError("the signature is wrong") from None
        return _decode_json(payload)

    def __repr__(self) -> str:
        return f"Tokens(key_id={self._key_id!r}, key=redacted)"


def _bound(claims: Claims) -> dict[str, Any]:
    bound: dict[str, Any] = {
        "namespace": claims.namespace,
        "serviceaccount": {"name": claims.service_account, "uid": claims.uid},
    }
    if claims.pod:
        bound["pod"] = {"name": claims.pod, "uid": claims.pod_uid}
    if claims.secret:
        bound["secret"] = {"name": claims.secret, "uid": claims.secret_uid}
    return bound


def _claims(payload: dict[str, Any]) -> Claims:
    try:
        bound = payload["kubernetes.io"]
        account, pod, secret = bound["serviceaccount"], bound.get("pod", {}), bound.get("secret", {})
        return Claims(
            namespace=bound["namespace"],
            service_account=account["name"],
            audiences=tuple(payload["aud"]),
            uid=account.get("uid", ""),
            pod=pod.get("name", ""),
            pod_uid=pod.get("uid", ""),
            secret=secret.get("name", ""),
            secret_uid=secret.get("uid", ""),
            id=payload["jti"],
        )
    except (KeyError, TypeError, AttributeError):
        raise TokenError("the token lacks the claims of a service account") from None


def _check_times(payload: dict[str, Any], now: datetime) -> None:
    not_before, expires = payload.get("nbf"), payload.get("exp")
    if not isinstance(not_before, int) or not isinstance(expires, int):
        raise TokenError("the token has no times")
    if not not_before <= now.timestamp() + 1:  # minted within this very second, whose fraction nbf does not have
        raise TokenError("the token is not valid yet")
    if now.timestamp() >= expires:
        raise TokenError("the token has expired")


def _key_id(key: ec.EllipticCurvePublicKey) -> str:
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _encode(hashlib.sha256(der).digest())


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _encode_json(document: dict[str, Any]) -> str:
    return _encode(json.dumps(document, separators=(",", ":")).encode())


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise TokenError("not base64url") from None


def _decode_json(text: str) -> dict[str, Any]:
    try:
        document = json.loads(_decode(text))
    except (ValueError, RecursionError):
        raise TokenError("not JSON") from None
    if not isinstance(document, dict):
        raise TokenError("not a JSON object")
    return document
