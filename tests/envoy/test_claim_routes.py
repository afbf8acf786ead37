"""Routes of a gateway that look at claims of tokens, in process and by a real Envoy."""

import pytest
import ryaml
from test_tokens import document
from tests.calls import edge
from tests.calls.matcher import Matcher
from tests.calls.real_edge import RealEdge
from tests.calls.script import Call
from tests.calls.tokens import ISSUER, STRANGER, keys, token
from tests.golden import cases

from semafor import planner
from semafor.planner import Mesh, Proxy

pytestmark = pytest.mark.envoy

OBJECTS = """
apiVersion: v1
kind: Pod
metadata: {name: ingress-1, labels: {istio: ingressgateway, gateway.networking.k8s.io/gateway-name: other}}
spec: {containers: [{name: istio-proxy, image: semafor/proxyv2, args: [proxy, router]}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: by-claims}
spec:
  hosts: ["*"]
  gateways: [public]
  http:
  - match: [{headers: {"@request.auth.claims.groups": {exact: staff}}}]
    route: [{destination: {host: tools, port: {number: 80}}}]
  - match: [{headers: {"@request.auth.claims[realm][level]": {prefix: gold}}}]
    route: [{destination: {host: model}}]
  - match: [{headers: {"@REQUEST.auth.claims[https://example.com/plan]": {regex: "p.*"}}}]
    route: [{destination: {host: legacy}}]
  - match: [{uri: {prefix: /no-name}, withoutHeaders: {"@request.auth.claims.name": {regex: "*"}}}]
    route: [{destination: {host: raw, port: {number: 7000}}}]
"""


@pytest.fixture(scope="module")
def gateway(pool, tmp_path_factory):
    issuer = {"issuer": ISSUER, "jwks": keys()}
    target = [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "other"}]
    tokens = document("RequestAuthentication", "users", targetRefs=target, jwtRules=[issuer])
    documents = [*cases.documents(cases.BASE), *ryaml.loads_all(OBJECTS), tokens]
    mesh = Mesh.of([cases.decoded(each) for each in documents])
    pod = next(each for each in documents if each["metadata"]["name"] == "ingress-1")
    plan, problems = planner.plan(mesh, Proxy(id="ingress-1.default", role="gateway", workloads=(cases.workload(pod),)))
    assert [problem for problem in problems if problem.severity == "error"] == []
    matcher = Matcher(pool, plan, {})
    with RealEdge(matcher, "spiffe://cluster.local/ns/default/sa/default", tmp_path_factory.mktemp("edge")) as envoy:
        yield matcher, envoy


def enter(path, headers):
    return Call("", "", "enter", "a.example.com", 8080, path, "GET", headers, scheme="http")


@pytest.mark.parametrize(
    ("path", "claims", "goes"),
    [
        ("/", {"groups": "staff"}, "tools"),
        ("/", {"groups": ["guests", "staff"]}, "tools"),
        ("/", {"groups": "staff-not"}, "404"),
        ("/", {"realm": {"level": "gold-card"}}, "model"),
        ("/", {"realm.level": "gold"}, "404"),
        ("/", {"https://example.com/plan": "pro"}, "legacy"),
        ("/", {"https://example.com/plan": "free"}, "404"),
        ("/", {}, "404"),
        ("/no-name", {}, "raw"),
        ("/no-name", {"name": "Ada"}, "404"),
        ("/no-name", None, "raw"),
        ("/", None, "404"),
    ],
)
def test_a_valid_token_leads_where_its_claims_say(gateway, path, claims, goes):
    matcher, envoy = gateway
    headers = () if claims is None else (("authorization", f"Bearer {token(**claims)}"),)
    call = enter(path, headers)
    assert (edge.follow(matcher, call, edge.Client()), envoy.follow(call)) == (goes, goes)


def test_a_forged_token_leads_nowhere_and_a_header_of_the_name_is_no_claim(gateway):
    _, envoy = gateway
    assert envoy.follow(enter("/", (("authorization", f"Bearer {token(STRANGER, groups='staff')}"),)))[:3] == "401"
    assert envoy.follow(enter("/", (("@request.auth.claims.groups", "staff"),)))[:3] in ("400", "404")
