"""Who gets in: TLS, tokens, roles. Against a served API, by the real kubectl and by hand."""

import asyncio
import json
import ssl

import pytest
from tests.kube.conftest import VIEWER_TOKEN, running

from semafor.kube.api import streams
from semafor.kube.api.node import NodeError
from semafor.resources.core import pod, secret, service_account

ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: patcher, namespace: default}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get, patch]}]
"""
MAP = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made"}, "data": {"a": "b"}}'
POD = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "app", "image": "app"}]}}


@pytest.fixture
async def cluster(tmp_path):
    async with running(tmp_path) as found:
        yield found


async def test_old_versions_of_tls_are_refused(cluster):

    context = ssl.create_default_context(cafile=cluster.home / "tls.crt")
    address = ("127.0.0.1", int(cluster.url.rpartition(":")[2]))
    _, writer = await asyncio.open_connection(*address, ssl=context)
    assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
    writer.close()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(*address, ssl=context)


async def test_applying_makes_no_new_objects_for_who_may_only_patch(cluster):
    await cluster.kubectl("apply", "-f", "-", stdin=ROLE)
    await cluster.kubectl("create", "rolebinding", "patcher", "--role=patcher", "--user=viewer")
    apply = ("apply", "--server-side", "--user=viewer", "-f", "-")
    assert 'cannot create resource "configmaps"' in (await cluster.kubectl(*apply, stdin=MAP, check=False)).err
    await cluster.kubectl("apply", "-f", "-", stdin=MAP)
    assert (await cluster.kubectl("patch", "cm", "made", "--user=viewer", "-p", '{"data": {"a": "c"}}')).code == 0


async def test_a_rule_for_one_object_allows_to_watch_that_one(cluster):
    await cluster.kubectl("create", "role", "one", "--verb=list,watch", "--resource=configmaps", "--resource-name=a")
    await cluster.kubectl("create", "rolebinding", "one", "--role=one", "--user=viewer")
    one = ("get", "cm", "--user=viewer")
    assert (await cluster.kubectl(*one, "--field-selector=metadata.name=a")).code == 0
    assert "cannot list" in (await cluster.kubectl(*one, "--field-selector=metadata.name=b", check=False)).err
    assert "cannot list" in (await cluster.kubectl(*one, check=False)).err


NAMED, NONE = "fieldSelector=metadata.name%3Da", "fieldSelector="
CONTRADICTIONS = [
    f"{NAMED}&{NONE}",
    f"{NAMED}&fieldSelector=metadata.name%3Db",
    f"{NONE}&{NAMED}&{NONE}",
    f"{NAMED}&fieldSelector=metadata.name%21%3Da",
    f"{NAMED};{NONE}",
    "fieldSelector=metadata.name%21%3Da",
    "fieldSelector=metadata.namespace%3Ddefault,%20metadata.name%3Db",
]


@pytest.mark.parametrize("query", CONTRADICTIONS)
async def test_who_may_list_one_object_lists_no_other_by_saying_it_twice(cluster, query):
    await cluster.kubectl("create", "role", "one", "--verb=list", "--resource=configmaps", "--resource-name=a")
    await cluster.kubectl("create", "rolebinding", "one", "--role=one", "--user=viewer")
    for name in ("a", "b"):
        await cluster.kubectl("create", "configmap", name)
    raw = ("get", "--user=viewer", "--raw")
    url = "/api/v1/namespaces/default/configmaps?"
    assert '"name":"a"' in (await cluster.kubectl(*raw, url + NAMED)).out.replace(" ", "")
    assert '"name":"b"' not in (await cluster.kubectl(*raw, url + query, check=False)).out.replace(" ", "")


@pytest.mark.parametrize("query", ["watch=true&watch=", "watch=1&watch=0", "watch=true&watch=false"])
async def test_who_may_watch_does_not_list_by_saying_both(cluster, query):
    await cluster.kubectl("create", "role", "watcher", "--verb=watch", "--resource=configmaps")
    await cluster.kubectl("create", "rolebinding", "watcher", "--role=watcher", "--user=viewer")
    asked = ("get", "--user=viewer", "--raw", f"/api/v1/namespaces/default/configmaps?{query}")
    assert "cannot list" in (await cluster.kubectl(*asked, check=False)).err


async def test_who_may_list_does_not_watch_in_capitals(cluster):
    await cluster.kubectl("create", "role", "lister", "--verb=list", "--resource=configmaps")
    await cluster.kubectl("create", "rolebinding", "lister", "--role=lister", "--user=viewer")
    asked = ("get", "--user=viewer", "--raw", "/api/v1/namespaces/default/configmaps?watch=TRUE&timeoutSeconds=1")
    assert "cannot watch" in (await cluster.kubectl(*asked, check=False)).err


WRONG = {
    ("--duration=5m",): "may not specify a duration less than 10 minutes",
    ("--bound-object-kind=Pod", "--bound-object-name=absent"): 'pods "absent" not found',
    ("--bound-object-kind=Pod", "--bound-object-name=web"): "to pod running with different serviceaccount name.",
    ("--bound-object-kind=Secret", "--bound-object-name=s", "--bound-object-uid=x"): "does not match the UID in record",
}


@pytest.mark.parametrize(("asked", "said"), WRONG.items())
async def test_a_token_that_cannot_be_is_refused(cluster, asked, said):
    for name in ("bob", "default"):
        await cluster.client.create(service_account.KIND, {"metadata": {"name": name, "namespace": "default"}})
    await cluster.client.create(pod.KIND, {**POD, "metadata": {"name": "web", "namespace": "default"}})
    await cluster.client.create(secret.KIND, {"metadata": {"name": "s", "namespace": "default"}})
    assert said in (await cluster.kubectl("create", "token", "bob", *asked, check=False)).err


async def test_what_a_user_may_do_is_listed(cluster):
    listed = (await cluster.kubectl("auth", "can-i", "--list", "--user=viewer")).out
    assert "selfsubjectaccessreviews.authorization.k8s.io" in listed
    assert "/openapi/*" in listed
    review = '{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":%s}'
    asked = json.dumps({"nonResourceAttributes": {"verb": "get", "path": "/api"}})
    answer = await cluster.kubectl("create", "-o", "json", "-f", "-", "--user=viewer", stdin=review % asked)
    assert json.loads(answer.out)["status"]["reason"] == (
        'RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" '
        'to Group "system:authenticated"'
    )


POD_EXEC = "/api/v1/namespaces/default/pods/web/exec"
# Each reads as another path to who judges than to who routes, or to nobody.
DISGUISES = (
    "/api%2Fv1/namespaces/default/pods/web/exec",
    "/api%2fv1/namespaces/default/pods/web/exec",
    "/api/v1%2Fnamespaces/default/pods/web/exec",
    "/api/v1/namespaces%2Fdefault/pods/web/exec",
    "/api/v1/namespaces/default%2Fpods/web/exec",
    "/api/v1/namespaces/default/pods%2Fweb/exec",
    "/api/v1/namespaces/default/pods/web%2Fexec",
    "/api/v1/namespaces/default/pods/web%2Flog",
    "/%61pi%2Fv1/namespaces/default/pods/web/log",
    "/api%252Fv1/namespaces/default/pods/web/exec",
    "/api//v1/namespaces/default/pods/web/exec",
    "//api/v1/namespaces/default/pods/web/exec",
    "/api/./v1/namespaces/default/pods/web/exec",
    "/api/x/../v1/namespaces/default/pods/web/exec",
    "/api/%2e%2e/api/v1/namespaces/default/pods/web/exec",
    "/healthz/../api/v1/namespaces/default/pods/web/exec",
    "/healthz%2F..%2Fapi/v1/namespaces/default/pods/web/exec",
    "/version%2F../api/v1/secrets",
    "/api/v1/namespaces/default/pods/web/exec%00",
    "/api/v1/namespaces/default/pods/web/exec;x",
    "/api/v1/namespaces/default/pods/web/exec%3F",
    "https://127.0.0.1/api/v1/namespaces/default/pods/web/exec",
    "/api/v1/namespaces/default/pods/web:80/proxy/",
    "/api/v1/namespaces/default/pods/web:80/proxy//x",
    "/api/v1/namespaces/default/pods/web:80/proxy/%2e%2e/x",
    "/api/v1/namespaces/default/pods/web:80//proxy/x",
    "//api/v1/namespaces/default/pods/web:80/proxy/x",
    POD_EXEC,
)


class Everything:
    """A node that lets everybody do everything, and remembers that it did."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name):
        async def called(*_, **__):
            self.asked.append(name)
            raise NodeError(500, "InternalError", "reached")

        return called


async def answered(url: str, path: str, *lines: str) -> str:
    """The first line of the answer to a request for exactly this path."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]), ssl=context)
    head = [f"GET {path}?command=id&stdout=true HTTP/1.1", "Host: x", *lines]
    writer.write("\r\n".join([*head, "", ""]).encode())
    async with asyncio.timeout(30):
        first = await reader.readline()
    writer.close()
    return first.decode().split(" ", 2)[1]


@pytest.mark.parametrize("path", DISGUISES)
async def test_a_path_in_disguise_gives_no_rights(tmp_path, path):
    node = Everything()
    async with running(tmp_path, node=node, http_protocol=streams.Protocol) as cluster:
        for name in ("web", "default"):
            await cluster.client.create(service_account.KIND, {"metadata": {"name": name, "namespace": "default"}})
        await cluster.client.create(pod.KIND, {**POD, "metadata": {"name": "web", "namespace": "default"}})
        await cluster.client.patch(pod.KIND, "default", "web", {"spec": {"nodeName": "node"}})
        runs = {"phase": "Running", "containerStatuses": [{"name": "app", "state": {"running": {}}}]}
        await cluster.client.patch(pod.KIND, "default", "web", {"status": runs}, subresource="status")
        token = f"Authorization: Bearer {VIEWER_TOKEN}"
        socket = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
        key = ("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol: v5.channel.k8s.io")
        said = [await answered(cluster.url, path, token, "Connection: close")]
        said.append(await answered(cluster.url, path, token, *socket, *key))
    assert node.asked == []
    assert set(said) <= {"400", "403", "404"}, said
