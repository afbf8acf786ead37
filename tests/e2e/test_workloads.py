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
