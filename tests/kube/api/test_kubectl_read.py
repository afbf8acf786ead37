"""What people read with the real kubectl."""

import asyncio
import json
from typing import Any

import pytest

from semafor.resources.registry import by_plural

pytestmark = pytest.mark.machine

POD = by_plural("", "pods")
NODE = by_plural("", "nodes")


def pod(name: str, **labels: str) -> dict[str, Any]:
    spec = {"containers": [{"name": "app", "image": "app:1"}]}
    return {"metadata": {"name": name, "namespace": "default", "labels": labels}, "spec": spec}


RUNNING = {
    "phase": "Running",
    "podIP": "10.244.0.9",
    "podIPs": [{"ip": "10.244.0.9"}],
    "conditions": [{"type": "Ready", "status": "True"}, {"type": "Initialized", "status": "True"}],
    "initContainerStatuses": [
        {"name": "istio-proxy", "ready": True, "started": True, "restartCount": 0, "state": {"running": {}}}
        | {"image": "proxy", "imageID": ""}
    ],
    "containerStatuses": [
        {"name": "app", "ready": True, "started": True, "restartCount": 2, "state": {"running": {}}}
        | {"image": "app:1", "imageID": ""}
    ],
}


async def running_pod(cluster, name: str) -> None:
    """A pod with a native sidecar, as it is when all is well."""
    doc = pod(name, app="web")
    doc["spec"]["initContainers"] = [{"name": "istio-proxy", "image": "proxy", "restartPolicy": "Always"}]
    await cluster.client.create(POD, doc)
    await cluster.client.patch(POD, "default", name, {"spec": {"nodeName": "here"}})
    await cluster.client.patch(POD, "default", name, {"status": RUNNING}, subresource="status")


async def test_a_pod_with_a_native_sidecar_is_two_of_two_ready(cluster):
    await running_pod(cluster, "web")
    out = (await cluster.kubectl("get", "pods", "-o", "wide")).out.splitlines()
    assert out[0].split()[:5] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert out[1].split()[:4] == ["web", "2/2", "Running", "2"]
    assert out[1].split()[5:] == ["10.244.0.9", "here", "<none>", "<none>"]


OUTPUTS = {
    ("-o", "name"): "pod/a\npod/b\n",
    ("-o", "jsonpath={.items[*].metadata.name}"): "a b",
    ("-o", "custom-columns=N:.metadata.name,I:.spec.containers[0].image"): "N     I\na     app:1\nb     app:1\n",
    ("-o", "go-template={{range .items}}{{.metadata.name}};{{end}}"): "a;b;",
    ("-o", "name", "-l", "tier=back"): "pod/b\n",
    ("-o", "name", "-l", "tier notin (back),tier"): "pod/a\n",
    ("-o", "name", "--field-selector", "metadata.name!=a"): "pod/b\n",
    ("-o", "name", "--field-selector", "status.phase=Running"): "",
    ("-o", "name", "-A", "--sort-by", "{.metadata.labels.tier}"): "pod/b\npod/a\n",
    ("-o", "name", "--chunk-size", "1"): "pod/a\npod/b\n",
    ("--no-headers", "-o", "custom-columns=:metadata.namespace", "-A"): "default\ndefault\n",
}


@pytest.mark.parametrize("args", OUTPUTS, ids=" ".join)
async def test_get_prints_in_every_form(cluster, args):
    await cluster.client.create(POD, pod("a", tier="front"))
    await cluster.client.create(POD, pod("b", tier="back"))
    assert (await cluster.kubectl("get", "pods", *args)).out == OUTPUTS[args]


async def test_get_prints_labels_in_columns(cluster):
    await cluster.client.create(POD, pod("a", tier="front"))
    out = (await cluster.kubectl("get", "pods", "-L", "tier", "--show-labels")).out.splitlines()
    assert out[1].split()[-2:] == ["front", "tier=front"]


async def test_get_in_json_and_yaml_holds_the_whole_object(cluster):
    await cluster.client.create(POD, pod("a"))
    shown = json.loads((await cluster.kubectl("get", "pod", "a", "-o", "json")).out)
    assert (shown["kind"], shown["apiVersion"], shown["spec"]["containers"][0]["image"]) == ("Pod", "v1", "app:1")
    assert "image: app:1" in (await cluster.kubectl("get", "pod", "a", "-o", "yaml")).out


async def test_get_of_nothing_says_so(cluster):
    assert (await cluster.kubectl("get", "pods")).err == "No resources found in default namespace.\n"
    missing = await cluster.kubectl("get", "pod", "x", check=False)
    assert (missing.code, missing.err) == (1, 'Error from server (NotFound): pods "x" not found\n')


async def test_a_watch_prints_changes_as_they_come(cluster):
    await cluster.client.create(POD, pod("a"))
    process = await cluster.start("get", "pods", "-w", "--no-headers")
    assert (await process.stdout.readline()).split()[:3] == [b"a", b"0/1", b"Pending"]
    await cluster.client.patch(POD, "default", "a", {"status": {"phase": "Failed"}}, subresource="status")
    assert (await process.stdout.readline()).split()[:3] == [b"a", b"0/1", b"Failed"]
    await cluster.client.create(POD, pod("b"))
    assert (await process.stdout.readline()).split()[0] == b"b"
    process.kill()
    await process.communicate()


async def test_describe_shows_the_events_of_an_object(cluster):
    await cluster.client.create(POD, pod("a"))
    involved = cluster.client.get(POD, "default", "a")
    for _ in range(3):
        await cluster.client.event(involved, "Warning", "BackOff", "Back-off restarting", source="kubelet")
    out = (await cluster.kubectl("describe", "pod", "a")).out
    assert "BackOff" in out
    assert "(x3 over" in out
    events = (await cluster.kubectl("get", "events")).out.splitlines()
    assert events[1].split()[1:4] == ["Warning", "BackOff", "pod/a"]


async def test_nodes_are_printed_with_their_facts(cluster):
    doc = {"metadata": {"name": "here", "labels": {"node-role.kubernetes.io/control-plane": ""}}}
    await cluster.client.create(NODE, doc)
    info = {"kubeletVersion": "v1.32.0", "osImage": "Debian", "kernelVersion": "6", "containerRuntimeVersion": "x://1"}
    status = {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": info}
    await cluster.client.patch(NODE, "", "here", {"status": status}, subresource="status")
    out = (await cluster.kubectl("get", "nodes", "-o", "wide", "--no-headers")).out.split()
    assert out[:3] == ["here", "Ready", "control-plane"]
    assert out[4:] == ["v1.32.0", "<none>", "<none>", "Debian", "6", "x://1"]


async def test_discovery_is_understood(cluster):
    resources = (await cluster.kubectl("api-resources")).out
    assert "deployments" in resources
    assert "deploy" in resources
    versions = (await cluster.kubectl("api-versions")).out.split()
    assert {"v1", "apps/v1"} <= set(versions)
    assert "Server Version: v1.32.0+semafor" in (await cluster.kubectl("version")).out


async def test_explain_reads_the_schemas(cluster):
    out = (await cluster.kubectl("explain", "deployment.spec.template.spec.containers.image")).out
    assert "FIELD: image <string>" in out
    assert "FIELD: ports <[]ContainerPort>" in (await cluster.kubectl("explain", "pod.spec.containers.ports")).out


async def test_wait_and_rollout_status_follow_the_status(cluster):
    kind = by_plural("apps", "deployments")
    await cluster.kubectl("create", "deployment", "web", "--image=app:1")
    waiting = [
        asyncio.create_task(cluster.kubectl("rollout", "status", "deployment/web")),
        asyncio.create_task(cluster.kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=20s")),
        asyncio.create_task(cluster.kubectl("wait", "--for=delete", "deployment/web", "--timeout=20s")),
    ]
    status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    status["conditions"] = [{"type": "Available", "status": "True"}]
    await cluster.client.patch(kind, "default", "web", {"status": status}, subresource="status")
    await asyncio.gather(*waiting[:2])
    await cluster.client.delete(kind, "default", "web")
    await waiting[2]
    assert "successfully rolled out" in waiting[0].result().out


async def test_questions_about_rights_are_answered(cluster):
    assert (await cluster.kubectl("auth", "can-i", "delete", "pods")).out == "yes\n"
    assert (await cluster.kubectl("auth", "can-i", "get", "pods", "--user=viewer", check=False)).out == "no\n"
    assert "admin" in (await cluster.kubectl("auth", "whoami")).out


async def test_rbac_grants_what_roles_say(cluster):
    refused = await cluster.kubectl("get", "pods", "--user=viewer", check=False)
    assert 'User "viewer" cannot list resource "pods" in API group "" in the namespace "default"' in refused.err
    await cluster.kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods")
    await cluster.kubectl("create", "rolebinding", "reads", "--role=reader", "--user=viewer")
    assert (await cluster.kubectl("get", "pods", "--user=viewer")).code == 0
    assert (await cluster.kubectl("auth", "can-i", "get", "pods", "--user=viewer")).out == "yes\n"
    assert "cannot delete" in (await cluster.kubectl("delete", "pod", "a", "--user=viewer", check=False)).err


async def test_a_service_account_uses_its_token(cluster):
    await cluster.kubectl("create", "serviceaccount", "bob")
    token = (await cluster.kubectl("create", "token", "bob")).out.strip()
    out = (await cluster.kubectl("auth", "whoami", "--token", token, "--user=")).out
    assert "system:serviceaccount:default:bob" in out
