"""What rules do for callers of services that fail: retries, time-outs, limits, and pods that are left out."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from tests.e2e.machine import Machine

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

PROGRAMS = Path(__file__).parent / "programs"
CALLER = """
apiVersion: v1
kind: Pod
metadata: {name: caller}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: caller
    image: python:3.11-slim
    command: [sleep, infinity]
    volumeMounts: [{name: programs, mountPath: /programs}]
  volumes: [{name: programs, configMap: {name: programs}}]
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: %s}
spec: {selector: {app: %s}, ports: [{name: http, port: 80, targetPort: 8080}]}
"""
PODS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: REPLICAS
  selector: {matchLabels: {app: APP, kind: NAME}}
  template:
    metadata: {labels: {app: APP, kind: NAME}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: broken
        image: python:3.11-slim
        command: [python, -u, /programs/broken.py]
        env: [ENVIRONMENT]
        readinessProbe: {httpGet: {path: /count, port: 8080}, periodSeconds: 1}
        volumeMounts: [{name: programs, mountPath: /programs}]
      volumes: [{name: programs, configMap: {name: programs}}]
"""
RETRIES = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: %s}
spec:
  hosts: [%s]
  http:
  - route: [{destination: {host: %s}}]
    retries: {attempts: 3, perTryTimeout: 2s, retryOn: "5xx,gateway-error,connect-failure"}
"""
TIMEOUT = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: slow}
spec: {hosts: [slow], http: [{route: [{destination: {host: slow}}], timeout: 1s, retries: {attempts: 0}}]}
"""
POOL = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: slow}
spec:
  host: slow
  trafficPolicy: {connectionPool: {tcp: {maxConnections: 2}, http: {http1MaxPendingRequests: 2}}}
"""
EJECTION_S = 6
OUTLIERS = f"""
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: mixed}}
spec:
  host: mixed
  trafficPolicy:
    loadBalancer: {{simple: ROUND_ROBIN}}
    outlierDetection:
      {{consecutive5xxErrors: 5, interval: 1s, baseEjectionTime: {EJECTION_S}s, maxEjectionPercent: 50}}
"""


def service(app: str) -> str:
    return SERVICE % (app, app)


def pods(name: str, app: str, replicas: int, **environment: float) -> str:
    pairs = ", ".join(f'{{name: {key}, value: "{value}"}}' for key, value in environment.items())
    text = PODS.replace("NAME", name).replace("APP", app).replace("REPLICAS", str(replicas))
    return text.replace("ENVIRONMENT", pairs)


class Caller:
    """A pod from which bursts of requests are sent."""

    def __init__(self, mesh: Machine, namespace: str) -> None:
        self.mesh = mesh
        self.namespace = namespace

    def python(self, *arguments: str) -> str:
        return self.mesh.kubectl("exec", "-n", self.namespace, "caller", "-c", "caller", "--", "python", *arguments)

    def burst(self, host: str, count: int, threads: int) -> Any:
        return json.loads(self.python("/programs/burst.py", host, str(count), str(threads)))

    def came(self, host: str) -> int:
        """How many requests the only pod of the host has seen."""
        code = f"import urllib.request as r; print(r.urlopen('http://{host}/count').read().decode())"
        return int(self.python("-c", code))

    def apply(self, *rules: str) -> None:
        """Apply the rules, and wait until they are live."""
        printed = self.mesh.apply("\n---\n".join(rules), "-n", self.namespace, "-o", "name").stdout
        self.mesh.kubectl("wait", "--for=condition=Live", "-n", self.namespace, *printed.split(), "--timeout=30s")


@pytest.fixture(scope="module")
def caller(mesh: Machine) -> Iterator[Caller]:
    name = "resilience"
    mesh.kubectl("create", "namespace", name)
    mesh.kubectl("label", "namespace", name, "istio-injection=enabled")
    files = "".join(
        f"  {each}: |\n{indent((PROGRAMS / each).read_text(), '    ')}\n" for each in ("broken.py", "burst.py")
    )
    programs = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: programs}}\ndata:\n{files}"
    parts = [
        *(service(app) for app in ("flaky", "down", "slow", "mixed")),
        pods("flaky", "flaky", 1, ERROR_RATE=0.3),
        pods("down", "down", 1, ERROR_RATE=1),
        pods("slow", "slow", 1, SLOW_RATE=1, SLOW_S=2),
        pods("well", "mixed", 1),
        pods("ill", "mixed", 3, ERROR_RATE=1),
    ]
    mesh.apply("\n---\n".join([programs, CALLER, *parts]), "-n", name)
    mesh.kubectl("wait", "--for=condition=Ready", "pod", "--all", "-n", name, "--timeout=90s")
    yield Caller(mesh, name)
    mesh.kubectl("delete", "namespace", name, "--wait=false")


def test_retries_raise_the_success_rate_to_what_probability_predicts(caller):
    before = caller.burst("flaky", 400, 4)["answers"]
    assert 80 <= before["500"] <= 160  # 30 %, and four deviations
    caller.apply(RETRIES % ("flaky", "flaky", "flaky"))
    after = caller.burst("flaky", 400, 4)["answers"]
    assert after.get("500", 0) <= 11  # 0.3 ** 4 are 3 of 400


def test_a_budget_keeps_retries_from_becoming_a_storm(caller):
    caller.apply(RETRIES % ("down", "down", "down"))
    before = caller.came("down")
    assert caller.burst("down", 1000, 50)["answers"] == {"500": 1000}
    assert caller.came("down") - before < 2500  # without a budget it is 4000


def test_a_time_out_holds_and_says_so(caller):
    caller.apply(TIMEOUT)
    said = caller.burst("slow", 2, 2)
    caller.mesh.kubectl("delete", "vs/slow", "-n", caller.namespace)
    assert said["answers"] == {"504": 2}
    assert said["reasons"] == {"UT: no answer within the time-out": 2}
    assert 0.99 <= said["shortest_s"] <= said["longest_s"] < 1.5


def test_what_the_connection_pool_has_no_room_for_is_refused_in_words(caller):
    caller.apply(POOL)
    said = caller.burst("slow", 10, 10)
    assert said["answers"]["503"] == 6  # two are answered and two wait
    cluster = f"outbound|80||slow.{caller.namespace}.svc.cluster.local"
    assert said["reasons"] == {f"UO: more requests than the connection pool of {cluster} allows": 6}


def test_failing_pods_are_left_out_for_a_time_but_never_more_than_half(caller):
    caller.apply(OUTLIERS)
    caller.burst("mixed", 60, 1)
    ejected = time.monotonic()
    during = caller.burst("mixed", 60, 1)["answers"]
    assert 20 <= during["500"] <= 40  # of three that fail two are out, and one of the two others fails
    time.sleep(max(0.0, EJECTION_S + 1.5 - (time.monotonic() - ejected)))
    assert caller.burst("mixed", 8, 1)["answers"]["500"] > 4  # all are back: six of eight
