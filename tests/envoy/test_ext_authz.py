"""External authorizers, asked by a real Envoy in the place of a sidecar: what they see, and what comes of answers."""

import pytest
from test_tokens import document
from tests.calls import authorizers
from tests.calls.matcher import Matcher
from tests.calls.real_inbound import RealInbound
from tests.calls.script import Call
from tests.golden import cases

from semafor import planner
from semafor.planner import Mesh, Options, Proxy, Workload
from semafor.resources.istio.extension_provider import ExtAuthzGrpc, ExtAuthzHttp, ExtensionProvider, RequestBody

pytestmark = pytest.mark.envoy

WHERE = {"service": "asked.default.svc.cluster.local", "port": 9000}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "asked", "namespace": "default"},
    "spec": {"clusterIP": "10.96.7.7", "selector": {"app": "asked"}, "ports": [{"name": "tcp", "port": 9000}]},
}
BODY = RequestBody(max_request_bytes=8, allow_partial_message=True)
HTTP = {
    "path_prefix": "/check",
    "include_request_headers_in_check": (authorizers.HEADER, "x-user-*", "*-id"),
    "include_additional_headers_in_check": {"x-mesh": "semafor", "x-user-forged": "no"},
    "headers_to_upstream_on_allow": ("x-told-app",),
    "headers_to_downstream_on_deny": ("x-told-caller",),
    "headers_to_downstream_on_allow": ("x-told-c*",),
}


def started(pool, folder, provider):
    field = "envoy_ext_authz_grpc" if isinstance(provider, ExtAuthzGrpc) else "envoy_ext_authz_http"
    options = Options(providers=(ExtensionProvider(name="one", **{field: provider}),))
    rules = [{"to": [{"operation": {"paths": ["/asked*"]}}]}]
    policy = document("AuthorizationPolicy", "ask", action="CUSTOM", provider={"name": "one"}, rules=rules)
    mesh = Mesh.of([cases.decoded(each) for each in (SERVICE, policy)], options)
    proxy = Proxy(id="web", workloads=(Workload(namespace="default", name="web", ip="10.244.0.9"),))
    plan, problems = planner.plan(mesh, proxy)
    assert problems == ()
    return RealInbound(Matcher(pool, plan, {}), "spiffe://cluster.local/ns/default/sa/default", folder)


def call(path="/asked", method="GET", **headers):
    said = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Call("", "", "receive", "web", 8080, path, method, said)


def test_over_http_the_question_is_the_request_with_the_headers_that_were_named(pool, tmp_path):
    with started(pool, tmp_path, ExtAuthzHttp(**WHERE, **HTTP, include_request_body_in_check=BODY)) as envoy:
        sent = call("/asked/x?y=1", "POST", x_ext_authz="allow", x_user_name="ada", x_user_forged="yes", x_other="no")
        status, headers, _ = envoy.exchange(sent, "hello, you there")
        (asked,) = envoy.authorizers.asked
    assert (status, headers["x-told"], headers["x-told-caller"]) == (200, "yes", "yes")
    assert "x-untold" not in headers
    assert (asked["method"], asked["path"], asked["body"]) == ("POST", "/check/asked/x?y=1", "hello, y")
    got = {name: asked["headers"].get(name) for name in ("host", "x-user-name", "x-user-forged", "x-mesh", "x-other")}
    assert got == {"host": "web", "x-user-name": "ada", "x-user-forged": "no", "x-mesh": "semafor", "x-other": None}


def test_a_no_over_http_has_the_authorizers_words_and_the_headers_that_were_named(pool, tmp_path):
    with started(pool, tmp_path, ExtAuthzHttp(**WHERE, **HTTP)) as envoy:
        status, headers, body = envoy.exchange(call())
    assert (status, body, headers["x-told-caller"]) == (403, authorizers.REFUSAL, "yes")
    assert "x-told-app" not in headers


def test_over_grpc_the_question_has_it_all(pool, tmp_path):
    with started(pool, tmp_path, ExtAuthzGrpc(**WHERE, include_request_body_in_check=BODY)) as envoy:
        status, headers, _ = envoy.exchange(
            call("/asked?y=1", "POST", x_ext_authz="allow", x_other="seen"), "hello, you"
        )
        assert envoy.exchange(call("/else"))[0] == 200
        (asked,) = envoy.authorizers.asked
    assert (status, headers["x-told"]) == (200, "yes")
    http = asked["request"]["http"]
    assert (http["method"], http["path"], http["host"], http["body"]) == ("POST", "/asked?y=1", "web", "hello, y")
    assert http["headers"]["x-other"] == "seen"


@pytest.mark.parametrize("kind", [ExtAuthzHttp, ExtAuthzGrpc])
@pytest.mark.parametrize(("fail_open", "status"), [(False, 503), (True, 200)])
def test_who_does_not_answer_in_time_or_is_away_refuses_unless_failing_is_open(pool, tmp_path, kind, fail_open, status):
    also = {"include_request_headers_in_check": (authorizers.HEADER,)} if kind is ExtAuthzHttp else {}
    provider = kind(**WHERE, **also, timeout="0.5s", fail_open=fail_open, status_on_error="503")
    with started(pool, tmp_path, provider) as envoy:
        assert envoy.exchange(call(x_ext_authz="allow"))[0] == 200
        assert envoy.exchange(call(x_ext_authz="slow"))[0] == status
        envoy.authorizers.__exit__()
        assert envoy.exchange(call(x_ext_authz="allow"))[0] == status
        assert envoy.exchange(call("/else"))[0] == 200


def test_a_longer_body_is_refused_where_parts_are_not_allowed(pool, tmp_path):
    with started(
        pool, tmp_path, ExtAuthzGrpc(**WHERE, include_request_body_in_check=RequestBody(max_request_bytes=8))
    ) as envoy:
        sent = call("/asked", "POST", x_ext_authz="allow")
        assert [envoy.exchange(sent, body)[0] for body in ("short", "much longer")] == [200, 413]
