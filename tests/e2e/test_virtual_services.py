"""What VirtualServices do beside sharing out requests, in a real mesh: faults, copies, CORS, delegates, bytes."""

import time

import pytest
from tests.e2e.machine import Machine
from tests.e2e.test_first_steps import deploy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

RULES = """
apiVersion: v1
kind: Service
metadata: {name: bytes}
spec: {selector: {app: nobody}, ports: [{name: tcp, port: 9000}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: echo}
spec: {host: echo, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: team}
spec:
  http: [{route: [{destination: {host: echo, subset: v2}}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: echo}
spec:
  hosts: [echo]
  http:
  - match: [{uri: {prefix: /down}}]
    fault: {abort: {httpStatus: 555, percentage: {value: 100}}}
    route: [{destination: {host: echo, subset: v1}}]
  - match: [{uri: {prefix: /slow}}]
    fault: {delay: {fixedDelay: 700ms, percentage: {value: 100}}}
    route: [{destination: {host: echo, subset: v1}}]
  - match: [{uri: {prefix: /copied}}]
    mirror: {host: echo, subset: v2}
    route: [{destination: {host: echo, subset: v1}}]
  - match: [{uri: {prefix: /pages}}]
    corsPolicy: {allowOrigins: [{exact: "https://shop.example.com"}], allowMethods: [GET]}
    route: [{destination: {host: echo, subset: v1}}]
  - match: [{uri: {prefix: /team}}]
    delegate: {name: team}
  - route: [{destination: {host: echo, subset: v1}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bytes}
spec:
  hosts: [bytes]
  tcp: [{route: [{destination: {host: echo, subset: v1}}]}]
"""
PREFLIGHT = ("-X", "OPTIONS", "-H", "Origin: https://shop.example.com", "-H", "Access-Control-Request-Method: GET")


def test_virtual_services_do_what_they_say(mesh: Machine, namespace: str):
    deploy(mesh, namespace, "v1", "v2")
    mesh.apply(RULES, "-n", namespace)
    for name in ("echo", "bytes"):
        mesh.kubectl("wait", "--for=condition=Live", f"virtualservice/{name}", "-n", namespace, "--timeout=30s")

    def call(path: str, *options: str) -> str:
        argv = ("curl", "-s", "-w", " %{http_code}", *options, f"http://{path}")
        return mesh.kubectl("exec", "-n", namespace, "caller", "-c", "shell", "--", *argv)

    assert call("echo/down").endswith(" 555")
    began = time.monotonic()
    assert call("echo/slow").split()[0] == "v1"
    assert time.monotonic() - began >= 0.7
    assert "access-control-allow-origin: https://shop.example.com" in call("echo/pages", "-i", *PREFLIGHT)
    assert call("echo/team").split()[0] == "v2"
    assert call("bytes:9000/").split()[0] == "v1"
    before = received(mesh, namespace, "v2")
    assert call("echo/copied").split()[0] == "v1"
    mesh.wait("the copy", lambda: received(mesh, namespace, "v2") == before + 1)


def received(mesh: Machine, namespace: str, version: str) -> int:
    """How many requests the sidecar of the version has let in."""
    pod = mesh.kubectl("get", "pod", "-n", namespace, "-l", f"version={version}", "-o", "name").strip()
    argv = ("pilot-agent", "request", "GET", "stats?filter=inbound.*8080.*upstream_rq_total")
    said = mesh.kubectl("exec", "-n", namespace, pod, "-c", "istio-proxy", "--", *argv)
    return sum(int(line.rpartition(" ")[2]) for line in said.splitlines() if line.strip())
