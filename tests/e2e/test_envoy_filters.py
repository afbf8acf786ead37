"""EnvoyFilters and ProxyConfigs in a mesh: what they change, what is refused, and what a wrong one costs (nothing)."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

WORKLOADS = """
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {name: two}
spec:
  selector: {matchLabels: {app: web}}
  concurrency: 2
  environmentVariables: {ISTIO_META_TEAM: blue}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: web, image: python:3.12, command: [python, -m, http.server, "8000"], ports: [{containerPort: 8000}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8000}]}
---
apiVersion: v1
kind: Pod
metadata: {name: caller}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: curlimages/curl, command: [sleep, infinity]}]
"""
FILTER = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {{name: lua}}
spec:
  workloadSelector: {{labels: {{app: web}}}}
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: SIDECAR_INBOUND
      proxy: {{metadata: {{TEAM: blue}}}}
      listener:
        portNumber: 8000
        filterChain:
          filter:
            name: envoy.filters.network.http_connection_manager
            subFilter: {{name: envoy.filters.http.router}}
    patch:
      operation: INSERT_BEFORE
      value:
        name: envoy.filters.http.lua
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
          {field}: {{inline_string: '{script}'}}
"""
SCRIPT = 'function envoy_on_response(handle) handle:headers():add("x-lua", "{}") end'


def header(mesh, namespace: str) -> str:
    inside = ("exec", "-n", namespace, "caller", "-c", "main", "--", "curl", "-s", "-o", "/dev/null", "-D", "-")
    lines = mesh.kubectl(*inside, "http://web/").splitlines()
    assert "200" in lines[0]
    return next((line.partition(": ")[2].strip() for line in lines if line.lower().startswith("x-lua:")), "")


def apply(mesh, namespace: str, script: str, field: str = "default_source_code", *, check: bool = True):
    manifest = FILTER.format(field=field, script=script)
    return mesh.run("kubectl", "apply", "-n", namespace, "-f", "-", input=manifest, check=check)


def live(mesh, namespace: str) -> str:
    conditions = mesh.get("envoyfilter", "lua", "-n", namespace).get("status", {}).get("conditions", [])
    return next((one["reason"] for one in conditions if one["type"] == "Live"), "")


def test_filters_of_ones_own(mesh, namespace):
    mesh.apply(WORKLOADS, "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod", "--all", "-n", namespace, "--timeout=60s")
    stats = mesh.kubectl(
        "exec", "-n", namespace, "web", "-c", "istio-proxy", "--", "pilot-agent", "request", "GET", "/stats"
    )
    assert "server.concurrency: 2" in stats

    apply(mesh, namespace, SCRIPT.format("one"))
    mesh.wait("the filter is live", lambda: live(mesh, namespace) == "EveryProxyHasIt")
    assert header(mesh, namespace) == "one"

    refused = apply(mesh, namespace, "", "default_source_code: 5 #", check=False)
    assert (refused.returncode, "spec.configPatches[0].patch.value" in refused.stderr) == (1, True)

    apply(mesh, namespace, "function envoy_on_response(")
    mesh.wait("the refusal is told", lambda: live(mesh, namespace) == "RefusedByProxy")
    assert header(mesh, namespace) == "one"

    apply(mesh, namespace, SCRIPT.format("two"))
    # Connections that are open keep their filters until they are drained, which is at their next answer.
    mesh.wait("the mended filter is in force", lambda: header(mesh, namespace) == "two")
    mesh.wait("the mended filter is live", lambda: live(mesh, namespace) == "EveryProxyHasIt")
