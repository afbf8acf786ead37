"""The Gateway API in a real mesh: a Gateway gets its workload, and routes hold at it and within the mesh."""

import http.client
import json

import pytest
from tests.e2e.machine import Machine
from tests.e2e.test_first_steps import answers, deploy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front}
spec:
  gatewayClassName: semafor
  infrastructure: {labels: {team: web}}
  listeners: [{name: http, port: 80, protocol: HTTP, hostname: "*.example.com"}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: echo}
spec:
  parentRefs: [{name: front}]
  hostnames: [www.example.com]
  rules:
  - matches: [{path: {type: PathPrefix, value: /echo}}]
    backendRefs: [{name: echo, port: 80}]
  - matches: [{path: {type: PathPrefix, value: /away}}]
    filters: [{type: RequestRedirect, requestRedirect: {hostname: away.org}}]
  - matches: [{path: {type: PathPrefix, value: /lost}}]
    backendRefs: [{name: nobody, port: 80}]
"""
IN_MESH = """
apiVersion: v1
kind: Service
metadata: {name: echo-v2}
spec: {selector: {app: echo, version: v2}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: echo}
spec:
  parentRefs: [{group: "", kind: Service, name: echo}]
  rules:
  - matches: [{headers: [{name: x-test, value: "1"}]}]
    backendRefs: [{name: echo-v2, port: 80}]
"""


def reached(mesh: Machine, name: str) -> str:
    """Where `semafor status` says that the gateway is: an ordinary user cannot have port 80."""
    told = json.loads(mesh.semafor("status", "-o", "json").stdout)["gateways"]
    urls = next(each["urls"] for each in told if each["name"] == name)
    return next(url.removeprefix("http://") for url in urls if url.startswith("http://"))


def asked(address: str, path: str, host: str = "www.example.com") -> str:
    """The status of an answer, and where it leads or its first word."""
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    first = (answer.read().decode().split() or [""])[0]
    connection.close()
    return f"{answer.status} {answer.getheader('location') or first}".strip()


def conditions(route: dict) -> dict[str, str]:
    """The reasons in a route's status, by type."""
    (parent,) = route["status"]["parents"]
    assert {each["observedGeneration"] for each in parent["conditions"]} == {route["metadata"]["generation"]}
    return {each["type"]: each["reason"] for each in parent["conditions"]}


def test_a_gateway_gets_its_workload_and_serves_its_routes(mesh: Machine, namespace: str):
    deploy(mesh, namespace, "v1")
    said = mesh.apply(GATEWAY, "-n", namespace)
    assert "no effect yet" not in said.stderr
    mesh.kubectl("wait", "--for=condition=Programmed", "gtw/front", "-n", namespace, "--timeout=60s")
    found = mesh.get("gtw/front", "-n", namespace)
    assert found["status"]["addresses"][0]["value"].startswith("127.")
    assert found["status"]["listeners"][0]["attachedRoutes"] == 1
    made = mesh.get("deployment,service,serviceaccount", "-n", namespace, "-l", "team=web")["items"]
    assert {each["kind"] + "/" + each["metadata"]["name"] for each in made} == {
        "Deployment/front-semafor",
        "Service/front-semafor",
        "ServiceAccount/front-semafor",
    }
    route = mesh.get("httproute/echo", "-n", namespace)
    assert conditions(route) == {"Accepted": "Accepted", "ResolvedRefs": "BackendNotFound"}
    address = mesh.wait("the gateway can be reached", lambda: reached(mesh, "front-semafor"))
    mesh.wait("the gateway answers", lambda: asked(address, "/echo") == "200 v1")
    assert asked(address, "/away/x") == "302 http://away.org/away/x"
    assert asked(address, "/lost").startswith("500")
    assert asked(address, "/other").startswith("404")
    assert asked(address, "/echo", host="www.example.org").startswith("404")
    mesh.kubectl("delete", "gtw/front", "-n", namespace)
    gone = ("deployment,service", "-n", namespace, "-l", "team=web")
    mesh.wait("the workload goes with its Gateway", lambda: not mesh.get(*gone)["items"])


def test_routes_of_a_service_hold_for_its_callers(mesh: Machine, namespace: str):
    deploy(mesh, namespace, "v1", "v2")
    mesh.apply(IN_MESH, "-n", namespace)
    mesh.wait("the route holds", lambda: set(answers(mesh, namespace, 5, "-H", "'x-test: 1'")) == {"v2"})
    assert conditions(mesh.get("httproute/echo", "-n", namespace))["Accepted"] == "Accepted"
    command = "curl -s -o /dev/null -w '%{http_code}' http://echo/"
    assert mesh.kubectl("exec", "-n", namespace, "caller", "-c", "shell", "--", "sh", "-c", command) == "404"
    mesh.kubectl("delete", "httproute/echo", "-n", namespace)
    mesh.wait("everybody gets an answer", lambda: len(answers(mesh, namespace, 3)) == 3)
