"""Whatever two services speak gets through: on declared ports, undeclared ones, headless, and without sidecars."""

import json
import site
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

HERE = Path(__file__).parent / "programs"
POD = """
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels: {{app: {name}, sidecar.istio.io/inject: "{sidecar}"}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: python:3.11-slim
    command: {command}
    env: [{{name: PYTHONPATH, value: {packages}}}]
    volumeMounts:
    - {{name: packages, mountPath: {packages}}}
    - {{name: programs, mountPath: /programs}}
  volumes:
  - {{name: packages, hostPath: {{path: {packages}}}}}
  - {{name: programs, hostPath: {{path: {programs}}}}}
"""
SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: declared}
spec:
  selector: {app: server}
  ports:
  - {name: http, port: 9001, targetPort: 8001}
  - {name: grpc, port: 9002, targetPort: 8002}
  - {name: http-ws, port: 9003, targetPort: 8003}
  - {name: tcp, port: 9004, targetPort: 8004}
  - {name: mysql, port: 9005, targetPort: 8005}
---
apiVersion: v1
kind: Service
metadata: {name: undeclared}
spec:
  selector: {app: server}
  ports:
  - {name: a, port: 9101, targetPort: 8001}
  - {name: b, port: 9102, targetPort: 8002}
  - {name: c, port: 9103, targetPort: 8003}
  - {name: d, port: 9104, targetPort: 8004}
  - {name: e, port: 9105, targetPort: 8005}
---
apiVersion: v1
kind: Service
metadata: {name: headless}
spec:
  clusterIP: None
  selector: {app: server}
  ports:
  - {name: http, port: 8001}
  - {name: grpc, port: 8002}
  - {name: http-ws, port: 8003}
  - {name: tcp, port: 8004}
  - {name: tcp-first, port: 8005}
"""
EXPECTED = {
    "http": "HTTP/1.1",
    "rpc": "echo hello",
    "web_socket": "echo hello",
    "tcp": "echo hello",
    "server_first": "welcome, echo hello",
}


def pod(mesh, name: str, command: list[str], *, sidecar: bool) -> str:
    packages = site.getsitepackages()[0]
    programs = mesh.folder / "programs"
    programs.mkdir(exist_ok=True)
    for file in HERE.glob("*.py"):
        (programs / file.name).write_text(file.read_text())
    shown = json.dumps(command)
    return POD.format(name=name, command=shown, sidecar=str(sidecar).lower(), packages=packages, programs=programs)


@pytest.mark.parametrize("server", [True, False], ids=["server-in-mesh", "server-outside"])
@pytest.mark.parametrize("client", [True, False], ids=["client-in-mesh", "client-outside"])
def test_protocols(mesh, namespace, client, server):
    server_pod = pod(mesh, "server", ["python", "/programs/protocols.py"], sidecar=server)
    client_pod = pod(mesh, "client", ["sleep", "infinity"], sidecar=client)
    mesh.apply("---".join((server_pod, client_pod, SERVICES)), "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod", "--all", "-n", namespace, "--timeout=60s")
    mesh.wait("the server's ports", lambda: "ready" in mesh.kubectl("logs", "-n", namespace, "server", "-c", "main"))
    inside = ("exec", "-n", namespace, "client", "-c", "main", "--", "python", "/programs/calls.py")
    heard = {
        host: json.loads(mesh.kubectl(*inside, host, str(first)))
        for host, first in (("declared", 9000), ("undeclared", 9100), ("headless", 8000))
    }
    assert heard == {"declared": EXPECTED, "undeclared": EXPECTED, "headless": EXPECTED}
