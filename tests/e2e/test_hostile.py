"""What harms one pod or one rule harms nothing else."""

import pytest
from tests.e2e.machine import Machine
from tests.e2e.test_first_steps import SERVICE, answers, deploy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}}}
spec:
  hosts: [{name}]
  http:
  - match: [{{headers: {{x: {{regex: "{regex}"}}}}}}]
    route: [{{destination: {{host: echo}}}}]
"""
OTHER = SERVICE.replace("name: echo}", "name: other}")
SEALED = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: b}
---
apiVersion: v1
kind: Pod
metadata: {name: sealed}
spec:
  terminationGracePeriodSeconds: 1
  volumes: [{name: settings, configMap: {name: settings}}, {name: scratch, emptyDir: {}}]
  containers:
  - name: app
    image: busybox
    command: [sleep, infinity]
    securityContext: {readOnlyRootFilesystem: true}
    volumeMounts: [{name: settings, mountPath: /deep/new/settings}, {name: scratch, mountPath: /scratch}]
"""


def live(mesh: Machine, namespace: str, name: str) -> str:
    path = "jsonpath={.status.conditions[?(@.type=='Live')].reason}"
    return mesh.kubectl("get", "virtualservice", name, "-n", namespace, "-o", path)


def test_a_rule_that_envoy_refuses_holds_no_other_rule_up(mesh, namespace):
    deploy(mesh, namespace, "v1")
    mesh.apply(OTHER, "-n", namespace)
    mesh.apply(RULE.format(name="echo", regex="a{1001}"), "-n", namespace)  # Python takes it, RE2 does not
    mesh.wait("the refusal", lambda: live(mesh, namespace, "echo") == "RefusedByProxy")
    mesh.apply(RULE.format(name="other", regex="a"), "-n", namespace)
    mesh.wait("the other rule", lambda: live(mesh, namespace, "other") == "EveryProxyHasIt")
    assert live(mesh, namespace, "echo") == "RefusedByProxy"
    mesh.apply(RULE.format(name="echo", regex="a{100}"), "-n", namespace)
    mesh.wait("the mended rule", lambda: live(mesh, namespace, "echo") == "EveryProxyHasIt")


def test_calls_to_the_sidecars_own_ports_end_at_once(mesh, namespace):
    deploy(mesh, namespace, "v1")
    inside = ("exec", "-n", namespace, "caller", "-c", "shell", "--")
    address = mesh.kubectl("get", "pod", "caller", "-n", namespace, "-o", "jsonpath={.status.podIP}")
    for target in ("127.0.0.1:15001", "127.0.0.1:15006", f"{address}:15001", f"{address}:15006"):
        mesh.run("kubectl", *inside, "curl", "-s", "-m", "10", f"http://{target}/", check=False)
    assert answers(mesh, namespace, 5)
    restarts = "jsonpath={.status.initContainerStatuses[*].restartCount}"
    assert mesh.kubectl("get", "pod", "caller", "-n", namespace, "-o", restarts) == "0"


def test_a_read_only_root_has_its_volumes(mesh, namespace):
    mesh.apply(SEALED, "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod/sealed", "-n", namespace, "--timeout=60s")
    script = "cat /deep/new/settings/a; for f in /x /usr/x /tmp/x /deep/x /scratch/x; do touch $f && echo $f; done"
    inside = ("exec", "-n", namespace, "sealed", "-c", "app", "--", "sh", "-c")
    assert mesh.run("kubectl", *inside, f"({script}) 2>/dev/null; true").stdout == "b/scratch/x\n"
