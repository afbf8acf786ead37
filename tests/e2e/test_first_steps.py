"""The way of a beginner: start, look, deploy, call, split."""

import pytest
from tests.e2e.machine import Machine

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

ECHO = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: echo-{version}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: echo, version: {version}}}}}
  template:
    metadata: {{labels: {{app: echo, version: {version}}}}}
    spec:
      containers:
      - name: echo
        image: python:3.11-slim
        command: [python, -u, -c]
        args:
        - |
          from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
          class Handler(BaseHTTPRequestHandler):
              protocol_version, disable_nagle_algorithm = "HTTP/1.1", True
              def do_GET(self):
                  body = b"{version} " + self.headers.get("x-forwarded-client-cert", "plain").encode() + b"\\n"
                  self.send_response(200)
                  self.send_header("Content-Length", str(len(body)))
                  self.end_headers()
                  self.wfile.write(body)
              def log_message(self, *_): pass
          ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
        readinessProbe: {{tcpSocket: {{port: 8080}}, periodSeconds: 1}}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: echo}
spec:
  selector: {app: echo}
  ports: [{name: http, port: 80, targetPort: 8080}]
"""
CALLER = """
apiVersion: v1
kind: Pod
metadata: {name: caller, labels: {app: caller}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: shell, image: curlimages/curl, command: [sleep, infinity]}]
"""
SPLIT = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: echo}
spec:
  host: echo
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: echo}
spec:
  hosts: [echo]
  http:
  - match: [{headers: {x-test: {exact: "yes"}}}]
    route: [{destination: {host: echo, subset: v2}}]
  - route:
    - {destination: {host: echo, subset: v1}, weight: 90}
    - {destination: {host: echo, subset: v2}, weight: 10}
"""


def deploy(mesh: Machine, namespace: str, *versions: str) -> None:
    """Versions of the service `echo` and a pod that calls it, all ready."""
    documents = "---".join((SERVICE, CALLER, *(ECHO.format(version=version) for version in versions)))
    mesh.apply(documents, "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod", "--all", "-n", namespace, "--timeout=60s")


def answers(mesh: Machine, namespace: str, count: int, *options: str) -> list[str]:
    """The first words of `count` answers of the service."""
    urls = " ".join(["http://echo/"] * count)
    command = f"curl -s {' '.join(options)} {urls}"
    printed = mesh.kubectl("exec", "-n", namespace, "caller", "-c", "shell", "--", "sh", "-c", command)
    return [line.split()[0] for line in printed.splitlines()]


def test_the_node_is_ready_and_the_profile_runs(mesh):
    assert [node["metadata"]["name"] for node in mesh.get("nodes")["items"]] == ["semafor"]
    ready = "condition=Available"
    mesh.kubectl("wait", f"--for={ready}", "deployment", "--all", "-n", "istio-system", "--timeout=60s")
    names = {each["metadata"]["name"] for each in mesh.get("deployments", "-n", "istio-system")["items"]}
    assert names == {"istiod", "istio-ingressgateway", "istio-egressgateway"}


def test_pods_get_a_sidecar_and_answer_over_mtls(mesh, namespace):
    deploy(mesh, namespace, "v1")
    table = mesh.kubectl("get", "pods", "-n", namespace)
    assert table.count("2/2") == 2
    printed = mesh.kubectl("exec", "-n", namespace, "caller", "-c", "shell", "--", "curl", "-s", "http://echo/")
    assert f"URI=spiffe://cluster.local/ns/{namespace}/sa/default" in printed
    stats = mesh.kubectl(
        "exec", "-n", namespace, "caller", "-c", "istio-proxy", "--", "pilot-agent", "request", "GET", "/stats"
    )
    handshakes = [line for line in stats.splitlines() if line.endswith("ssl.handshake: 1")]
    assert handshakes, stats


def test_traffic_is_split_as_the_rule_says(mesh, namespace):
    deploy(mesh, namespace, "v1", "v2")
    mesh.apply(SPLIT, "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Live", "virtualservice/echo", "-n", namespace, "--timeout=60s")
    heard = answers(mesh, namespace, 2000)
    assert len(heard) == 2000
    assert 1740 <= heard.count("v1") <= 1860  # four standard deviations around 1800
    assert set(answers(mesh, namespace, 20, "-H", "x-test:yes")) == {"v2"}


def test_a_missing_image_says_what_to_do(mesh, namespace):
    mesh.kubectl("run", "lost", "--image=nobody/knows:1", "-n", namespace)

    def message() -> str:
        statuses = mesh.get("pod", "lost", "-n", namespace)["status"].get("containerStatuses", [])
        return next((status["state"].get("waiting", {}).get("message", "") for status in statuses), "")

    assert "semafor build -t nobody/knows:1" in mesh.wait("the pod tells what is wrong", message)


@pytest.mark.parametrize("sidecar", ["true", "false"])
def test_addresses_of_nobody_never_leave_the_mesh(mesh, namespace, sidecar):
    caller = CALLER.replace("labels: {app: caller}", f'labels: {{app: caller, sidecar.istio.io/inject: "{sidecar}"}}')
    mesh.apply("---".join((SERVICE, caller)), "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod/caller", "-n", namespace, "--timeout=60s")
    inside = ("exec", "-n", namespace, "caller", "-c", "shell", "--", "curl", "-sv", "-m", "5")
    for url in ("http://echo:81/", "http://10.96.255.254:81/", "http://10.244.255.254/"):
        done = mesh.run("kubectl", *inside, url, check=False)
        refused = done.returncode in (7, 28, 52, 56) or "HTTP/1.1 503" in done.stderr
        assert refused, done.stderr
