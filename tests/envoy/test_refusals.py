"""What a refused caller is told, by a real Envoy in the place of a pod's sidecar: which policy, token or authorizer."""

import pytest
from test_tokens import document
from tests.calls.matcher import Matcher
from tests.calls.real_inbound import RealInbound
from tests.calls.script import Call
from tests.calls.tokens import ISSUER, STRANGER, keys, token
from tests.golden import cases

from semafor import planner
from semafor.planner import Mesh, Options, Proxy, Workload
from semafor.resources.istio.extension_provider import ExtAuthzGrpc, ExtensionProvider

pytestmark = pytest.mark.envoy

HOST = "asked.default.svc.cluster.local"
PROVIDERS = (ExtensionProvider(name="opa", envoy_ext_authz_grpc=ExtAuthzGrpc(service=HOST, port=9000)),)
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "asked", "namespace": "default"},
    "spec": {"clusterIP": "10.96.7.7", "selector": {"app": "asked"}, "ports": [{"name": "grpc", "port": 9000}]},
}


def rule(path):
    return [{"to": [{"operation": {"paths": [path]}}]}]


DETAILS = "rbac_access_denied_matched_policy"
BAD = "-deny-due-to-bad-CUSTOM-action"
DOCUMENTS = (
    SERVICE,
    document("RequestAuthentication", "users", jwtRules=[{"issuer": ISSUER, "jwks": keys(), "audiences": ["shop"]}]),
    document("AuthorizationPolicy", "asked", action="CUSTOM", provider={"name": "opa"}, rules=rule("/asked")),
    document("AuthorizationPolicy", "lost", action="CUSTOM", provider={"name": "nobody"}, rules=rule("/lost")),
    document("AuthorizationPolicy", "never", action="DENY", rules=[*rule("/a"), *rule("/never")]),
    document("AuthorizationPolicy", "some", rules=[*rule("/open"), *rule("/asked")]),
    document("AuthorizationPolicy", "nothing"),
)


@pytest.fixture(scope="module", params=["development", "production"])
def sidecar(request, pool, tmp_path_factory):
    mesh = Mesh.of([cases.decoded(each) for each in DOCUMENTS], Options(providers=PROVIDERS, environment=request.param))
    proxy = Proxy(id="web", workloads=(Workload(namespace="default", name="web", ip="10.244.0.9"),))
    matcher = Matcher(pool, planner.plan(mesh, proxy)[0], {})
    identity = "spiffe://cluster.local/ns/default/sa/default"
    with RealInbound(matcher, identity, tmp_path_factory.mktemp("e")) as it:
        yield it, request.param


@pytest.mark.parametrize(
    ("path", "made", "told"),
    [
        ("/open", None, (200, "", "")),
        (
            "/never",
            None,
            (
                403,
                "RBAC: access denied",
                "RBAC: a DENY rule takes it (rbac_access_denied_matched_policy[ns[default]-policy[never]-rule[1]])",
            ),
        ),
        (
            "/lost",
            None,
            (
                403,
                "RBAC: access denied",
                f"RBAC: a DENY rule takes it ({DETAILS}[ns[default]-policy[lost]-rule[0]{BAD}])",
            ),
        ),
        ("/else", None, (403, "RBAC: access denied", "RBAC: no ALLOW rule takes it, of default/nothing, default/some")),
        ("/asked", None, (403, "somebody else says no", "UAEX: opa did not let it pass (ext_authz_denied)")),
        (
            "/open",
            {"exp": 1},
            (401, "Jwt is expired", "JWT: the token is refused (jwt_authn_access_denied{Jwt_is_expired})"),
        ),
        (
            "/open",
            {"aud": "elsewhere"},
            (
                403,
                "Audiences in Jwt are not allowed",
                "JWT: the token is refused (jwt_authn_access_denied{Audiences_in_Jwt_are_not_allowed})",
            ),
        ),
        (
            "/open",
            {"iss": "https://nobody.example"},
            (
                401,
                "Jwt issuer is not configured",
                "JWT: the token is refused (jwt_authn_access_denied{Jwt_issuer_is_not_configured})",
            ),
        ),
        (
            "/open",
            {"key": STRANGER},
            (
                401,
                "Jwt verification fails",
                "JWT: the token is refused (jwt_authn_access_denied{Jwt_verification_fails})",
            ),
        ),
    ],
)
def test_a_refusal_says_why_outside_production(sidecar, path, made, told):
    envoy, environment = sidecar
    headers = {} if made is None else {"authorization": f"Bearer {token(**{'aud': 'shop', **made})}"}
    status, body, reason = told
    answer = envoy.answer(Call("", "", "receive", "web", 8080, path, "GET", tuple(headers.items())))
    assert answer == (status, body, reason if environment == "development" else "")
