"""Whole traces of applications that do nothing for them, in the mesh's own store."""

import json
import uuid
from pathlib import Path

import pytest
from tests.e2e.machine import Machine
from tests.ports import free_port

from semafor.app.home import Home

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: %(name)s}
spec: {selector: {app: %(name)s}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: %(name)s, labels: {app: %(name)s}, annotations: %(annotations)s}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: python:3.11-slim
    command: [python, -c, %(program)s]
"""
# It asks the next one, when there is one, as somebody writes it who has never heard of traces.
PROGRAM = """
import sys, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = urllib.request.urlopen(NEXT).read() if NEXT else b"done"
        self.send_response(200); self.send_header("content-length", str(len(body))); self.end_headers()
        self.wfile.write(body)
NEXT = "%s"
ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""
CALLER = """
apiVersion: v1
kind: Pod
metadata: {name: caller, labels: {app: caller}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: caller, image: curlimages/curl, command: [sleep, infinity]}]
"""
ALL = """
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: traces}
spec:
  tracing:
  - providers: [{name: semafor}]
    randomSamplingPercentage: 100
"""


def service(name: str, next_: str, annotations: str = "{}") -> str:
    return SERVICE % {"name": name, "program": json.dumps(PROGRAM % next_), "annotations": annotations}


def test_the_spans_of_a_request_are_one_trace(mesh: Machine, namespace: str):
    refuses = '{instrumentation.opentelemetry.io/inject-python: "false"}'
    pods = [service("front", "http://back/"), service("back", ""), service("alone", "http://back/", refuses), CALLER]
    mesh.apply("---".join([*pods, ALL]), "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod", "--all", "-n", namespace, "--timeout=120s")
    mesh.kubectl("wait", "--for=condition=Live", "telemetry/traces", "-n", namespace, "--timeout=60s")
    ids = {"front": str(uuid.uuid4()), "alone": str(uuid.uuid4())}
    for name, id_ in ids.items():
        call = ("curl", "-sS", "-H", f"x-request-id: {id_}", f"http://{name}/")
        assert mesh.kubectl("exec", "-n", namespace, "caller", "-c", "caller", "--", *call) == "done"
    whole = mesh.wait("the whole trace", lambda: enough(mesh, ids["front"], 4))
    assert sorted(whole) == [("back", "server"), ("caller", "client"), ("front", "client"), ("front", "server")]
    broken = mesh.wait("the trace as far as it goes", lambda: enough(mesh, ids["alone"], 2))
    assert sorted(broken) == [("alone", "server"), ("caller", "client")]


REPORTS = {
    "http://jaeger-collector.istio-system:4318/v1/traces": {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "by-otlp"}}]},
                "scopeSpans": [{"spans": [{"traceId": "a" * 32, "spanId": "b" * 16, "name": "work"}]}],
            }
        ]
    },
    "http://zipkin.istio-system:9411/api/v2/spans": [
        {"traceId": "c" * 32, "id": "d" * 16, "localEndpoint": {"serviceName": "by-zipkin"}}
    ],
}


def test_jaegers_addon_leads_to_the_store(mesh: Machine, namespace: str):
    """As it is told: the manifest, a port forwarded, and the address of a trace. Applications report there, too."""
    mesh.kubectl("apply", "-f", str(Path(__file__).parent / "programs" / "jaeger.yaml"))
    mesh.apply(CALLER, "-n", namespace)
    mesh.kubectl("rollout", "status", "deployment/jaeger", "-n", "istio-system", "--timeout=60s")
    mesh.kubectl("wait", "--for=condition=Ready", "pod/caller", "-n", namespace, "--timeout=60s")
    for address, report in REPORTS.items():
        call = ("curl", "-sS", "--fail", "-H", "content-type: application/json", "-d", json.dumps(report), address)
        mesh.kubectl("exec", "-n", namespace, "caller", "-c", "caller", "--", *call)
    port = free_port()
    forward = mesh.start("kubectl", "port-forward", "-n", "istio-system", "svc/tracing", f"{port}:16686")
    try:
        ask = ("curl", "-sS", "--fail", "--retry", "20", "--retry-connrefused", "--retry-delay", "1")
        told = json.loads(mesh.run(*ask, f"http://localhost:{port}/api/services").stdout)["data"]
        assert {"by-otlp", "by-zipkin"} <= set(told)
        assert "<!doctype html>" in mesh.run(*ask, f"http://localhost:{port}/trace/{'a' * 32}").stdout
    finally:
        forward.terminate()
        forward.wait(10)
        mesh.kubectl("delete", "-f", str(Path(__file__).parent / "programs" / "jaeger.yaml"), "--wait=false")


def enough(mesh: Machine, request_id: str, count: int, tag: tuple[str, str] | None = None) -> list[tuple[str, str]]:
    """Service and kind of each span of the trace that has the tag; nothing while there are fewer."""
    socket = Home(mesh.home).sockets / "traces.sock"
    asked = ("curl", "-sS", "--unix-socket", str(socket), f"http://traces/api/traces/{request_id}")
    (trace,) = json.loads(mesh.run(*asked).stdout)["data"] or [{"spans": []}]
    spans = [each for each in trace["spans"] if not tag or tag in [(one["key"], one["value"]) for one in each["tags"]]]
    found = [(_service(trace, span), _kind(span)) for span in spans]
    return found if len(found) >= count else []


def _service(trace, span) -> str:
    return trace["processes"][span["processID"]]["serviceName"].partition(".")[0]


def _kind(span) -> str:
    return next(tag["value"] for tag in span["tags"] if tag["key"] == "span.kind")
