"""What `manifest generate --home cluster` makes, in a real Kubernetes; the replicas have its account and no more."""

import json
import subprocess
import sys

import network
import pytest
import yaml
from world import SYSTEM, until

URL = f"https://{network.GATEWAY}"


@pytest.fixture(scope="module")
def installed(world):
    """Its webhooks lead to the replicas' addresses, because no node is there to lead to Services."""
    text = subprocess.run(
        [sys.executable, "-m", "semafor", "manifest", "generate", "--home", "cluster"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    documents = list(yaml.safe_load_all(text))
    world.apply(*(each for each in documents if "Webhook" not in each["kind"]))
    world.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=120s")
    account = world.kubectl("create", "token", "istiod", "-n", SYSTEM, "--duration=1h")
    config = yaml.safe_load(world.kubernetes.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": account}
    path = world.folder / "istiod.kubeconfig"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config))
    settings = {"kubeconfig": str(path)}
    world.one, world.other = world.replica(**settings).wait(), world.replica(**settings).wait()
    bundle = world.kubectl("get", "secret", "-n", SYSTEM, "istio-ca-secret", "-o", "jsonpath={.data.root-cert\\.pem}")
    hooks = [each for each in documents if "Webhook" in each["kind"]]
    for webhook in (webhook for each in hooks for webhook in each["webhooks"]):
        where = webhook["clientConfig"].pop("service")["path"]
        webhook["clientConfig"] = {"url": f"{URL}:{world.one.ports['https']}{where}", "caBundle": bundle}
    world.apply(*hooks)
    world.apply({"apiVersion": "v1", "kind": "Namespace",
                 "metadata": {"name": "shop", "labels": {"istio-injection": "enabled"}}})  # fmt: skip
    return documents


def test_the_account_may_do_all_that_is_needed(world, installed):
    for replica in (world.one, world.other):
        assert "forbidden" not in replica.log.read_text()


def test_every_namespace_is_told_the_root(world, installed):
    def told():
        names = world.kubectl(
            "get", "configmap", "-A", "-o", "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {end}"
        )
        return {"shop/istio-ca-root-cert", "default/istio-ca-root-cert"} <= set(names.split())

    until(told, "not every namespace has the root")


def test_a_pod_is_injected_when_it_is_made(world, installed):
    # The name of the account is what the admission plugin ServiceAccount sees to, which is off here.
    spec = {"serviceAccountName": "default", "containers": [{"name": "app", "image": "example.com/app"}]}
    metadata = {"name": "web", "namespace": "shop", "labels": {"app": "web"}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    world.apply(pod)
    made = json.loads(world.kubectl("get", "pod", "web", "-n", "shop", "-o", "json"))
    init = {each["name"]: each for each in made["spec"]["initContainers"]}
    assert list(init) == ["istio-init", "istio-proxy"]
    assert init["istio-proxy"]["restartPolicy"] == "Always"
    assert init["istio-init"]["securityContext"]["capabilities"] == {"add": ["NET_ADMIN"], "drop": ["ALL"]}
    assert {"istio-token", "istiod-ca-cert", "workload-tls"} <= {each["name"] for each in made["spec"]["volumes"]}


def test_a_pod_that_does_not_want_to_is_not(world, installed):
    metadata = {"name": "plain", "namespace": "shop", "labels": {"sidecar.istio.io/inject": "false"}}
    spec = {"containers": [{"name": "app", "image": "example.com/app"}]}
    world.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    made = json.loads(world.kubectl("get", "pod", "plain", "-n", "shop", "-o", "json"))
    assert "initContainers" not in made["spec"]


def rule(weight, **more):
    route = [{"destination": {"host": "web"}, "weight": weight}, {"destination": {"host": "web"}, "weight": 5}]
    return json.dumps({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
                       "metadata": {"name": "web", "namespace": "shop"},
                       "spec": {"hosts": ["web"], "http": [{"route": route, **more}]}})  # fmt: skip


def dry_run(world, text):
    return world.kubectl("apply", "--dry-run=server", "-f", "-", text=text, check=False)


def test_the_schema_refuses_what_is_of_a_wrong_type_or_unknown(world, installed):
    assert "must be of type integer" in dry_run(world, rule("heavy"))
    assert 'unknown field "spec.http[0].timeuot"' in dry_run(world, rule(5, timeuot="3s"))
    assert "oneOf" in dry_run(world, rule(5, match=[{"uri": {"exact": "/a", "prefix": "/b"}}]))


def test_the_checker_says_what_the_schema_cannot(world, installed):
    told = dry_run(world, rule(5))
    assert "dry run" in told
    assert "Warning" in told, told


def test_there_is_one_leader_and_another_when_it_is_killed(world, installed):
    def leader():
        return world.kubectl("get", "lease", "istiod-leader", "-n", SYSTEM, "-o", "jsonpath={.spec.holderIdentity}")

    until(lambda: bool(leader()), "nobody leads")
    first = leader()
    killed = next(each for each in (world.one, world.other) if first.endswith(f"-{each.pid}"))
    killed.kill()
    until(lambda: leader() != first, "nobody else leads", 60)
