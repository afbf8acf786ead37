"""Workloads beside Deployments, by the real kubectl, in the mesh."""

import re
from collections.abc import Callable

import pytest
from tests.e2e.machine import Machine

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

Kubectl = Callable[..., str]


@pytest.fixture
def kubectl(mesh: Machine, namespace: str) -> Kubectl:
    """kubectl in the test's namespace; both outputs."""

    def run(*arguments: str, **more) -> str:
        done = mesh.run("kubectl", "-n", namespace, *arguments, **more)
        return done.stdout + done.stderr

    return run


FAILING = """
apiVersion: batch/v1
kind: Job
metadata: {name: fails}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: app, image: busybox, command: [sh, -c, exit 3]}]
"""


def test_jobs_end_with_their_sidecars(mesh, kubectl):
    kubectl("create", "job", "sums", "--image=busybox", "--", "echo", "one and one is two")
    kubectl("apply", "-f", "-", input=FAILING)
    kubectl("wait", "--for=condition=complete", "job/sums", "--timeout=60s")
    assert "istio-proxy" in kubectl("get", "pod", "-l", "job-name=sums", "-o", "yaml")
    assert re.search(r"Complete +1/1", kubectl("get", "job", "sums"))
    assert kubectl("logs", "job/sums") == "one and one is two\n"
    kubectl("wait", "--for=condition=failed", "job/fails", "--timeout=60s")
    assert "BackoffLimitExceeded" in kubectl("describe", "job", "fails")
    kubectl("delete", "job", "sums", "fails")
    mesh.wait("the pods are gone", lambda: "No resources found" in kubectl("get", "pods"))


STORE = """
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{name: http, port: 8080}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: app
        image: python:3.11-slim
        command: [sh, -c, "hostname >> /data/names; cd /data; exec python -um http.server 8080"]
        volumeMounts: [{name: data, mountPath: /data}]
        readinessProbe: {httpGet: {path: /names, port: 8080}, periodSeconds: 1}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
ASK = "import urllib.request; print(urllib.request.urlopen('http://db-1.db:8080/names').read().decode())"


def test_a_stateful_set_keeps_names_and_data(kubectl):
    kubectl("apply", "-f", "-", input=STORE)
    kubectl("rollout", "status", "sts/db", "--timeout=60s")
    assert kubectl("exec", "db-0", "-c", "app", "--", "python", "-c", ASK) == "db-1\n\n"
    kubectl("rollout", "restart", "sts/db")
    kubectl("rollout", "status", "sts/db", "--timeout=60s")
    kubectl("rollout", "undo", "sts/db")
    kubectl("scale", "sts/db", "--replicas=1")
    kubectl("wait", "--for=delete", "pod/db-1", "--timeout=60s")
    kubectl("rollout", "status", "sts/db", "--timeout=60s")
    assert kubectl("exec", "db-0", "-c", "app", "--", "cat", "/data/names").startswith("db-0\ndb-0\n")
    assert kubectl("get", "pvc", "-o", "jsonpath={.items[*].status.phase}") == "Bound Bound"
    kubectl("delete", "sts,pvc", "--all")


DAEMON = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: logs}
spec:
  selector: {matchLabels: {app: logs}}
  template:
    metadata: {labels: {app: logs}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: app, image: busybox, command: [sleep, infinity]}]
"""


def test_a_daemon_set_runs_on_the_node(kubectl):
    kubectl("apply", "-f", "-", input=DAEMON)
    kubectl("rollout", "status", "ds/logs", "--timeout=60s")
    kubectl("rollout", "restart", "ds/logs")
    kubectl("rollout", "status", "ds/logs", "--timeout=60s")
    assert re.search(r"logs +1 +1 +1 +1 +1 ", kubectl("get", "ds"))
