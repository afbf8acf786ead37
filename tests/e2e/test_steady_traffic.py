"""No request fails while versions come and go and rules change."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import pytest
from tests.e2e.machine import Machine
from tests.e2e.test_first_steps import ECHO, SPLIT, deploy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

PROGRAM = Path(__file__).parent / "programs" / "steady.py"
LOAD = """
apiVersion: v1
kind: ConfigMap
metadata: {name: steady}
data:
  steady.py: |
%s
---
apiVersion: v1
kind: Pod
metadata: {name: load}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: load
    image: python:3.11-slim
    command: [python, /program/steady.py, echo]
    volumeMounts: [{name: program, mountPath: /program}]
  volumes: [{name: program, configMap: {name: steady}}]
"""


class Load:
    """Requests that never pause."""

    def __init__(self, mesh: Machine, namespace: str) -> None:
        self.mesh = mesh
        self.namespace = namespace

    def counts(self) -> dict:
        inside = ("exec", "-n", self.namespace, "load", "-c", "load", "--", "cat", "/tmp/counts")
        return json.loads(self.mesh.kubectl(*inside, check=False) or '{"counts": {}, "errors": []}')

    def goes_on(self, version: str) -> None:
        """Wait until `version` has answered twenty more times."""
        before = self.counts()["counts"].get(version, 0)
        self.mesh.wait(f"answers of {version}", lambda: self.counts()["counts"].get(version, 0) > before + 20)


@pytest.fixture
def load(mesh: Machine, namespace: str) -> Iterator[Load]:
    deploy(mesh, namespace, "v1")
    mesh.apply(LOAD % indent(PROGRAM.read_text(), "    "), "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod/load", "-n", namespace, "--timeout=60s")
    made = Load(mesh, namespace)
    made.goes_on("v1")
    yield made
    assert made.counts()["errors"] == []


def test_a_version_is_deployed_scaled_rolled_and_deleted(mesh, namespace, load):
    mesh.apply(ECHO.format(version="v2"), "-n", namespace)
    load.goes_on("v2")
    mesh.kubectl("scale", "deployment/echo-v2", "--replicas=3", "-n", namespace)
    mesh.kubectl("rollout", "status", "deployment/echo-v2", "-n", namespace)
    mesh.kubectl("scale", "deployment/echo-v2", "--replicas=1", "-n", namespace)
    load.goes_on("v2")
    mesh.kubectl("rollout", "restart", "deployment/echo-v1", "-n", namespace)
    mesh.kubectl("rollout", "status", "deployment/echo-v1", "-n", namespace)
    load.goes_on("v1")
    mesh.kubectl("delete", "deployment/echo-v2", "-n", namespace)
    load.goes_on("v1")


def test_rules_change_in_any_order(mesh, namespace, load):
    rule, route = SPLIT.split("---")
    for manifest in (route, rule, ECHO.format(version="v2")):
        mesh.apply(manifest, "-n", namespace)
        load.goes_on("v1")
    load.goes_on("v2")
    for weights in ((50, 50), (0, 100), (100, 0)):
        changed = route.replace("weight: 10", f"weight: {weights[1]}").replace("weight: 90", f"weight: {weights[0]}")
        mesh.apply(changed, "-n", namespace)
        load.goes_on("v1" if weights[0] else "v2")
    mesh.kubectl("delete", "destinationrule/echo", "-n", namespace)
    load.goes_on("v1")
    mesh.apply(rule, "-n", namespace)
    mesh.kubectl("delete", "deployment/echo-v2", "-n", namespace)
    load.goes_on("v1")
    mesh.kubectl("delete", "virtualservice/echo", "-n", namespace)
    time.sleep(0.5)
    load.goes_on("v1")
