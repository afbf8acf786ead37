"""Service-account tokens: what is minted verifies, and nothing else does."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semafor.ca.tokens import Claims, TokenError, Tokens

NOW = datetime(2026, 11, 22, 12, 0, 0, 700_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLAIMS = Claims(namespace="default", service_account="reviews", uid="u-1", pod="reviews-1", pod_uid="p-1")


@pytest.fixture(scope="module")
def signer(tmp_path_factory) -> Tokens:
    return Tokens.open(tmp_path_factory.mktemp("tokens"), now=NOW)


@pytest.fixture(scope="module")
def token(signer) -> str:
    return signer.mint(CLAIMS, now=NOW, lifetime=HOUR)


def unnamed(claims: Claims) -> Claims:
    """Without the name of the single token, which is another one each time."""
    return msgspec.structs.replace(claims, id="")


def with_part(token: str, index: int, document: dict) -> str:
    """The token with its header (0) or payload (1) replaced."""
    parts = token.split(".")
    parts[index] = base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()
    return ".".join(parts)


def payload(token: str) -> dict:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_token_gives_back_its_claims(signer, token):
    assert unnamed(signer.verify(token, now=NOW)) == CLAIMS


def test_a_token_reads_like_one_of_kubernetes(token):
    claims = payload(token)
    assert claims["sub"] == "system:serviceaccount:default:reviews"
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["kubernetes.io"]["pod"] == {"name": "reviews-1", "uid": "p-1"}


def test_a_token_outlives_a_restart(tmp_path):
    token = Tokens.open(tmp_path, now=NOW).mint(CLAIMS, now=NOW, lifetime=HOUR)
    assert unnamed(Tokens.open(tmp_path, now=NOW).verify(token, now=NOW)) == CLAIMS


@pytest.mark.parametrize("seconds", [-5, 3600, 99_999])
def test_a_token_is_valid_within_its_time_only(signer, token, seconds):
    with pytest.raises(TokenError):
        signer.verify(token, now=NOW + timedelta(seconds=seconds))


def test_a_token_for_another_audience_is_refused(signer):
    token = signer.mint(Claims(namespace="a", service_account="b", audiences=("istio-ca",)), now=NOW, lifetime=HOUR)
    assert signer.verify(token, now=NOW, audience="istio-ca").namespace == "a"
    with pytest.raises(TokenError, match="istio-ca"):
        signer.verify(token, now=NOW)


def test_a_token_of_another_key_is_refused(signer, tmp_path):
    with pytest.raises(TokenError, match="another key"):
        signer.verify(Tokens.open(tmp_path, now=NOW).mint(CLAIMS, now=NOW, lifetime=HOUR), now=NOW)


def test_a_changed_payload_is_refused(signer, token):
    with pytest.raises(TokenError, match="signature"):
        signer.verify(with_part(token, 1, {**payload(token), "sub": "system:admin"}), now=NOW)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "es256", ""])
def test_a_token_never_chooses_its_algorithm(signer, token, algorithm):
    kid = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]
    with pytest.raises(TokenError):
        signer.verify(with_part(token, 0, {"alg": algorithm, "kid": kid}), now=NOW)


@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{0,20}\.[A-Za-z0-9_-]{0,20}\.[A-Za-z0-9_-]{0,20}"))
def test_nonsense_is_refused_and_never_crashes(signer, text):
    with pytest.raises(TokenError):
        signer.verify(text, now=NOW)


def test_the_signing_key_redacts_itself(signer):
    assert "redacted" in repr(signer)


def test_an_old_signing_key_is_replaced_and_what_it_signed_holds(tmp_path):
    token = Tokens.open(tmp_path, now=NOW).mint(CLAIMS, now=NOW, lifetime=timedelta(days=120))
    born = (NOW - timedelta(days=100)).timestamp()
    os.utime(tmp_path / "token-key.pem", (born, born))
    rotated = Tokens.open(tmp_path, now=NOW)
    assert unnamed(rotated.verify(token, now=NOW)) == CLAIMS
    assert rotated.mint(CLAIMS, now=NOW, lifetime=HOUR).split(".")[0] != token.split(".")[0]
    os.utime(tmp_path / "token-key.pem", (born, born))
    with pytest.raises(TokenError):
        Tokens.open(tmp_path, now=NOW).verify(token, now=NOW)
