"""Who may do what, as Role and Binding objects say."""

from typing import Any

import pytest

from semafor.kube.api import rbac
from semafor.kube.api.options import ADMINS, User
from semafor.kube.api.rbac import Attributes

GROUP = "rbac.authorization.k8s.io"
BOB = User(name="system:serviceaccount:dev:bob", groups=("system:serviceaccounts", "system:authenticated"))


def role(name: str, namespace: str = "", **rule: list[str]) -> dict[str, Any]:
    meta = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"metadata": meta, "rules": [rule]}


def binding(role_kind: str, role_name: str, within: str = "", **subject: str) -> dict[str, Any]:
    meta = {"name": "b"} | ({"namespace": within} if within else {})
    return {"metadata": meta, "roleRef": {"kind": role_kind, "name": role_name}, "subjects": [subject]}


OBJECTS = {
    f"roles.{GROUP}": [
        role("reader", "dev", verbs=["get", "list"], apiGroups=[""], resources=["pods", "pods/log"]),
        role("reader", "prod", verbs=["*"], apiGroups=["*"], resources=["*"]),
    ],
    f"clusterroles.{GROUP}": [
        role("one-secret", verbs=["get"], apiGroups=[""], resources=["secrets"], resourceNames=["mine"]),
        role("scaler", verbs=["update"], apiGroups=["apps"], resources=["*/scale"]),
        role("metrics", verbs=["get"], nonResourceURLs=["/metrics", "/debug/*"]),
    ],
    f"rolebindings.{GROUP}": [
        binding("Role", "reader", "dev", kind="ServiceAccount", name="bob", namespace="dev"),
        binding("ClusterRole", "one-secret", "dev", kind="User", name=BOB.name),
        binding("Role", "absent", "dev", kind="User", name=BOB.name),
    ],
    f"clusterrolebindings.{GROUP}": [
        binding("ClusterRole", "scaler", kind="Group", name="system:serviceaccounts"),
        binding("ClusterRole", "metrics", kind="Group", name="system:authenticated"),
    ],
}

ALLOWED = [
    Attributes(verb="get", resource="pods", namespace="dev", name="a"),
    Attributes(verb="get", resource="pods", subresource="log", namespace="dev"),
    Attributes(verb="get", resource="secrets", namespace="dev", name="mine"),
    Attributes(verb="update", group="apps", resource="deployments", subresource="scale", namespace="other"),
    Attributes(verb="get", path="/metrics"),
    Attributes(verb="get", path="/debug/pprof"),
]
DENIED = [
    Attributes(verb="delete", resource="pods", namespace="dev"),
    Attributes(verb="get", resource="pods", namespace="prod"),
    Attributes(verb="list", resource="pods"),
    Attributes(verb="get", resource="pods", subresource="exec", namespace="dev"),
    Attributes(verb="get", group="apps", resource="pods", namespace="dev"),
    Attributes(verb="get", resource="secrets", namespace="dev", name="yours"),
    Attributes(verb="list", resource="secrets", namespace="dev"),
    Attributes(verb="update", group="apps", resource="deployments", namespace="other"),
    Attributes(verb="get", path="/metricsx"),
    Attributes(verb="post", path="/api"),
]


def may(user: User, wanted: Attributes) -> bool:
    return rbac.decide(user, wanted, lambda resource: OBJECTS.get(resource, [])).allowed


@pytest.mark.parametrize("wanted", ALLOWED, ids=str)
def test_what_a_rule_grants_is_allowed(wanted):
    assert may(BOB, wanted)


@pytest.mark.parametrize("wanted", DENIED, ids=str)
def test_what_no_rule_grants_is_not(wanted):
    assert not may(BOB, wanted)
    assert may(User(name="root", groups=(ADMINS,)), wanted)


def test_a_refusal_says_who_what_and_where():
    error = rbac.refusal(BOB, Attributes(verb="get", group="apps", resource="deployments", namespace="dev", name="web"))
    assert error.message == (
        'deployments.apps "web" is forbidden: User "system:serviceaccount:dev:bob" cannot get resource "deployments" '
        'in API group "apps" in the namespace "dev"'
    )


def test_an_answer_names_the_binding_that_allows_it():
    wanted = Attributes(verb="get", resource="pods", namespace="dev", name="a")
    verdict = rbac.decide(BOB, wanted, lambda resource: OBJECTS.get(resource, []))
    assert verdict.reason == 'RBAC: allowed by RoleBinding "b/dev" of Role "reader" to ServiceAccount "bob/dev"'


def test_a_refusal_names_the_role_that_is_missing():
    wanted = Attributes(verb="delete", resource="pods", namespace="dev", name="a")
    verdict = rbac.decide(BOB, wanted, lambda resource: OBJECTS.get(resource, []))
    assert verdict.reason == 'RBAC: role.rbac.authorization.k8s.io "absent" not found'
