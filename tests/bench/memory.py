"""Private memory of the processes of a small mesh: three services, five pods, a rule, a thousand requests."""

import statistics
import time

from tests.bench import processes
from tests.bench.effort import Effort, say
from tests.bench.mesh import Mesh, running
from tests.bench.result import Measure, Report

_DAEMON_MB, _SIDECAR_MB = 150.0, 20.0
_NAMESPACE = "memory"
_PODS = (("one", "v1"), ("two", "v1"), ("two", "v2"), ("three", "v1"), ("three", "v2"))
_POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}-{version}, namespace: memory, labels: {{app: {name}, version: {version}}}}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: python:3-slim
    command: [python3, -m, http.server, "8080", --directory, /srv]
    readinessProbe: {{tcpSocket: {{port: 8080}}, periodSeconds: 1}}
"""
_SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: memory}}
spec:
  selector: {{app: {name}}}
  ports: [{{name: http, port: 80, targetPort: 8080}}]
"""
_RULES = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: two, namespace: memory}
spec:
  host: two
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: two, namespace: memory}
spec:
  hosts: [two]
  http:
  - route:
    - {destination: {host: two, subset: v1}, weight: 90}
    - {destination: {host: two, subset: v2}, weight: 10}
"""
_CALLS = """
from http.client import HTTPConnection
for host in ("two", "three"):
    for _ in range(500):
        connection = HTTPConnection(host, timeout=10)
        connection.request("GET", "/")
        connection.getresponse().read()
        connection.close()
"""


def measure(report: Report, effort: Effort) -> None:
    """A few looks, a second apart, at a mesh that has settled."""
    with running() as mesh:
        mesh.make_namespace(_NAMESPACE)
        names = sorted({name for name, _ in _PODS})
        services = (_SERVICE.format(name=name) for name in names)
        pods = (_POD.format(name=name, version=version) for name, version in _PODS)
        mesh.apply("---".join((*services, *pods, _RULES)))
        mesh.wait("condition=Ready", "pod", "--all", "-n", _NAMESPACE)
        mesh.wait("condition=Live", "virtualservice/two", "-n", _NAMESPACE)
        mesh.kubectl("exec", "-n", _NAMESPACE, "one-v1", "-c", "app", "--", "python3", "-c", _CALLS)
        looks = []
        for _ in effort.rounds("memory", full=(5, 20), quick=(2, 5)):
            time.sleep(1)
            looks.append(_look(mesh))
    for name, budget in _NAMES.items():
        report.add(Measure("memory", name, "MB", [look[name] for look in looks if look.get(name)], budget))


# What is shown, in this order, with its budget.
_NAMES: dict[str, float | None] = {
    "daemon": _DAEMON_MB,
    "sidecar Envoy, median of 5": _SIDECAR_MB,
    "sidecar Envoy, the largest": _SIDECAR_MB,
    "what a pod costs beside app and sidecar": None,
    "agent": None,
    "node's and host's Envoy, each": None,
    "the default gateways and istiod, each": None,
    "everything but the apps": None,
}


def _look(mesh: Mesh) -> dict[str, float]:
    """Megabytes by name. Empty when the kernel does not let us look."""
    every = processes.below(mesh.pid)
    private = {process.pid: processes.private_mb(process.pid) for process in every}
    if None in (private[process.pid] for process in every if process.is_envoy):
        say("memory: an Envoy's memory may not be read, or it has just ended")
        return {}
    apps = {f"{name}-{version}" for name, version in _PODS}
    sidecars = [private[each.pid] or 0 for each in every if each.is_envoy and each.hostname in apps]
    own = [private[each.pid] or 0 for each in every if each.is_envoy and "--config-path" in each.command]
    others = [private[each.pid] or 0 for each in every if each.is_envoy]
    holders = [private[each.pid] or 0 for each in every if each.is_ours]
    pods = len(mesh.get("pods", "-A")["items"])
    agent = _agent(mesh.pid, private)
    daemon = processes.private_mb(mesh.pid) or 0
    gateways = (sum(others) - sum(sidecars) - sum(own)) / max(len(others) - len(sidecars) - len(own), 1)
    values = (
        daemon,
        statistics.median(sidecars),
        max(sidecars),
        (sum(holders) - agent) / pods,
        agent,
        statistics.mean(own),
        gateways,
        daemon + sum(others) + sum(holders),
    )
    return dict(zip(_NAMES, values, strict=True))


def _agent(daemon: int, private: dict[int, float | None]) -> float:
    """The agent: it and its first child, which is process 1 of all pods."""
    (agent,) = (each for each in processes.children(daemon) if each.is_ours)
    first = [each for each in processes.children(agent.pid) if each.is_ours]
    return sum(private.get(each.pid) or 0 for each in (agent, *first))
