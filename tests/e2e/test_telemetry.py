"""What proxies count is what happened, exactly, under Istio's labels; and their logs say the same."""

import json
import re
import site
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

HERE = Path(__file__).parent / "programs"
OBJECTS = """
apiVersion: v1
kind: ServiceAccount
metadata: {{name: {app}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {app}-v1}}
spec:
  selector: {{matchLabels: {{app: {app}}}}}
  template:
    metadata: {{labels: {{app: {app}, version: v1}}}}
    spec:
      serviceAccountName: {app}
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
ROUTES = """
apiVersion: v1
kind: Service
metadata: {name: counted}
spec:
  selector: {app: counted}
  ports:
  - {name: http, port: 80, targetPort: 8001}
  - {name: grpc, port: 90, targetPort: 8002}
  - {name: tcp, port: 100, targetPort: 8004}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: counted}
spec:
  hosts: [counted]
  http:
  - match: [{port: 80, uri: {exact: /abort}}]
    fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
    route: [{destination: {host: counted, port: {number: 80}}}]
  - match: [{port: 80, uri: {exact: /slow}}]
    timeout: 0.5s
    retries: {attempts: 0}
    route: [{destination: {host: counted, port: {number: 80}}}]
  - match: [{port: 80, uri: {exact: /503}}]
    retries: {attempts: 2, retryOn: "5xx", backoff: 1ms}
    route: [{destination: {host: counted, port: {number: 80}}}]
  - match: [{port: 80, uri: {exact: /reset}}]
    retries: {attempts: 0}
    route: [{destination: {host: counted, port: {number: 80}}}]
  - match: [{port: 80}]
    route: [{destination: {host: counted, port: {number: 80}}}]
  - match: [{port: 90}]
    route: [{destination: {host: counted, port: {number: 90}}}]
"""
SIDE = (
    "workload",
    "workload_namespace",
    "principal",
    "app",
    "version",
    "cluster",
    "canonical_service",
    "canonical_revision",
)
SERVICE = ("destination_service", "destination_service_name", "destination_service_namespace")
OF_ALL = ("reporter", "request_protocol", "response_flags", "connection_security_policy", *SERVICE)
LABELS = {*OF_ALL, *(f"{side}_{label}" for side in ("source", "destination") for label in SIDE)}  # Istio's reference
NOBODY_CALLED = {"reporter", "source_workload", "source_app", *SERVICE}
OF_REQUESTS = {"response_code", "grpc_response_status"}
SAMPLE = re.compile(r"(?P<name>istio_\w+)\{(?P<labels>.*)\} (?P<value>\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def deployment(mesh, app: str, command: list[str]) -> str:
    packages, programs = site.getsitepackages()[0], mesh.folder / "programs"
    programs.mkdir(exist_ok=True)
    for file in HERE.glob("*.py"):
        (programs / file.name).write_text(file.read_text())
    return OBJECTS.format(app=app, command=json.dumps(command), packages=packages, programs=programs)


@pytest.fixture
def pair(mesh, namespace) -> str:
    """A caller and the called, each with a Deployment and an account of its own."""
    called = deployment(mesh, "counted", ["python", "/programs/counted.py"])
    caller = deployment(mesh, "caller", ["sleep", "infinity"])
    mesh.apply("---".join((called, caller, ROUTES)), "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Available", "deploy", "--all", "-n", namespace, "--timeout=90s")
    mesh.kubectl("wait", "--for=condition=Live", "virtualservice/counted", "-n", namespace, "--timeout=30s")
    mesh.wait("the server", lambda: "ready" in mesh.kubectl("logs", "-n", namespace, "deploy/counted-v1", "-c", "main"))
    return namespace


def samples(mesh, namespace: str, app: str) -> list[tuple[str, dict[str, str], float]]:
    """What the app's proxy shows to whoever scrapes it."""
    inside = ("exec", "-n", namespace, f"deploy/{app}-v1", "-c", "main", "--", "python", "-c")
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:15090/stats/prometheus').read().decode())"
    found = (SAMPLE.fullmatch(line) for line in mesh.kubectl(*inside, ask).splitlines())
    return [(one["name"], dict(LABEL.findall(one["labels"])), float(one["value"])) for one in found if one]


def counted(found, name: str, *labels: str) -> Counter:
    """The values of one metric by these labels; what does not happen is not there."""
    made: Counter = Counter()
    for known, said, value in found:
        if known == f"istio_{name}":
            made[tuple(said[label] for label in labels)] += round(value)
    return +made


@pytest.mark.parametrize("rounds", [40, pytest.param(830, marks=pytest.mark.machine)], ids=["some", "10000"])
def test_counted_is_reported(mesh, pair, rounds):
    call = ("exec", "-n", pair, "deploy/caller-v1", "-c", "main", "--", "python", "/programs/counting.py", str(rounds))
    seen = json.loads(mesh.kubectl(*call, timeout=500))
    assert seen == {
        "200:200": 3 * rounds, "201:201": rounds, "404:404": rounds, "500:500": rounds, "503:503": rounds,
        "reset:503": rounds, "abort:418": rounds, "grpc:0": rounds, "grpc:5": rounds, "tcp": rounds, "slow:504": 1,
    }  # fmt: skip
    source, destination = sources(rounds), destinations(rounds)
    what = ("request_protocol", "response_code", "grpc_response_status", "response_flags")

    def reported(app: str) -> Counter:
        return counted(samples(mesh, pair, app), "requests_total", *what)

    agree(lambda: reported("caller"), source)
    agree(lambda: in_any_order(reported("counted")), destination)
    for app, expected in (("caller", source), ("counted", destination)):
        mesh.wait("histograms", partial(in_histograms, mesh, pair, app, expected.total()), timeout_s=30)
        found = samples(mesh, pair, app)
        for name in ("opened", "closed"):
            assert counted(found, f"tcp_connections_{name}_total", "response_flags") == {("-",): rounds}
        for name in ("sent", "received"):
            assert counted(found, f"tcp_{name}_bytes_total").total() >= 6 * rounds
        assert counted(found, "request_messages_total", *what[:3]) == {
            ("grpc", "200", "0"): rounds, ("grpc", "200", "5"): rounds,
        }  # fmt: skip
        assert counted(found, "response_messages_total", *what[:3]) == {("grpc", "200", "0"): rounds}
        check_labels(found, app, pair)


def in_any_order(found: Counter) -> Counter:
    """Who repeats a request resets the attempt that failed: sometimes before its last byte, sometimes after it."""
    made: Counter = Counter()
    for (*kind, code, status, flags), count in found.items():
        made[(*kind, code, status, "-" if (code, flags) == ("503", "DR") else flags)] += count
    return made


def agree(ask, expected: Counter) -> None:
    """Wait until the answer is the expected one, and show the difference when it never is."""
    deadline = time.monotonic() + 30
    while (answer := ask()) != expected and time.monotonic() < deadline:
        time.sleep(0.2)
    assert {"more": answer - expected, "less": expected - answer} == {"more": Counter(), "less": Counter()}


def in_histograms(mesh, namespace: str, app: str, requests: int) -> bool:
    """Whether every histogram has as many requests; Envoy adds them up every 5 seconds."""
    found = samples(mesh, namespace, app)
    names = ("request_duration_milliseconds", "request_bytes", "response_bytes")
    return all(counted(found, f"{name}_count").total() == requests for name in names)


def sources(rounds: int) -> Counter:
    """What the caller's proxy counts: every request once, however often it was tried."""
    return Counter({
        ("http", "200", "", "-"): 3 * rounds,
        ("http", "201", "", "-"): rounds,
        ("http", "404", "", "-"): rounds,
        ("http", "500", "", "-"): rounds,
        ("http", "503", "", "URX"): rounds,
        ("http", "503", "", "-"): rounds,  # the called's proxy says that the app has closed
        ("http", "418", "", "FI"): rounds,
        ("http", "504", "", "UT"): 1,
        ("grpc", "200", "0", "-"): rounds,
        ("grpc", "200", "5", "-"): rounds,
    })  # fmt: skip


def destinations(rounds: int) -> Counter:
    """What the called's proxy counts: every attempt that came, and none of what the caller's has answered itself."""
    return Counter({
        ("http", "200", "", "-"): 3 * rounds,
        ("http", "201", "", "-"): rounds,
        ("http", "404", "", "-"): rounds,
        ("http", "500", "", "-"): rounds,
        ("http", "503", "", "-"): 3 * rounds,
        ("http", "503", "", "UC"): rounds,
        ("http", "0", "", "DR"): 1,
        ("grpc", "200", "0", "-"): rounds,
        ("grpc", "200", "5", "-"): rounds,
    })  # fmt: skip


def check_labels(found, app: str, namespace: str) -> None:
    """Against the reference: which labels there are, and what stands in those that do not change."""
    reporter = "source" if app == "caller" else "destination"
    for name, labels, _ in found:
        of_requests = not name.startswith("istio_tcp_")
        assert labels.keys() - {"le"} == (LABELS | OF_REQUESTS if of_requests else LABELS), name
        known = {
            "reporter": reporter,
            "connection_security_policy": "unknown" if app == "caller" else "mutual_tls",
            "destination_service": f"counted.{namespace}.svc.cluster.local",
            "destination_service_name": "counted",
            "destination_service_namespace": namespace,
        }
        for side, workload in (("source", "caller"), ("destination", "counted")):
            known |= {f"{side}_{label}": value for label, value in words(workload, namespace).items()}
        if labels["response_flags"] == "FI":  # nobody was called, so nobody has proven anything, nor is known
            known = {label: value for label, value in known.items() if label in NOBODY_CALLED}
        assert {label: labels[label] for label in known} == known, name


def words(workload: str, namespace: str) -> dict[str, str]:
    """What metrics call a workload of the test."""
    return {
        "workload": f"{workload}-v1",
        "workload_namespace": namespace,
        "canonical_service": workload,
        "canonical_revision": "v1",
        "app": workload,
        "version": "v1",
        "cluster": "Kubernetes",
        "principal": f"spiffe://cluster.local/ns/{namespace}/sa/{workload}",
    }


def test_a_request_has_one_id_in_both_logs(mesh, pair):
    ask = "import urllib.request as u; u.urlopen('http://counted/201').read()"
    mesh.kubectl("exec", "-n", pair, "deploy/caller-v1", "-c", "main", "--", "python", "-c", ask)

    def ids(app: str) -> set[str]:
        lines = mesh.kubectl("logs", "-n", pair, f"deploy/{app}-v1", "-c", "istio-proxy").splitlines()
        return {found[1] for line in lines if (found := re.search(r'GET /201 .*"([0-9a-f-]{36})"', line))}

    mesh.wait("the logs", lambda: ids("caller") and ids("caller") == ids("counted"), timeout_s=20)
