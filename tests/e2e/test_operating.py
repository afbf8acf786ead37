"""What an apply would change, who changed what, the way back, and what one sends to a helper."""

import json
import tarfile

import pytest
from tests.e2e.machine import Machine
from tests.e2e.test_first_steps import deploy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: echo, namespace: {namespace}}}
spec: {{hosts: [echo], http: [{{timeout: {timeout}, route: [{{destination: {{host: echo}}}}]}}]}}
"""
BUSY = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: busy}
spec:
  selector: {matchLabels: {app: busy}}
  template:
    metadata: {labels: {app: busy}, annotations: {sidecar.istio.io/proxyCPU: 10m}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: loop
        image: python:3.11-slim
        command: [python, -c, "while True: sum(range(10000))"]
        resources: {requests: {cpu: 20m, memory: 16Mi}}
"""
SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: planted}
stringData: {password: planted-hunter-2, note: in the archive nowhere}
---
apiVersion: v1
kind: Pod
metadata: {name: leaky, annotations: {sidecar.istio.io/inject: "false"}}
spec:
  containers:
  - name: shell
    image: curlimages/curl
    env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: planted, key: password}}}]
    command: [sh, -c, "echo it is $PASSWORD; sleep infinity"]
"""


def test_a_change_is_told_before_kept_after_and_undone(mesh: Machine, namespace: str) -> None:
    deploy(mesh, namespace, "v1")
    mesh.apply(RULE.format(namespace=namespace, timeout="1s"))
    mesh.semafor("wait", "virtualservice", f"echo.{namespace}")
    before = mesh.write("before.yaml", RULE.format(namespace=namespace, timeout="1s"))
    after = mesh.write("after.yaml", RULE.format(namespace=namespace, timeout="7s"))
    assert mesh.semafor("diff", "-f", str(before)).returncode == 0
    told = mesh.semafor("diff", "-f", str(after), "-o", "json", check=False)
    assert told.returncode == 1
    changed = [each for group in json.loads(told.stdout)["groups"] for each in group["changes"]]
    assert any("time-out 7 s" in line for each in changed for line in each["lines"])
    assert timeout(mesh, namespace) == "1s"
    mesh.kubectl("apply", "-f", str(after))
    newest = mesh.wait("the change is kept", lambda: kept(mesh, namespace, "changed"))
    assert [each["who"] for each in newest["changes"]] == ["kubernetes-admin"]
    mesh.semafor("rollback", "--to", str(newest["number"] - 1))
    assert timeout(mesh, namespace) == "1s"
    assert mesh.semafor("diff", "-f", str(before)).returncode == 0


def kept(mesh: Machine, namespace: str, how: str) -> dict | None:
    """The newest revision, if that is what it did with the rule."""
    found = json.loads(mesh.semafor("history", "-o", "json").stdout)
    names = [(each["how"], each["object"]) for each in found[-1]["changes"]] if found else []
    return found[-1] if (how, f"VirtualService {namespace}/echo") in names else None


def timeout(mesh: Machine, namespace: str) -> str:
    return mesh.get("virtualservice", "echo", "-n", namespace)["spec"]["http"][0]["timeout"]


def test_a_report_has_logs_and_proxies_and_no_secrets(mesh: Machine, namespace: str) -> None:
    deploy(mesh, namespace, "v1")
    mesh.apply(SECRET, "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod", "leaky", "-n", namespace, "--timeout=60s")
    mesh.wait("it has said it", lambda: "hunter" in mesh.kubectl("logs", "leaky", "-n", namespace, check=False))
    path = mesh.folder / "report.tar.gz"
    mesh.semafor("bug-report", "-n", namespace, "-f", str(path))
    with tarfile.open(path) as tar:
        files = {each.name.partition("/")[2]: tar.extractfile(each).read().decode() for each in tar.getmembers()}
    assert f"pods/{namespace}/caller/config_dump.json" in files
    assert "it is [redacted]" in files[f"pods/{namespace}/leaky/shell.log"]
    assert [name for name, text in files.items() if "hunter" in text or "PRIVATE KEY" in text] == []


def test_a_deployment_grows_with_its_load(mesh: Machine, namespace: str) -> None:
    mesh.apply(BUSY, "-n", namespace)
    mesh.kubectl("rollout", "status", "deployment/busy", "-n", namespace, "--timeout=60s")
    mesh.kubectl("autoscale", "deployment", "busy", "--cpu-percent=50", "--min=1", "--max=2", "-n", namespace)
    mesh.kubectl("wait", "--for=jsonpath={.status.replicas}=2", "deployment/busy", "-n", namespace, "--timeout=90s")
    shown = mesh.kubectl("get", "hpa", "busy", "-n", namespace, "--no-headers").split()
    assert shown[:3] == ["busy", "Deployment/busy", "cpu:"]
    assert int(shown[3].partition("%")[0]) > 50
    name, cpu, memory = mesh.kubectl("top", "pod", "-n", namespace, "--no-headers").splitlines()[0].split()
    assert name.startswith("busy-")
    assert int(cpu.removesuffix("m")) > 10
    assert int(memory.removesuffix("Mi")) > 1
