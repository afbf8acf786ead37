"""What the mesh consists of, said by commands and by objects, in a mesh of an ordinary user."""

import json

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

APP = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{containers: [{{name: main, image: python, command: [sleep, infinity]}}]}}
"""
OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mine, namespace: istio-system}
spec:
  components:
    egressGateway: {enabled: false}
    ingressGateways:
    - name: istio-ingressgateway
    - {name: second, k8s: {replicaCount: 2, service: {ports: [{name: http2, port: 8080, targetPort: 8080}]}}}
  meshConfig:
    defaultConfig:
      resources: {limits: {cpu: 200m}}
"""


@pytest.fixture
def mesh(alone):
    alone.semafor("install", "--set", "profile=demo", "-y")
    return alone


def system(mesh):
    return {each["metadata"]["name"] for each in mesh.get("deployments", "-n", "istio-system")["items"]}


def resources(mesh, name, namespace):
    mesh.apply(APP.format(name=name, namespace=namespace))
    pod = mesh.get("pod", name, "-n", namespace)
    return pod["spec"]["initContainers"][0]["resources"].get("limits")


def test_an_operator_changes_the_mesh_and_takes_it_back(mesh):
    assert "installed already (profile demo)" in mesh.semafor("install", "--set", "profile=demo", "-y").stdout
    mesh.kubectl("label", "namespace", "default", "istio-injection=enabled")
    assert "is taken as values.global.proxy.resources" in mesh.apply(OPERATOR).stderr
    mesh.kubectl("wait", "iop/mine", "-n", "istio-system", "--for=jsonpath={.status.status}=HEALTHY", "--timeout=90s")
    assert system(mesh) == {"istiod", "istio-ingressgateway", "second"}
    services = mesh.get("services", "-n", "istio-system")["items"]
    assert "istio-egressgateway" not in {each["metadata"]["name"] for each in services}
    assert resources(mesh, "small", "default") == {"cpu": "200m"}
    mesh.wait("the pods of the egress gateway are gone", lambda: egress(mesh) == [])
    wrong = OPERATOR.replace("replicaCount: 2", "replicaCount: -2")
    refused = mesh.run("kubectl", "apply", "-f", "-", input=wrong, check=False)
    assert "spec.components.ingressGateways[1].k8s.replicaCount" in refused.stderr
    mesh.semafor("down")
    mesh.semafor("up")
    assert system(mesh) == {"istiod", "istio-ingressgateway", "second"}
    mesh.kubectl("delete", "iop", "mine", "-n", "istio-system")
    every = {"istiod", "istio-ingressgateway", "istio-egressgateway"}
    mesh.wait("the egress gateway is back", lambda: system(mesh) == every)


def egress(mesh):
    return mesh.get("pods", "-n", "istio-system", "-l", "istio=egressgateway")["items"]


def test_a_canary_has_settings_of_its_own_until_it_is_uninstalled(mesh):
    mesh.semafor("install", "--revision", "canary", "-y", "--set", "values.global.proxy.resources.limits.cpu=200m",
                 "--set", "meshConfig.outboundTrafficPolicy.mode=REGISTRY_ONLY")  # fmt: skip
    mesh.semafor("tag", "set", "prod", "--revision", "canary")
    for namespace, label in (("stable", "istio-injection=enabled"), ("trial", "istio.io/rev=prod")):
        mesh.kubectl("create", "namespace", namespace)
        mesh.kubectl("label", "namespace", namespace, label)
    assert resources(mesh, "a", "stable") is None
    assert resources(mesh, "a", "trial") == {"cpu": "200m"}
    ends = {}
    for namespace in ("stable", "trial"):
        mesh.kubectl("wait", "pod/a", "-n", namespace, "--for=condition=Ready", "--timeout=120s")
        found = mesh.semafor("proxy-config", "routes", f"a.{namespace}", "-o", "json").stdout
        ends[namespace] = {name for name in ("BlackHoleCluster", "PassthroughCluster") if f'"{name}"' in found}
    assert ends == {"stable": {"PassthroughCluster"}, "trial": {"BlackHoleCluster"}}
    assert json.loads(mesh.semafor("tag", "list", "-o", "json").stdout) == [
        {"tag": "prod", "revision": "canary", "namespaces": ["trial"]}
    ]
    mesh.semafor("upgrade", "-y", "--set", "components.egressGateways[0].enabled=false")
    assert system(mesh) == {"istiod", "istiod-canary", "istio-ingressgateway"}
    mesh.semafor("uninstall", "--purge", "-y")
    assert system(mesh) == set()
    mesh.apply(APP.format(name="b", namespace="stable"))
    assert "initContainers" not in mesh.get("pod", "b", "-n", "stable")["spec"]
