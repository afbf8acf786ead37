"""Istio's sample of an external authorizer in a mesh: asked over HTTP and over gRPC, and away."""

import json
from collections.abc import Callable, Iterator

import pytest
from tests.e2e.machine import Machine

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

WORKLOADS = """
apiVersion: v1
kind: Service
metadata: {name: ext-authz}
spec:
  selector: {app: ext-authz}
  ports: [{name: http, port: 8000}, {name: grpc, port: 9000}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ext-authz}
spec:
  selector: {matchLabels: {app: ext-authz}}
  template:
    metadata: {labels: {app: ext-authz}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: ext-authz, image: docker.io/istio/ext-authz:latest, ports: [{containerPort: 8000}]}
---
apiVersion: v1
kind: Service
metadata: {name: httpbin}
spec: {selector: {app: httpbin}, ports: [{name: http, port: 8000, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: httpbin, labels: {app: httpbin}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: httpbin, image: docker.io/mccutchen/go-httpbin:v2.15.0, ports: [{containerPort: 8080}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: caller}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: curlimages/curl, command: [sleep, infinity]}]
"""
PROVIDERS = """
extensionProviders:
- name: over-http
  envoyExtAuthzHttp:
    service: ext-authz.NAMESPACE.svc.cluster.local
    port: 8000
    includeRequestHeadersInCheck: [x-ext-authz]
    includeAdditionalHeadersInCheck: {x-asked-by: mesh}
    headersToDownstreamOnDeny: [x-ext-authz-check-result]
- name: over-grpc
  envoyExtAuthzGrpc: {service: ext-authz.NAMESPACE.svc.cluster.local, port: 9000}
"""
POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: asked}
spec:
  selector: {matchLabels: {app: httpbin}}
  action: CUSTOM
  provider: {name: PROVIDER}
  rules: [{to: [{operation: {paths: [/headers]}}]}]
"""


@pytest.fixture
def providers(mesh: Machine, namespace: str) -> Iterator[None]:
    """The mesh's providers while the test lasts; what the mesh is told otherwise stays."""
    of_mesh = ("configmap", "istio", "-n", "istio-system")
    before = mesh.get(*of_mesh)["data"]["mesh"]
    told = {"data": {"mesh": before + PROVIDERS.replace("NAMESPACE", namespace)}}
    mesh.kubectl("patch", *of_mesh, "--type=merge", "-p", json.dumps(told))
    yield
    mesh.kubectl("patch", *of_mesh, "--type=merge", "-p", json.dumps({"data": {"mesh": before}}))


@pytest.mark.usefixtures("providers")
def test_an_authorizer_lets_pass_what_it_knows_over_both_protocols(mesh: Machine, namespace: str) -> None:
    mesh.apply(WORKLOADS, "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod", "--all", "-n", namespace, "--timeout=60s")
    for provider in ("over-http", "over-grpc"):
        mesh.apply(POLICY.replace("PROVIDER", provider), "-n", namespace)
        _until(mesh, lambda: _ask(mesh, namespace, "/headers", "deny").startswith("403 denied by ext_authz"))
        assert _ask(mesh, namespace, "/headers", "allow").startswith("200")
        assert _ask(mesh, namespace, "/ip", "deny").startswith("200")
    mesh.kubectl("scale", "deployment/ext-authz", "--replicas=0", "-n", namespace)
    _until(mesh, lambda: _ask(mesh, namespace, "/headers", "allow").startswith("403"))
    assert _ask(mesh, namespace, "/ip", "deny").startswith("200")


def _ask(mesh: Machine, namespace: str, path: str, header: str) -> str:
    """The status, and the body."""
    curl = ["curl", "-s", "-m", "20", "-H", f"x-ext-authz: {header}", "-w", "\n%{http_code}"]
    said = mesh.kubectl("exec", "caller", "-n", namespace, "-c", "main", "--", *curl, f"http://httpbin:8000{path}")
    body, _, status = said.rpartition("\n")
    return f"{status} {body}"


def _until(mesh: Machine, holds: Callable[[], bool]) -> None:
    for _ in range(60):
        if holds():
            return
    pytest.fail(mesh.log())
