"""Metrics of a real mesh: what proxies and pods tell is kept, asked as of Prometheus, and raises alerts."""

import json
import os
import re
import signal
from urllib.parse import quote

import pytest
from tests.e2e.machine import Machine

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

PODS = """
apiVersion: v1
kind: Service
metadata: {name: backend}
spec: {selector: {app: backend}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata:
  name: backend
  labels: {app: backend}
  annotations: {prometheus.io/scrape: "true", prometheus.io/port: "9000", prometheus.io/path: /m}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: backend
    image: python:3.11-slim
    command: [python, -c, %s]
---
apiVersion: v1
kind: Pod
metadata: {name: caller, labels: {app: caller}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: caller, image: curlimages/curl, command: [sleep, infinity]}]
"""
# It answers 500, and counts; on another port it shows the count.
PROGRAM = """
import threading
from http.server import BaseHTTPRequestHandler as Handler, ThreadingHTTPServer as Server
asked = [0]
class Fails(Handler):
    def do_GET(self):
        asked[0] += 1
        self.send_response(500); self.send_header("content-length", "0"); self.end_headers()
class Tells(Handler):
    def do_GET(self):
        body = f"app_asked_total {asked[0]}\\n".encode()
        self.send_response(200); self.send_header("content-length", str(len(body))); self.end_headers()
        self.wfile.write(body)
threading.Thread(target=Server(("", 9000), Tells).serve_forever).start()
Server(("", 8080), Fails).serve_forever()
"""
RULE = """
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: errors}
spec:
  groups:
  - name: errors
    interval: 2s
    rules:
    - alert: BackendFails
      expr: sum by (destination_workload) (rate(istio_requests_total{response_code=~"5.*"}[20s])) > 0
      for: 4s
      annotations: {description: "{{ $labels.destination_workload }} fails"}
"""


@pytest.fixture
def calls(mesh: Machine, namespace: str):
    mesh.kubectl("label", "namespace", namespace, "istio-injection=enabled", "--overwrite")
    mesh.apply(PODS % json.dumps(PROGRAM), "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod/backend", "pod/caller", "-n", namespace, "--timeout=120s")

    def call(*command: str) -> str:
        return mesh.kubectl("exec", "-n", namespace, "caller", "-c", "caller", "--", *command)

    return call


def ask(call, path: str):
    return json.loads(call("curl", "-s", f"http://prometheus.istio-system:9090/api/v1/{path}"))["data"]


def values(call, query: str) -> list[float]:
    return [float(each["value"][1]) for each in ask(call, f"query?query={quote(query)}")["result"]]


def alerts(call) -> dict[str, str]:
    return {each["annotations"].get("description", ""): each["state"] for each in ask(call, "alerts")["alerts"]}


def fail(call, times: int) -> None:
    call(
        "sh",
        "-c",
        f"for n in $(seq {times}); do curl -s -o /dev/null -H 'x-envoy-max-retries: 0' http://backend/; done",
    )


def test_what_happens_is_counted_raises_an_alert_and_outlives_the_daemon(mesh, namespace, calls):
    mesh.apply(RULE, "-n", namespace)
    fail(calls, 30)
    counted = 'istio_requests_total{reporter="destination", destination_workload="backend", response_code="500"}'
    told = mesh.wait("the count of the app itself", lambda: max(values(calls, "app_asked_total"), default=0) >= 30)
    assert told
    asked = max(values(calls, "app_asked_total"))
    mesh.wait("the proxy's count to be the app's", lambda: values(calls, f"sum({counted})") == [asked])

    def fires() -> bool:
        fail(calls, 3)
        return alerts(calls).get("backend fails") == "firing"

    mesh.wait("the alert", fires, timeout_s=90)
    mesh.wait("its end", lambda: alerts(calls) == {}, timeout_s=120)
    before = values(calls, f"max_over_time(sum({counted})[1h:5s])")

    os.kill(int((mesh.home / "daemon.lock").read_text()), signal.SIGKILL)
    mesh.semafor("up")
    mesh.kubectl("wait", "--for=condition=Ready", "pod/caller", "-n", namespace, "--timeout=120s")
    again = mesh.wait("an answer", lambda: values(calls, f"max_over_time(sum({counted})[1h:5s])"))
    assert again == before


def test_port_15020_tells_what_the_app_and_its_proxy_count(mesh, namespace, calls):
    fail(calls, 1)
    backend = mesh.get("pod/backend", "-n", namespace)
    assert backend["metadata"]["annotations"]["prometheus.io/port"] == "15020"  # which is where Prometheus asks
    address = f"http://{backend['status']['podIP']}:15020/stats/prometheus"

    def told() -> bool:
        text = calls("curl", "-s", address)
        return "\napp_asked_total" in f"\n{text}" and 'istio_requests_total{reporter="destination"' in text

    mesh.wait("both in one answer", told, timeout_s=30)


def test_a_rule_that_cannot_be_read_is_refused_by_kubectl(mesh, namespace):
    done = mesh.run(
        "kubectl", "apply", "-n", namespace, "-f", "-", input=RULE.replace("sum by", "sum buy"), check=False
    )
    assert done.returncode
    assert re.search(r"spec\.groups\[0\]\.rules\[0\]\.expr: .*parse error", done.stderr)


def test_how_often_and_how_long_is_the_users_to_say(mesh, namespace, calls):
    data = {"scrapeInterval": "2s", "window": "1h"}
    wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "semafor-metrics"}, "data": data}

    def said() -> tuple[str, str]:
        config, runtime = (ask(calls, f"status/{page}") for page in ("config", "runtimeinfo"))
        return config["yaml"].split()[-1], runtime["storageRetention"]

    assert said() == ("5s", "6h")
    mesh.apply(json.dumps(wanted), "-n", "istio-system")
    mesh.wait("the settings", lambda: said() == ("2s", "1h"), timeout_s=30)
    mesh.kubectl("delete", "configmap", "semafor-metrics", "-n", "istio-system")
    mesh.wait("the settings without them", lambda: said() == ("5s", "6h"), timeout_s=30)
