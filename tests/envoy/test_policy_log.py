"""What policies leave in the access log and the counters of a real Envoy: who refused, what was audited, dry runs."""

import pytest
from test_tokens import document
from tests.calls.matcher import Matcher
from tests.calls.real_inbound import RealInbound
from tests.calls.script import Call
from tests.golden import cases

from semafor import planner
from semafor.planner import Mesh, Options, Proxy, Workload

pytestmark = pytest.mark.envoy
_DETAILS = "rbac_access_denied_matched_policy"


def started(pool, folder, *documents):
    mesh = Mesh.of([cases.decoded(each) for each in documents], Options())
    proxy = Proxy(id="web", workloads=(Workload(namespace="default", name="web", ip="10.244.0.9"),))
    plan, problems = planner.plan(mesh, proxy)
    assert problems == ()
    return RealInbound(Matcher(pool, plan, {}), "spiffe://cluster.local/ns/default/sa/default", folder)


def ask(envoy, path):
    return envoy.follow(Call("", "", "receive", "web", 8080, path, "GET"), "").partition(" ")[0]


def send(envoy, port):
    return envoy.follow(Call("", "", "accept", "web", port), "")


def to(**operation):
    return [{"to": [{"operation": operation}]}]


def test_a_refused_request_has_its_rule_in_the_log(pool, tmp_path):
    deny = document("AuthorizationPolicy", "never", action="DENY", rules=to(paths=["/never"]))
    allow = document("AuthorizationPolicy", "some", rules=to(paths=["/open"]))
    with started(pool, tmp_path, deny, allow) as envoy:
        assert [ask(envoy, path) for path in ("/never", "/else", "/open")] == ["403", "403", "app"]
        assert [line["request"] for line in envoy.logged(3)] == [
            f"{_DETAILS}[ns[default]-policy[never]-rule[0]]",
            f"{_DETAILS}[none]",
            "via_upstream",
        ]


def test_a_closed_connection_has_its_rule_in_the_log(pool, tmp_path):
    deny = document("AuthorizationPolicy", "never", action="DENY", rules=to(ports=["7001"]))
    allow = document("AuthorizationPolicy", "some", rules=to(ports=["7002"]))
    with started(pool, tmp_path, deny, allow) as envoy:
        assert [send(envoy, port) for port in (7001, 7003, 7002)] == ["closed", "closed", "app"]
        ends = [line["connection"] for line in envoy.logged(6)]  # a line for its beginning, and one for its end
        assert [end for end in ends if end] == [
            f"{_DETAILS}[ns[default]-policy[never]-rule[0]]",
            f"{_DETAILS}[none]",
        ]


def test_what_an_audit_takes_is_marked_and_named_and_nothing_is_refused(pool, tmp_path):
    audit = document("AuthorizationPolicy", "noted", action="AUDIT", rules=to(paths=["/noted"]))
    allow = document("AuthorizationPolicy", "some", rules=to(paths=["/noted", "/open"]))
    with started(pool, tmp_path, audit, allow) as envoy:
        assert [ask(envoy, path) for path in ("/noted", "/open", "/else")] == ["app", "app", "403"]
        assert [(line["hint"], line["audited"]) for line in envoy.logged(3)] == [
            (True, "ns[default]-policy[noted]-rule[0]"),
            (False, None),
            (False, None),
        ]


def test_a_dry_run_counts_what_it_would_have_done_beside_what_is_done(pool, tmp_path):
    tried = [
        document("AuthorizationPolicy", "deny-tried", action="DENY", rules=to(paths=["/a"])),
        document("AuthorizationPolicy", "allow-tried", rules=to(paths=["/b"])),
    ]
    for one in tried:
        one["metadata"]["annotations"] = {"istio.io/dry-run": "true"}
    with started(
        pool, tmp_path, *tried, document("AuthorizationPolicy", "some", rules=to(paths=["/a", "/b"]))
    ) as envoy:
        assert [ask(envoy, path) for path in ("/a", "/a", "/a", "/b", "/c")] == ["app", "app", "app", "app", "403"]
        found = envoy.stats("rbac")
    counted = {name.rpartition("rbac.")[2]: value for name, value in found.items() if "0.0.0.0_0.rbac" in name}
    assert counted == {
        "allowed": 4,
        "denied": 1,
        "istio_dry_run_allow_.shadow_allowed": 1,
        "istio_dry_run_allow_.shadow_denied": 4,
        "istio_dry_run_deny_.shadow_allowed": 2,
        "istio_dry_run_deny_.shadow_denied": 3,
        "shadow_allowed": 0,
        "shadow_denied": 0,
    }
