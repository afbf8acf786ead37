"""A changed rule: from the command until every proxy has it."""

import functools
import time
from typing import Any

from tests.bench.api import Api, condition
from tests.bench.effort import Effort, say
from tests.bench.mesh import Mesh, running
from tests.bench.result import Measure, Report

_BUDGET_MS = 100.0  # of the daemon's part; kubectl itself takes longer to start
_NAMESPACE = "change"
_RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: echo, namespace: change}
spec:
  hosts: [echo]
  http:
  - timeout: %ds
    route: [{destination: {host: echo}}]
"""
_APP = """
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: change}
spec:
  selector: {app: echo}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo, namespace: change}
spec:
  replicas: 1
  selector: {matchLabels: {app: echo}}
  template:
    metadata: {labels: {app: echo}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: app, image: semafor/host, command: [sleep, infinity]}]
"""
_COLLECTION = f"/apis/networking.istio.io/v1/namespaces/{_NAMESPACE}/virtualservices"


def measure(report: Report, effort: Effort) -> None:
    """With one proxy, and with twenty: by kubectl, and by a client that does not have to start first."""
    with running() as mesh:
        mesh.make_namespace(_NAMESPACE)
        mesh.apply(_APP)
        for proxies in (1, 20):
            mesh.kubectl("scale", "deployment/echo", "-n", _NAMESPACE, f"--replicas={proxies}")
            mesh.kubectl("rollout", "status", "deployment/echo", "-n", _NAMESPACE, "--timeout=80s")
            _through_kubectl(mesh, report, effort, proxies)
            _daemon_alone(mesh, report, effort, proxies)


def _through_kubectl(mesh: Mesh, report: Report, effort: Effort, proxies: int) -> None:
    applied, live = [], []
    mesh.apply(_RULE % 100)
    mesh.wait("condition=Live", "virtualservice/echo", "-n", _NAMESPACE)
    say(f"live in: {condition(mesh.get('virtualservice', 'echo', '-n', _NAMESPACE), 'Live')['message']}")
    for number in effort.rounds(f"change, {_where(proxies)}, kubectl", full=(12, 20), quick=(4, 4)):
        began = time.perf_counter()
        mesh.apply(_RULE % (number + 1))
        applied.append((time.perf_counter() - began) * 1e3)
        mesh.wait("condition=Live", "virtualservice/echo", "-n", _NAMESPACE)
        live.append((time.perf_counter() - began) * 1e3)
    where = _where(proxies)
    report.add(Measure("change", f"kubectl apply, {where}", "ms", applied))
    report.add(Measure("change", f"kubectl apply and kubectl wait for Live, {where}", "ms", live))


def _daemon_alone(mesh: Mesh, report: Report, effort: Effort, proxies: int) -> None:
    api = mesh.api()
    samples = []
    with api.watch(_COLLECTION, "echo") as watch:
        for number in effort.rounds(f"change, {_where(proxies)}, client", full=(40, 10), quick=(10, 3)):
            changed = _write(api, number)
            answered = time.perf_counter()
            holds = functools.partial(_is_live, changed["metadata"]["generation"])
            samples.append((watch.until(holds) - answered) * 1e3)
    api.close()
    report.add(Measure("change", f"answer of the write to Live, {_where(proxies)}", "ms", samples, _BUDGET_MS))


def _write(api: Api, number: int) -> dict[str, Any]:
    route = {"timeout": f"{number + 1}.5s", "route": [{"destination": {"host": "echo"}}]}
    return api.merge(f"{_COLLECTION}/echo", {"spec": {"http": [route]}})


def _is_live(generation: int, _event: str, rule: dict[str, Any]) -> bool:
    live = condition(rule, "Live")
    return live.get("status") == "True" and live.get("observedGeneration", 0) >= generation


def _where(proxies: int) -> str:
    return "1 proxy" if proxies == 1 else f"{proxies} proxies"
