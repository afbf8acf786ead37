"""Nobody gives more rights than they have."""

from typing import Any

import pytest

from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.kube.api.escalation import Escalation
from semafor.kube.api.objects import Objects
from semafor.kube.api.options import User
from semafor.kube.controllers import aggregation
from semafor.kube.store import Store
from semafor.resources.rbac import rbac

BOB = User(name="bob", groups=("dev", "system:authenticated"))
API = {"apiVersion": "rbac.authorization.k8s.io/v1"}
GROUP = "rbac.authorization.k8s.io"
SECRETS = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["secrets"]}
PODS = {"verbs": ["*"], "apiGroups": [""], "resources": ["pods", "*/log"]}


def role(name: str, *rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**API, "kind": "Role", "metadata": {"name": name, "namespace": "default"}, "rules": list(rules), **more}


def cluster_role(name: str, *rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**role(name, *rules), "kind": "ClusterRole", "metadata": {"name": name}, **more}


def binding(name: str, to: str, ref: str = "Role", subject: str = "bob") -> dict[str, Any]:
    who = [{"kind": "User", "name": subject}]
    meta = {"name": name, "namespace": "default"}
    return {**API, "kind": "RoleBinding", "metadata": meta, "roleRef": {"kind": ref, "name": to}, "subjects": who}


@pytest.fixture
async def objects():
    """Bob may do everything with pods, and write roles and bindings of his namespace."""
    store = Store.open(None)
    found = Objects(store, admission=(Escalation(lambda resource: store.list(resource)[0]),))
    client = Client(found)
    writes = {"verbs": ["*"], "apiGroups": [GROUP], "resources": ["rolebindings"]}
    await client.create(rbac.ROLE, role("own", PODS, {**writes, "verbs": ["create", "update"]}))
    await client.create(rbac.ROLE, role("secrets", SECRETS))
    await client.create(rbac.ROLE_BINDING, binding("own", "own"))
    yield found
    await store.close()


async def refused(work: Any) -> str:
    with pytest.raises(StatusError) as raised:
        await work
    return raised.value.message


async def test_a_role_may_hold_what_its_writer_holds(objects):
    bob = Client(objects, user=BOB)
    logs = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods/log"], "resourceNames": ["a"]}
    await bob.create(rbac.ROLE, role("logs", logs, {**PODS, "verbs": ["delete", "list"]}))


async def test_a_role_that_holds_more_is_refused_in_kubernetes_words(objects):
    message = await refused(Client(objects, user=BOB).create(rbac.ROLE, role("more", PODS, SECRETS)))
    assert message == (
        'roles.rbac.authorization.k8s.io "more" is forbidden: user "bob" (groups=["dev" "system:authenticated"]) '
        "is attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}'
    )


MORE = {
    "a verb for all": role("x", {**SECRETS, "verbs": ["*"]}),
    "all resources": role("x", {**PODS, "resources": ["*"]}),
    "all groups": role("x", {**PODS, "apiGroups": ["*"]}),
    "one object of a foreign kind": role("x", {**SECRETS, "resourceNames": ["a"]}),
    "a path": cluster_role("x", {"verbs": ["get"], "nonResourceURLs": ["/metrics"]}),
    "whatever others hold": cluster_role("x", aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}),
}


@pytest.mark.parametrize("document", MORE.values(), ids=MORE)
async def test_more_is_more_however_it_is_written(objects, document):
    kind = rbac.ROLE if document["kind"] == "Role" else rbac.CLUSTER_ROLE
    assert "not currently held" in await refused(Client(objects, user=BOB).create(kind, document))


async def test_a_role_cannot_grow_and_may_shrink(objects):
    bob = Client(objects, user=BOB)
    grown = {"rules": [SECRETS, {**SECRETS, "verbs": ["delete"]}]}
    assert "not currently held" in await refused(bob.patch(rbac.ROLE, "default", "secrets", grown))
    await bob.patch(rbac.ROLE, "default", "secrets", {"metadata": {"labels": {"a": "b"}}})
    await bob.patch(rbac.ROLE, "default", "secrets", {"rules": []})


async def test_a_binding_gives_no_more_than_its_writer_holds(objects):
    bob = Client(objects, user=BOB)
    await bob.create(rbac.ROLE_BINDING, binding("eve", "own", subject="eve"))
    assert "not currently held" in await refused(bob.create(rbac.ROLE_BINDING, binding("all", "secrets")))
    missing = await refused(bob.create(rbac.ROLE_BINDING, binding("none", "absent", "ClusterRole")))
    assert missing == 'clusterroles.rbac.authorization.k8s.io "absent" not found'


async def test_who_may_bind_or_escalate_may(objects):
    leave = {"verbs": ["bind", "escalate"], "apiGroups": [GROUP], "resources": ["roles"], "resourceNames": ["secrets"]}
    await Client(objects).create(rbac.ROLE, role("leave", leave))
    await Client(objects).create(rbac.ROLE_BINDING, binding("leave", "leave"))
    bob = Client(objects, user=BOB)
    await bob.patch(rbac.ROLE, "default", "secrets", {"rules": [{**SECRETS, "verbs": ["*"]}]})
    await bob.create(rbac.ROLE_BINDING, binding("all", "secrets"))
    assert "not currently held" in await refused(
        bob.create(rbac.ROLE, role("other", {**SECRETS, "resources": ["nodes"]}))
    )


def test_an_aggregated_role_has_the_rules_of_those_it_selects():
    def labelled(name: str, *rules: dict[str, Any]) -> dict[str, Any]:
        return cluster_role(name, *rules, metadata={"name": name, "labels": {"to": "view"}})

    view = cluster_role("view", aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"to": "view"}}]})
    others = [view, labelled("b", SECRETS, PODS), labelled("a", PODS), cluster_role("c", SECRETS)]
    assert aggregation.aggregated(view, others) == [PODS, SECRETS]
