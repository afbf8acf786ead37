"""SMI's kinds in a real mesh: the guide's group of routes is split and guarded."""

import pytest
from tests.e2e.machine import Machine
from tests.e2e.test_first_steps import ECHO, deploy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

GROUP = """
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata:
  name: service-1-routes
spec:
  matches:
  - name: api
    pathRegex: "/api/.*"
    methods: ["GET", "POST"]
"""
SPLIT = """
apiVersion: v1
kind: Service
metadata: {name: echo-v2}
spec:
  selector: {app: echo, version: v2}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: split.smi-spec.io/v1alpha4
kind: TrafficSplit
metadata: {name: echo}
spec:
  service: echo
  matches: [{kind: HTTPRouteGroup, name: service-1-routes}]
  backends: [{service: echo-v2, weight: 1}]
"""
TARGET = """
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: echo}
spec:
  destination: {kind: ServiceAccount, name: echo}
  sources: [{kind: ServiceAccount, name: default}]
  rules: [{kind: HTTPRouteGroup, name: service-1-routes}]
"""
GUARDED = ECHO.format(version="v2").replace("      containers:", "      serviceAccountName: echo\n      containers:")
PLAIN = """
apiVersion: v1
kind: Pod
metadata: {name: plain, labels: {sidecar.istio.io/inject: "false"}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: shell, image: curlimages/curl, command: [sleep, infinity]}]
"""


def call(mesh: Machine, namespace: str, pod: str, *options: str) -> str:
    """The status of a call, and the first word of the answer."""
    argv = ("curl", "-s", "-w", " %{http_code}", *options)
    first, *_, status = mesh.kubectl("exec", "-n", namespace, pod, "-c", "shell", "--", *argv).split()
    return f"{status} {first}"


def test_named_requests_are_split_and_only_named_callers_get_in(mesh, namespace):
    deploy(mesh, namespace, "v1")
    mesh.kubectl("create", "serviceaccount", "echo", "-n", namespace)
    said = mesh.apply("---".join((GROUP, GUARDED, PLAIN, SPLIT, TARGET)), "-n", namespace)
    assert "no effect yet" not in said.stderr
    mesh.kubectl("wait", "--for=condition=Ready", "pod", "--all", "-n", namespace, "--timeout=60s")
    rules = ("httproutegroup/service-1-routes", "trafficsplit/echo", "traffictarget/echo")
    mesh.kubectl("wait", "--for=condition=Live", *rules, "-n", namespace, "--timeout=30s")

    def to(url: str, *options: str, pod: str = "caller") -> str:
        return call(mesh, namespace, pod, *options, url)

    assert {to("http://echo/api/users") for _ in range(10)} == {"200 v2"}
    assert to("http://echo-v2/api/users") == "200 v2"
    assert to("http://echo-v2/other") == "403 RBAC:"
    assert to("http://echo-v2/api/users", "-X", "DELETE") == "403 RBAC:"
    assert to("http://echo-v2/api/users", pod="plain") == "403 RBAC:"
    mesh.kubectl("delete", "traffictarget/echo", "-n", namespace)
    mesh.wait("everybody gets in", lambda: to("http://echo-v2/other") == "200 v2")
