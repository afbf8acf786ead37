"""What people change with the real kubectl."""

import json
from pathlib import Path

import pytest

from semafor.resources.registry import by_plural

pytestmark = pytest.mark.machine

DEPLOYMENT = by_plural("apps", "deployments")
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: app, image: "app:1", ports: [{containerPort: 8080}]}
      - {name: side, image: "side:1"}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
"""


def deployment(cluster):
    return cluster.client.get(DEPLOYMENT, "default", "web")


def replicas(cluster) -> int:
    return deployment(cluster)["spec"]["replicas"]


def images(cluster) -> list[str]:
    return [item["image"] for item in deployment(cluster)["spec"]["template"]["spec"]["containers"]]


async def apply(cluster, text: str = MANIFEST, *args: str) -> str:
    return (await cluster.kubectl("apply", "-f", "-", *args, stdin=text)).out


async def test_apply_creates_then_changes_then_leaves_alone(cluster):
    assert await apply(cluster) == "deployment.apps/web created\nservice/web created\n"
    assert await apply(cluster) == "deployment.apps/web unchanged\nservice/web unchanged\n"
    version = deployment(cluster)["metadata"]["resourceVersion"]
    changed = MANIFEST.replace("app:1", "app:2").replace('\n      - {name: side, image: "side:1"}', "")
    assert await apply(cluster, changed) == "deployment.apps/web configured\nservice/web unchanged\n"
    assert images(cluster) == ["app:2"]
    assert deployment(cluster)["metadata"]["resourceVersion"] != version
    assert deployment(cluster)["metadata"]["generation"] == 2


async def test_apply_on_the_server_owns_fields_and_sees_conflicts(cluster):
    assert await apply(cluster, MANIFEST, "--server-side") == (
        "deployment.apps/web serverside-applied\nservice/web serverside-applied\n"
    )
    await cluster.kubectl("scale", "deployment", "web", "--replicas=5")
    refused = await cluster.kubectl("apply", "--server-side", "-f", "-", stdin=MANIFEST, check=False)
    assert 'conflict with "kubectl" with subresource "scale"' in refused.err
    assert ".spec.replicas" in refused.err
    await apply(cluster, MANIFEST, "--server-side", "--force-conflicts")
    assert replicas(cluster) == 2


async def test_apply_moves_from_client_to_server_side(cluster):
    await apply(cluster)
    await apply(cluster, MANIFEST, "--server-side")
    managers = {entry["manager"] for entry in deployment(cluster)["metadata"]["managedFields"]}
    assert "kubectl" in managers
    assert "kubectl-client-side-apply" not in managers


async def test_a_dry_run_changes_nothing(cluster):
    assert "created (server dry run)" in await apply(cluster, MANIFEST, "--dry-run=server")
    assert deployment(cluster) is None
    await apply(cluster)
    await cluster.kubectl("scale", "deploy/web", "--replicas=9", "--dry-run=server")
    await cluster.kubectl("delete", "deploy/web", "--dry-run=server")
    assert replicas(cluster) == 2


async def test_diff_shows_what_would_change(cluster):
    await apply(cluster)
    same = await cluster.kubectl("diff", "-f", "-", stdin=MANIFEST)
    assert same.out == ""
    other = await cluster.kubectl("diff", "-f", "-", stdin=MANIFEST.replace("app:1", "app:2"), check=False)
    assert other.code == 1
    assert "+      - image: app:2" in other.out


async def test_kustomize_overlays_are_applied(cluster, tmp_path: Path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "all.yaml").write_text(MANIFEST)
    (tmp_path / "base" / "kustomization.yaml").write_text("resources: [all.yaml]")
    (tmp_path / "kustomization.yaml").write_text("resources: [base]\nreplicas: [{name: web, count: 4}]\n")
    await cluster.kubectl("apply", "-k", ".")
    assert replicas(cluster) == 4


async def test_create_refuses_what_exists_and_replace_what_does_not(cluster):
    await cluster.kubectl("create", "-f", "-", stdin=MANIFEST)
    again = await cluster.kubectl("create", "-f", "-", stdin=MANIFEST, check=False)
    assert 'deployments.apps "web" already exists' in again.err
    await cluster.kubectl("replace", "-f", "-", stdin=MANIFEST.replace("replicas: 2", "replicas: 7"))
    assert replicas(cluster) == 7
    await cluster.kubectl("delete", "deployment,service", "web")
    missing = await cluster.kubectl("replace", "-f", "-", stdin=MANIFEST, check=False)
    assert '"web" not found' in missing.err


PATCHES = {
    "strategic": '{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"app:9"}]}}}}',
    "merge": '{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"app:9"}]}}}}',
    "json": '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"app:9"}]',
}


@pytest.mark.parametrize("kind", PATCHES)
async def test_patches_of_every_type(cluster, kind):
    await apply(cluster)
    await cluster.kubectl("patch", "deploy", "web", "--type", kind, "-p", PATCHES[kind])
    assert images(cluster) == (["app:9"] if kind == "merge" else ["app:9", "side:1"])


async def test_a_patch_of_the_status_changes_only_the_status(cluster):
    await apply(cluster)
    patch = '{"status":{"replicas":3},"spec":{"replicas":8}}'
    await cluster.kubectl("patch", "deploy", "web", "--subresource=status", "--type=merge", "-p", patch)
    assert (replicas(cluster), deployment(cluster)["status"]["replicas"]) == (2, 3)
    assert deployment(cluster)["metadata"]["generation"] == 1


async def test_edit_scale_label_annotate_set_image(cluster):
    await apply(cluster)
    await cluster.kubectl("edit", "deploy", "web", EDITOR="sed -i s/app:1/app:edited/")
    assert images(cluster)[0] == "app:edited"
    await cluster.kubectl("scale", "deploy", "web", "--replicas=3", "--current-replicas=2")
    await cluster.kubectl("set", "image", "deploy/web", "side=side:2")
    await cluster.kubectl("label", "deploy", "web", "tier=front", "app-")
    await cluster.kubectl("annotate", "deploy", "web", "note=hello")
    meta = deployment(cluster)["metadata"]
    assert (meta["labels"], meta["annotations"]["note"]) == ({"tier": "front"}, "hello")
    assert (replicas(cluster), images(cluster)) == (3, ["app:edited", "side:2"])


async def test_rollout_restart_stamps_the_template(cluster):
    await apply(cluster)
    await cluster.kubectl("rollout", "restart", "deployment/web")
    annotations = deployment(cluster)["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations


async def test_typed_commands_send_protobuf_and_are_understood(cluster):
    await cluster.kubectl("create", "namespace", "production")
    await cluster.kubectl("create", "configmap", "settings", "--from-literal=a=1", "--from-literal=b=2")
    await cluster.kubectl("create", "secret", "generic", "keys", "--from-literal=k=v")
    await cluster.kubectl("create", "service", "clusterip", "api", "--tcp=80:8080")
    await cluster.kubectl("create", "clusterrole", "r", "--verb=get", "--resource=pods", "--resource-name=a")
    await cluster.kubectl("create", "quota", "q", "--hard=cpu=1,pods=2")
    shown = json.loads((await cluster.kubectl("get", "svc,secret,cm,clusterrole,quota", "-A", "-o", "json")).out)
    own = {"api", "keys", "settings", "r", "q"}
    found = {item["kind"]: item for item in shown["items"] if item["metadata"]["name"] in own}
    assert found["Service"]["spec"]["ports"][0] == {
        "name": "80-8080", "port": 80, "protocol": "TCP", "targetPort": 8080,
    }  # fmt: skip
    assert found["Secret"]["data"] == {"k": "dg=="}
    assert found["ConfigMap"]["data"] == {"a": "1", "b": "2"}
    assert found["ClusterRole"]["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"], "verbs": ["get"]}
    ]
    assert found["ResourceQuota"]["spec"]["hard"] == {"cpu": "1", "pods": "2"}


async def test_run_and_expose(cluster):
    await cluster.kubectl("run", "web", "--image=app:1", "--port=80", "--env=A=b", "--labels=app=web")
    await cluster.kubectl("expose", "pod", "web", "--port=80", "--name=web")
    line = (await cluster.kubectl("get", "svc", "web", "--no-headers", "-o", "wide")).out.split()
    assert (line[1], line[3:5], line[6]) == ("ClusterIP", ["<none>", "80/TCP"], "app=web")


async def test_delete_waits_for_finalizers(cluster):
    await apply(cluster)
    patch = '{"metadata":{"finalizers":["example.com/hold"]}}'
    await cluster.kubectl("patch", "deploy", "web", "--type=merge", "-p", patch)
    held = await cluster.kubectl("delete", "deploy", "web", "--timeout=1s", check=False)
    assert held.code == 1
    assert "deletionTimestamp" in deployment(cluster)["metadata"]
    await cluster.kubectl("patch", "deploy", "web", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert deployment(cluster) is None


async def test_delete_by_label_all_and_file(cluster):
    await apply(cluster)
    await cluster.kubectl("create", "configmap", "one")
    await cluster.kubectl("create", "configmap", "two")
    await cluster.kubectl("label", "configmap", "one", "a=b")
    assert (await cluster.kubectl("delete", "configmap", "-l", "a=b")).out == 'configmap "one" deleted\n'
    assert (await cluster.kubectl("delete", "configmap", "--all")).out == 'configmap "two" deleted\n'
    await cluster.kubectl("delete", "-f", "-", stdin=MANIFEST)
    assert (await cluster.kubectl("delete", "-f", "-", "--ignore-not-found", stdin=MANIFEST)).out == ""


async def test_wrong_fields_are_named(cluster):
    wrong = MANIFEST.replace("replicas: 2", "replicas: two")
    refused = await cluster.kubectl("apply", "-f", "-", stdin=wrong, check=False)
    assert "spec.replicas" in refused.err
    strange = MANIFEST.replace("replicas: 2", "replicsa: 2")
    refused = await cluster.kubectl("apply", "-f", "-", stdin=strange, check=False)
    assert 'strict decoding error: unknown field "spec.replicsa"' in refused.err
    warned = await cluster.kubectl("apply", "--validate=warn", "-f", "-", stdin=strange)
    assert 'Warning: unknown field "spec.replicsa"' in warned.err


async def test_objects_need_their_namespace(cluster):
    refused = await cluster.kubectl("create", "configmap", "x", "-n", "nowhere", check=False)
    assert 'namespaces "nowhere" not found' in refused.err


async def test_a_deleted_namespace_takes_nothing_new(cluster):
    await cluster.kubectl("create", "namespace", "old")
    await cluster.kubectl("delete", "namespace", "old", "--wait=false")
    assert "Terminating" in (await cluster.kubectl("get", "ns", "old")).out
    refused = await cluster.kubectl("create", "configmap", "x", "-n", "old", check=False)
    assert "because it is being terminated" in refused.err
