"""Requests live: shown while somebody looks, chosen by what they are, and over when the one who looks is gone."""

import json
from functools import partial

import pytest
from tests.e2e.machine import Machine

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

APP = """
apiVersion: v1
kind: Pod
metadata: {name: httpbin, labels: {app: httpbin}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: httpbin, image: docker.io/kennethreitz/httpbin, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: httpbin}
spec: {selector: {app: httpbin}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: caller}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: caller, image: curlimages/curl, command: [sleep, infinity]}]
"""


def test_a_tap_shows_what_is_chosen_and_leaves_nothing(mesh: Machine, namespace: str):
    mesh.apply(APP, "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod", "--all", "-n", namespace, "--timeout=120s")
    for _ in range(2):  # the second one finds that nothing is left of the first
        tap = ("tap", "httpbin", "-n", namespace, "--status", "4xx", "--body", "1000", "-o", "json")
        written = mesh.write("tapped", "")
        with written.open("w") as log:
            running = mesh.begin(*tap, stdout=log)
        look = partial(seen, mesh, namespace, written)
        try:
            (told, *_) = mesh.wait("a request", look)
        finally:
            running.kill()
            running.wait(10)
        assert (told["status"], told["path"]) == (418, "/status/418?token=[redacted]")
        assert ["authorization", "[redacted]"] in told["request_headers"]
        assert "teapot" in told["response_body"]


def seen(mesh: Machine, namespace: str, written) -> list:
    """What the tap has shown after two more requests, of which one is not chosen."""
    for path in ("/status/200", "/status/418?token=x"):
        call = ("curl", "-s", "-H", "authorization: Bearer x", f"http://httpbin{path}")
        mesh.kubectl("exec", "-n", namespace, "caller", "-c", "caller", "--", *call)
    return [json.loads(line) for line in written.read_text().splitlines()]
