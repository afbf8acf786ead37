"""Traces to a collector of the user's: what is sampled arrives with its tags; without it requests go on."""

import json
import uuid
from pathlib import Path

import pytest
import yaml
from tests.e2e.machine import Machine
from tests.e2e.test_traces import CALLER, enough, service

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

JAEGER = str(Path(__file__).parent / "programs" / "jaeger.yaml")
PROVIDER = {"name": "elsewhere", "opentelemetry": {"service": "jaeger-collector.istio-system.svc.cluster.local"}}
PROVIDER["opentelemetry"]["port"] = 4317
TELEMETRY = """
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: traces}
spec:
  tracing:
  - providers: [{name: elsewhere}]
    %s
    customTags: {team: {literal: {value: blue}}}
"""


def test_a_collector_gets_what_is_sampled_and_requests_do_without_it(mesh: Machine, namespace: str):
    mesh.kubectl("apply", "-f", JAEGER)
    told = mesh.get("configmap/istio", "-n", "istio-system")["data"]["mesh"]
    configure(mesh, yaml.safe_dump({**yaml.safe_load(told), "extensionProviders": [PROVIDER]}))
    try:
        mesh.apply("---".join([service("back", ""), CALLER]), "-n", namespace)
        mesh.kubectl("wait", "--for=condition=Ready", "pod", "--all", "-n", namespace, "--timeout=120s")
        mesh.kubectl("rollout", "status", "deployment/jaeger", "-n", "istio-system", "--timeout=60s")
        unseen = [said(mesh, namespace, each) for each in ("randomSamplingPercentage: 0", "disableSpanReporting: true")]
        seen = said(mesh, namespace, "randomSamplingPercentage: 100")
        assert sorted(mesh.wait("the trace", lambda: enough(mesh, seen, 2))) == [
            ("back", "server"),
            ("caller", "client"),
        ]
        assert [enough(mesh, each, 1) for each in unseen] == [[], []]
        assert enough(mesh, seen, 2, tag=("team", "blue"))
        mesh.kubectl("delete", "deployment/jaeger", "-n", "istio-system", "--wait")
        for _ in range(10):
            call(mesh, namespace, str(uuid.uuid4()))
    finally:
        configure(mesh, told)
        mesh.kubectl("delete", "-f", JAEGER, "--wait=false", "--ignore-not-found")


def configure(mesh: Machine, text: str) -> None:
    patch = json.dumps({"data": {"mesh": text}})
    mesh.kubectl("patch", "configmap/istio", "-n", "istio-system", "--type=merge", "-p", patch)


def said(mesh: Machine, namespace: str, what: str) -> str:
    """The id of a request that was made while Telemetry said this."""
    mesh.apply(TELEMETRY % what, "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Live", "telemetry/traces", "-n", namespace, "--timeout=60s")
    id_ = str(uuid.uuid4())
    call(mesh, namespace, id_)
    return id_


def call(mesh: Machine, namespace: str, id_: str) -> None:
    asked = ("curl", "-sS", "--fail", "-m", "10", "-H", f"x-request-id: {id_}", "http://back/")
    assert mesh.kubectl("exec", "-n", namespace, "caller", "-c", "caller", "--", *asked) == "done"
