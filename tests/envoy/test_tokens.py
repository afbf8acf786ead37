"""JSON Web Tokens, checked by a real Envoy in the place of a pod's sidecar."""

from typing import Any

import pytest
from tests.calls.matcher import Matcher
from tests.calls.real_inbound import RealInbound
from tests.calls.script import Call
from tests.calls.tokens import ISSUER, STRANGER, keys, token
from tests.golden import cases

from semafor import planner
from semafor.planner import Mesh, Options, Proxy, Workload
from semafor.planner.security.request_authentication import Keys

pytestmark = pytest.mark.envoy

OTHER = "https://other.example"


def document(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    group = "security.istio.io/v1"
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name, "namespace": "default"}, "spec": spec}


DOCUMENTS = (
    document(
        "RequestAuthentication",
        "users",
        jwtRules=[
            {"issuer": ISSUER, "jwks": keys(), "audiences": ["shop"]},
            {"issuer": OTHER, "jwksUri": f"{OTHER}/keys", "fromHeaders": [{"name": "x-pass", "prefix": "Pass "}]},
        ],
    ),
    document(
        "AuthorizationPolicy",
        "members",
        rules=[
            {"to": [{"operation": {"paths": ["/open*"]}}]},
            {
                "from": [{"source": {"requestPrincipals": [f"{ISSUER}/ada"]}}],
                "to": [{"operation": {"paths": ["/ada"]}}],
            },
            {
                "to": [{"operation": {"paths": ["/staff"]}}],
                "when": [{"key": "request.auth.claims[group]", "values": ["staff"]}],
            },
            {"from": [{"source": {"requestPrincipals": ["*"]}}], "to": [{"operation": {"paths": ["/anyone"]}}]},
            {
                "to": [{"operation": {"paths": ["/reader"]}}],
                "when": [{"key": "request.auth.claims[scope]", "values": ["read"]}],
            },
        ],
    ),
)


@pytest.fixture(scope="module")
def sidecar(pool, tmp_path_factory):
    mesh = Mesh.of([cases.decoded(each) for each in DOCUMENTS], Options())
    mesh = mesh.with_token_keys({f"{OTHER}/keys": Keys(jwks=keys(STRANGER))})
    proxy = Proxy(id="web", workloads=(Workload(namespace="default", name="web", ip="10.244.0.9"),))
    plan, problems = planner.plan(mesh, proxy)
    assert problems == ()
    with RealInbound(
        Matcher(pool, plan, {}), "spiffe://cluster.local/ns/default/sa/default", tmp_path_factory.mktemp("e")
    ) as it:
        yield it


def ask(sidecar: RealInbound, path: str, **headers: str) -> str:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    call = Call(
        text="", result="", verb="receive", host="web", port=8080, path=path, method="GET", headers=tuple(said.items())
    )
    return sidecar.follow(call, "").partition(" ")[0]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (None, "app"),
        ({"aud": "shop"}, "app"),
        ({"aud": "elsewhere"}, "403"),
        ({"aud": "shop", "exp": 1_000_000_000}, "401"),
        ({"aud": "shop", "iss": "https://nobody.example"}, "401"),
        ({"aud": "shop", "key": STRANGER}, "401"),
    ],
)
def test_a_token_is_valid_or_refused_and_none_is_let_through(sidecar, made, expected):
    headers = {} if made is None else {"authorization": f"Bearer {token(**made)}"}
    assert ask(sidecar, "/open", **headers) == expected


@pytest.mark.parametrize(
    ("path", "claims", "expected"),
    [
        ("/ada", {}, "app"),
        ("/ada", {"sub": "eve"}, "403"),
        ("/anyone", {"sub": "eve"}, "app"),
        ("/staff", {"group": "staff"}, "app"),
        ("/staff", {"group": ["guests", "staff"]}, "app"),
        ("/staff", {"group": "guests"}, "403"),
        ("/reader", {"scope": "write read"}, "app"),
        ("/reader", {"scope": "write"}, "403"),
    ],
)
def test_policies_look_at_claims(sidecar, path, claims, expected):
    assert ask(sidecar, path, authorization=f"Bearer {token(aud='shop', **claims)}") == expected


BAD_SETS = (
    "",
    "garbage",
    '{"keys": 5}',
    '{"keys": []}',
    '{"keys": [5, {"kty": 1}, {"kty": "RSA", "n": "!!", "e": "x"}]}',
    '{"keys": [{"kty": "EC", "kid": "\\ud800", "x": [[]]}]}',
    "[" * 500_000,
)


def test_sets_without_a_good_key_refuse_their_tokens_and_stop_nobody_else(pool, tmp_path):
    bad = [
        {"issuer": f"bad{n}", "jwks": text} if text else {"issuer": "bad0", "jwksUri": "http://nobody.example/"}
        for n, text in enumerate(BAD_SETS)
    ]
    rules = [*bad, {"issuer": ISSUER, "jwks": keys()}]
    mesh = Mesh.of([cases.decoded(document("RequestAuthentication", "users", jwtRules=rules))], Options())
    proxy = Proxy(id="web", workloads=(Workload(namespace="default", name="web", ip="10.244.0.9"),))
    matcher = Matcher(pool, planner.plan(mesh, proxy)[0], {})
    with RealInbound(matcher, "spiffe://cluster.local/ns/default/sa/default", tmp_path) as it:
        answers = [ask(it, "/", authorization=f"Bearer {token(iss=issuer)}") for issuer in (ISSUER, "bad0", "bad4")]
    assert answers == ["app", "401", "401"]


def test_without_a_token_nobody_has_a_name(sidecar):
    assert ask(sidecar, "/anyone") == "403"


def test_keys_that_were_fetched_count_and_headers_are_the_issuers_own(sidecar):
    good = token(STRANGER, iss=OTHER)
    assert ask(sidecar, "/anyone", x_pass=f"Pass {good}") == "app"
    assert ask(sidecar, "/anyone", authorization=f"Bearer {good}") == "401"


@pytest.fixture(scope="module")
def elsewhere(pool, tmp_path_factory):
    """A sidecar that finds tokens in cookies and parameters, and tells the app a claim."""
    told = [{"header": "x-told-app", "claim": "group"}]
    rule = {"issuer": ISSUER, "jwks": keys(), "fromCookies": ["pass"], "fromParams": ["pass"]}
    users = document("RequestAuthentication", "users", jwtRules=[{**rule, "outputClaimToHeaders": told}])
    mesh = Mesh.of([cases.decoded(users)], Options())
    proxy = Proxy(id="web", workloads=(Workload(namespace="default", name="web", ip="10.244.0.9"),))
    plan, problems = planner.plan(mesh, proxy)
    assert problems == ()
    folder = tmp_path_factory.mktemp("e")
    with RealInbound(Matcher(pool, plan, {}), "spiffe://cluster.local/ns/default/sa/default", folder) as it:
        yield it


def told(sidecar: RealInbound, path: str = "/", **headers: str) -> tuple[int, str]:
    """The status, and what the app was told of the claim."""
    said = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    call = Call(text="", result="", verb="receive", host="web", port=8080, path=path, method="GET", headers=said)
    status, answer, _ = sidecar.exchange(call)
    return status, answer.get("x-told", "")


def test_tokens_in_cookies_and_parameters_count_and_their_claim_is_told(elsewhere):
    good, forged = token(group="staff"), token(STRANGER, group="staff")
    assert told(elsewhere, cookie=f"a=b; pass={good}") == (200, "staff")
    assert told(elsewhere, f"/?pass={good}") == (200, "staff")
    assert told(elsewhere, cookie=f"pass={forged}")[0] == 401
    assert told(elsewhere, f"/?pass={forged}")[0] == 401


def test_a_claim_that_a_caller_makes_up_is_not_told(elsewhere):
    assert told(elsewhere, cookie=f"pass={token(group='staff')}", x_told_app="root") == (200, "staff")
    assert told(elsewhere, cookie=f"pass={token()}", x_told_app="root") == (200, "")
    assert told(elsewhere, x_told_app="root") == (200, "")
