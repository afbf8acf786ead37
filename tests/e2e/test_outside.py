"""Services outside of the mesh by names that ServiceEntries give them; pods that know only what a Sidecar names."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

SLOW_S = 4.0
MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {{name: client, labels: {{app: client}}}}
spec: {{containers: [{{name: main, image: python, command: [sleep, infinity]}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: bare, labels: {{sidecar.istio.io/inject: "false"}}}}
spec: {{containers: [{{name: main, image: python, command: [sleep, infinity]}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: server, labels: {{app: server}}}}
spec: {{containers: [{{name: main, image: python, command: [python, -m, http.server, "8081", --bind, 127.0.0.1]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: server}}
spec: {{selector: {{app: server}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: server}}
spec:
  workloadSelector: {{labels: {{app: server}}}}
  ingress: [{{port: {{number: 8080, protocol: HTTP, name: http}}, defaultEndpoint: "127.0.0.1:8081"}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: api}}
spec:
  hosts: [api.outside.test]
  resolution: STATIC
  endpoints: [{{address: {address}}}]
  ports:
  - {{number: 80, name: http, protocol: HTTP, targetPort: {port}}}
  - {{number: 7000, name: bytes, protocol: TCP, targetPort: {port}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: api}}
spec:
  hosts: [api.outside.test]
  http: [{{timeout: 1s, route: [{{destination: {{host: api.outside.test}}}}]}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: by-name}}
spec:
  hosts: [by-name.outside.test]
  resolution: DNS
  endpoints: [{{address: server.{namespace}.svc.cluster.local}}]
  ports: [{{number: 80, name: http, protocol: HTTP}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: dynamic}}
spec:
  hosts: ["*.pod.cluster.local"]
  resolution: DYNAMIC_DNS
  ports: [{{number: 8080, name: http, protocol: HTTP}}]
"""
NARROW = """
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: client}
spec:
  workloadSelector: {labels: {app: client}}
  outboundTrafficPolicy: {mode: REGISTRY_ONLY}
  egress: [{hosts: ["./api.outside.test"]}]
"""


class Handler(http.server.BaseHTTPRequestHandler):
    """A server that has never heard of a mesh."""

    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(SLOW_S)
        body = f"{self.headers['host']} {self.path}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, int]]:
    """A server on this machine, at an address that is not its loopback, whose own each pod has."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))  # nothing is sent
        except OSError:
            pytest.skip("this machine has no address but its loopback")
        address = probe.getsockname()[0]
    running = http.server.ThreadingHTTPServer((address, 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield address, running.server_port
    running.shutdown()
    running.server_close()


class Client:
    """A pod that calls."""

    def __init__(self, mesh, namespace: str, pod: str = "client") -> None:
        self._run = lambda *argv: mesh.kubectl("exec", "-n", namespace, pod, "-c", "main", "--", *argv, check=False)
        self._proxy = lambda path: mesh.kubectl(
            "exec", "-n", namespace, pod, "-c", "istio-proxy", "--", "pilot-agent", "request", "GET", path
        )

    def get(self, url: str) -> str:
        """The status, and the body where it is short."""
        said = self._run("curl", "-s", "-m", "10", "-w", " %{http_code}", url)
        body, _, status = said.rpartition(" ")
        return f"{status} {body}" if len(body) < 100 else status

    def address(self, host: str) -> str:
        return self._run("python3", "-c", f"import socket; print(socket.gethostbyname('{host}'))").strip()

    def clusters(self) -> set[str]:
        names = {line.partition("::")[0] for line in self._proxy("/clusters").splitlines()}
        return {name for name in names if name.startswith("outbound|")}


def test_outside(mesh, namespace, server):
    address, port = server
    mesh.apply(MANIFEST.format(address=address, port=port, namespace=namespace), "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod", "--all", "-n", namespace, "--timeout=60s")
    mesh.kubectl("wait", "--for=condition=Live", "virtualservice/api", "-n", namespace, "--timeout=30s")
    client, bare = Client(mesh, namespace), Client(mesh, namespace, "bare")

    allocated = client.address("api.outside.test")
    assert allocated.startswith("240.240.")
    told = [{"value": allocated, "host": "api.outside.test"}]
    entry = ("serviceentry", "api", "-n", namespace)
    mesh.wait("the status tells it", lambda: mesh.get(*entry)["status"].get("addresses") == told)
    assert bare.address("api.outside.test") == ""

    assert client.get("http://api.outside.test/") == "200 api.outside.test /"
    assert client.get("http://api.outside.test:7000/bytes") == "200 api.outside.test:7000 /bytes"
    started = time.monotonic()
    assert client.get("http://api.outside.test/slow").startswith("504 ")
    assert time.monotonic() - started < SLOW_S

    # By the cluster's resolver, through the ingress of the server's Sidecar to where its program listens.
    assert client.get("http://by-name.outside.test/") == client.get("http://server/")
    assert client.get("http://server/").startswith("200")
    pod = mesh.get("pod", "server", "-n", namespace)["status"]["podIP"].replace(".", "-")
    assert client.get(f"http://{pod}.{namespace}.pod.cluster.local:8080/").startswith("200")

    before = client.clusters()
    mesh.apply(NARROW, "-n", namespace)
    wanted = {"outbound|80||api.outside.test", "outbound|7000||api.outside.test"}
    mesh.wait("a narrow view", lambda: client.clusters() == wanted, timeout_s=20)
    assert before > wanted
    assert client.get("http://api.outside.test/") == "200 api.outside.test /"
    assert client.get("http://server/").startswith("502 ")
    assert client.address("by-name.outside.test") == ""
