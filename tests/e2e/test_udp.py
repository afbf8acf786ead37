"""UDP: from pod to pod by a service's address and by its name, and from the machine through a gateway."""

import json
import socket
from collections import Counter

import pytest
from tests.e2e.machine import Machine

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {app}}}}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: echo
    image: python:3.11-slim
    command: [python, -u, -c]
    args:
    - |
      import socket
      with socket.socket(type=socket.SOCK_DGRAM) as waiting:
          waiting.bind(("", 5300))
          while True:
              question, peer = waiting.recvfrom(65535)
              waiting.sendto(b"{name} " + question, peer)
    readinessProbe: {{exec: {{command: [test, "!", -e, /tmp/away]}}, periodSeconds: 1, failureThreshold: 1}}
---
"""
SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: echo}
spec: {selector: {app: echo}, ports: [{port: 53, targetPort: 5300, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: each}
spec: {clusterIP: None, selector: {app: echo}, ports: [{port: 5300, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: other}
spec: {selector: {app: other}, ports: [{port: 7, targetPort: 5300, protocol: UDP}]}
---
"""
GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front}
spec:
  gatewayClassName: semafor
  listeners: [{name: echo, port: 5300, protocol: UDP}]
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: UDPRoute
metadata: {name: echo}
spec:
  parentRefs: [{name: front}]
  rules: [{backendRefs: [{name: echo, port: 53, weight: 3}, {name: other, port: 7, weight: 1}]}]
"""
# Each question from a port of its own, as the mesh keeps a caller with one instance.
ASK = """
import collections, socket, sys
heard = collections.Counter()
for number in range(int(sys.argv[3])):
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        try:
            asking.connect((sys.argv[1], int(sys.argv[2])))
            asking.send(b"?")
            heard[asking.recv(99).split()[0].decode()] += 1
        except OSError as error:
            heard[type(error).__name__] += 1
print(dict(heard))
"""


def asked(mesh: Machine, namespace: str, host: str, port: int, count: int = 10) -> dict[str, int]:
    """Who answered a pod's questions, how often."""
    command = ("python", "-c", ASK, host, str(port), str(count))
    said = mesh.kubectl("exec", "-n", namespace, "other", "-c", "echo", "--", *command, check=False)
    return json.loads(said.replace("'", '"') or "{}")


def ask(address: tuple[str, int], question: bytes) -> bytes:
    """What the machine itself is answered."""
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        asking.connect(address)
        try:
            asking.send(question)
            return asking.recv(65535)
        except OSError:
            return b"nothing"


def deploy(mesh: Machine, namespace: str) -> None:
    pods = [POD.format(name=name, app=app) for name, app in (("a", "echo"), ("b", "echo"), ("other", "other"))]
    mesh.apply(SERVICES + "".join(pods), "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod", "--all", "-n", namespace, "--timeout=90s")


def test_pods_reach_services_by_udp_and_those_that_are_not_ready_are_left_out(mesh: Machine, namespace: str):
    deploy(mesh, namespace)
    address = mesh.get("service/echo", "-n", namespace)["spec"]["clusterIP"]
    mesh.wait("both answer", lambda: asked(mesh, namespace, address, 53) == {"a": 5, "b": 5})
    assert asked(mesh, namespace, "each", 5300, 4).keys() <= {"a", "b"}
    mesh.kubectl("exec", "-n", namespace, "a", "-c", "echo", "--", "touch", "/tmp/away")
    mesh.wait("b alone answers", lambda: asked(mesh, namespace, address, 53) == {"b": 10})
    mesh.wait("b alone has the name", lambda: asked(mesh, namespace, "each", 5300) == {"b": 10})
    assert asked(mesh, namespace, address, 54, 1) == {"ConnectionRefusedError": 1}


def test_the_machine_reaches_a_udp_route_by_weight(mesh: Machine, namespace: str):
    deploy(mesh, namespace)
    mesh.apply(GATEWAY, "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Programmed", "gtw/front", "-n", namespace, "--timeout=60s")
    place = (mesh.get("gtw/front", "-n", namespace)["status"]["addresses"][0]["value"], 5300)
    mesh.wait("the gateway answers", lambda: ask(place, b"?").endswith(b" ?"))
    heard = Counter(ask(place, b"%d" % number).split()[0].decode() for number in range(80))
    assert heard == {"a": 30, "b": 30, "other": 20}
    long = b"x" * 60_000
    assert ask(place, long).endswith(b" " + long)
    route = mesh.get("udproute/echo", "-n", namespace)["status"]["parents"][0]
    assert {each["type"]: each["reason"] for each in route["conditions"]} == {
        "Accepted": "Accepted",
        "ResolvedRefs": "ResolvedRefs",
    }
