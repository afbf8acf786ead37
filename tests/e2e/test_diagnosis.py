"""What the mesh says of itself agrees with what happens in it."""

import json
import re
import uuid
from typing import Any

import pytest
from tests.e2e.machine import Machine
from tests.e2e.test_first_steps import deploy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

POLICIES = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: echo}
spec:
  selector: {matchLabels: {app: echo}}
  rules:
  - to: [{operation: {methods: [GET], paths: ["/open*"]}}]
  - to: [{operation: {methods: [GET]}}]
    when: [{key: "request.headers[x-pass]", values: [yes-please]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: echo}
spec:
  hosts: [echo]
  http:
  - match: [{uri: {prefix: /moved}}]
    redirect: {uri: /open, redirectCode: 302}
  - match: [{uri: {exact: /broken}}]
    fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
    route: [{destination: {host: echo}}]
  - match: [{uri: {prefix: /renamed}}]
    rewrite: {uri: /open}
    route: [{destination: {host: echo}}]
  - route: [{destination: {host: echo}}]
"""
REQUESTS = (
    ("GET", "/open"),
    ("GET", "/open/air"),
    ("GET", "/closed"),
    ("GET", "/closed", "x-pass: yes-please"),
    ("GET", "/moved"),
    ("GET", "/broken"),
    ("GET", "/renamed/x"),
    ("DELETE", "/open"),
)


def test_what_is_explained_is_what_happens(mesh: Machine, namespace: str) -> None:
    deploy(mesh, namespace, "v1")
    mesh.apply(POLICIES, "-n", namespace)
    mesh.semafor("wait", "virtualservice", f"echo.{namespace}")
    mesh.semafor("wait", "authorizationpolicy", f"echo.{namespace}")
    told = [explained(mesh, namespace, *each) for each in REQUESTS]
    assert told == [status(mesh, namespace, *each) for each in REQUESTS]
    rules = mesh.write("rules.yaml", POLICIES)
    question = ("explain", "--from", "caller", "--to", "echo", "-n", namespace, "GET", "/broken", "-f", str(rules))
    said = mesh.semafor(*question, check=False)
    assert re.search(rf"VirtualService {namespace}/echo spec\.http\[1\]\S* \({rules}:2[01]\)", said.stdout), said.stdout
    assert said.stderr == ""


def test_what_became_of_a_request_is_told(mesh: Machine, namespace: str) -> None:
    deploy(mesh, namespace, "v1")
    mesh.apply(POLICIES, "-n", namespace)
    mesh.semafor("wait", "virtualservice", f"echo.{namespace}")
    mesh.semafor("wait", "authorizationpolicy", f"echo.{namespace}")
    ids = {str(uuid.uuid4()): each for each in REQUESTS}
    got = {id_: status(mesh, namespace, *each, f"x-request-id: {id_}") for id_, each in ids.items()}
    lives = {id_: mesh.wait("the proxies have written", lambda id_=id_: life(mesh, id_)) for id_ in ids}
    assert {id_: each["status"] for id_, each in lives.items()} == got
    assert [bool(each["cause"]) for each in lives.values()] == [code >= 400 for code in got.values()]
    assert all(f"VirtualService {namespace}/echo" in str(rules(each)) for each in lives.values())


def life(mesh: Machine, id_: str) -> Any:
    """The life of the request, once all that passed it have written of it."""
    told = mesh.semafor("explain", "--request", id_, "-o", "json", check=False).stdout
    found = json.loads(told) if told else {"hops": []}
    hops = found["hops"]
    asked = [hop for hop in hops if hop["entry"] and hop["entry"]["details"] == "via_upstream"]
    return found if hops and all(hop["attempts"] and hop["entry"] for hop in asked) else None


def rules(found: Any) -> list[str]:
    """The objects whose routes took the request, as texts."""
    outcomes = [each for hop in found["hops"] if hop["way"] for each in hop["way"]["outcomes"]]
    return [
        f"{each['rule']['ref']['kind']} {each['rule']['ref']['namespace']}/{each['rule']['ref']['name']}"
        for each in outcomes
        if each["rule"]
    ]


def explained(mesh: Machine, namespace: str, method: str, path: str, *headers: str) -> int:
    """The status that `explain` foresees."""
    options = [part for header in headers for part in ("-H", header)]
    question = ("explain", "--from", "caller", "--to", "echo", "-n", namespace, method, path, *options, "-o", "json")
    story = json.loads(mesh.semafor(*question, check=False).stdout)
    (outcome,) = story["way"]["outcomes"]
    return outcome["status"] or next((each["status"] for each in story["arrivals"] if each["refusal"]), 200)


def status(mesh: Machine, namespace: str, method: str, path: str, *headers: str) -> int:
    options = [part for header in headers for part in ("-H", header)]
    argv = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", method, *options, f"http://echo{path}")
    return int(mesh.kubectl("exec", "-n", namespace, "caller", "-c", "shell", "--", *argv))


def test_proxies_say_what_they_have(mesh: Machine, namespace: str) -> None:
    deploy(mesh, namespace, "v1")
    assert re.search(rf"caller\.{namespace} .* 4 \(CDS,LDS,EDS,RDS\) +yes", mesh.semafor("proxy-status").stdout)
    found = mesh.semafor("proxy-config", "endpoints", f"caller.{namespace}", "--fqdn", f"echo.{namespace}").stdout
    assert "HEALTHY" in found
    secrets = mesh.semafor("proxy-config", "secrets", f"caller.{namespace}", "-o", "json").stdout
    assert "PRIVATE KEY" not in secrets
    bootstrap = mesh.semafor("proxy-config", "bootstrap", f"caller.{namespace}").stdout
    assert "sidecar~" in bootstrap
    assert "Bearer" not in bootstrap
    described = mesh.semafor("describe", "pod", f"caller.{namespace}").stdout
    assert "has everything" in described
    assert mesh.semafor("analyze", "-n", namespace, check=False).returncode == 0


def test_pods_may_not_ask(mesh: Machine, namespace: str) -> None:
    deploy(mesh, namespace, "v1")
    token = "$(cat /var/run/secrets/kubernetes.io/serviceaccount/token)"
    where = f"https://kubernetes.default/semafor/v1/proxies/{namespace}/caller/config_dump"
    asked = (
        f'curl -sk -o /dev/null -o /dev/null -w "%{{http_code}} " -H "Authorization: Bearer {token}" {where} {where}'
    )
    said = mesh.kubectl("exec", "-n", namespace, "caller", "-c", "shell", "--", "sh", "-c", asked)
    assert said.split() == ["403", "403"]
