"""The installer over a store: what it makes, changes and takes away."""

import json

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semafor.app import installer, installing, system_objects
from semafor.installation import Layer, spec
from semafor.kube.api.client import Client
from semafor.kube.api.objects import Objects
from semafor.kube.store import Store
from semafor.resources.apps import deployment
from semafor.resources.core import config_map, service
from semafor.resources.install import istio_operator

SYSTEM = "istio-system"
WORDS = [
    *("profile", "components", "pilot", "ingressGateways", "ingressGateway", "k8s", "env", "name", "enabled", "values"),
    *("global", "proxy", "resources", "meshConfig", "defaultConfig", "tracing", "gateways", "istio-ingressgateway"),
    *("revision", "label", "overlays", "patches", "traceSampling", "secretVolumes", "cpu"),
]


class World:
    def __init__(self):
        self.client = Client(Objects(Store.open(None)))
        self.installer = installer.Installer(self.client)

    async def start(self, profile=""):
        is_new = installer.is_due(self.client)
        await system_objects.ensure_cluster(self.client)
        await self.installer.choose(profile, is_new=is_new)
        await self.installer.begin()
        await self.installer.act()

    async def write(self, name, namespace="default", **spec):
        body = installing.operator(spec)
        body["metadata"] = {"name": name, "namespace": namespace}
        await self.client.create(istio_operator.KIND, body)
        await self.installer.act()
        return self.client.get(istio_operator.KIND, namespace, name)["status"]

    def deployments(self):
        return [each["metadata"]["name"] for each in self.client.list(deployment.KIND)]

    def mesh(self, name="istio"):
        return yaml.safe_load(self.client.get(config_map.KIND, SYSTEM, name)["data"]["mesh"])


@pytest.fixture
async def world():
    made = World()
    await made.start()
    return made


async def test_a_new_home_has_the_demo_profile(world):
    assert world.deployments() == ["istio-egressgateway", "istio-ingressgateway", "istiod"]
    assert world.mesh()["accessLogFile"] == "/dev/stdout"
    assert world.installer.profile() == "demo"


async def test_what_is_installed_comes_back_at_the_next_start(world):
    await world.start("minimal")
    await world.start()
    assert world.deployments() == ["istiod"]
    assert "accessLogFile" not in world.mesh()


async def test_a_component_that_is_off_is_gone_with_all_that_it_had(world):
    off = {"egressGateways": [{"name": "istio-egressgateway", "enabled": False}]}
    status = await world.write("mine", components=off)
    assert world.deployments() == ["istio-ingressgateway", "istiod"]
    assert world.client.get(service.KIND, SYSTEM, "istio-egressgateway") is None
    assert status["componentStatus"].keys() == {"Pilot", "IngressGateways"}


async def test_an_operator_that_is_deleted_counts_no_more(world):
    await world.write("mine", profile="minimal")
    assert world.deployments() == ["istiod"]
    await world.client.delete(istio_operator.KIND, "default", "mine")
    await world.installer.act()
    assert world.deployments() == ["istio-egressgateway", "istio-ingressgateway", "istiod"]


async def test_what_users_have_changed_stays(world):
    await world.client.patch(deployment.KIND, SYSTEM, "istio-ingressgateway", {"spec": {"replicas": 3}})
    await world.client.patch(config_map.KIND, SYSTEM, "istio", {"data": {"mesh": "h2UpgradePolicy: UPGRADE\n"}})
    await world.write("mine", meshConfig={"accessLogEncoding": "JSON"})
    assert world.client.get(deployment.KIND, SYSTEM, "istio-ingressgateway")["spec"]["replicas"] == 3
    assert world.mesh() == {"h2UpgradePolicy": "UPGRADE", "accessLogEncoding": "JSON"}


async def test_nothing_is_done_by_halves(world):
    twice = {"service": {"ports": [{"name": "a", "port": 80}, {"name": "a", "port": 81}]}}
    gateways = [{"name": "istio-ingressgateway", "k8s": twice}, {"name": "new"}]
    status = await world.write("mine", components={"ingressGateways": gateways})
    assert (status["status"], "new" in world.deployments()) == ("ERROR", False)
    assert "the last good installation stays" in status["message"]
    assert "Service istio-ingressgateway would not be valid: spec.ports[1].name" in status["message"]


async def test_a_gateway_needs_its_namespace(world):
    status = await world.write("mine", components={"ingressGateways": [{"name": "new", "namespace": "edge"}]})
    assert "new: there is no namespace edge (kubectl create namespace edge)" in status["message"]


async def test_a_revision_stands_beside_the_other(world):
    await world.write("canary", revision="canary", meshConfig={"accessLogEncoding": "JSON"})
    assert world.deployments() == ["istio-egressgateway", "istio-ingressgateway", "istiod", "istiod-canary"]
    assert world.mesh("istio-canary")["accessLogEncoding"] == "JSON"
    assert "accessLogEncoding" not in world.mesh()
    await world.client.delete(istio_operator.KIND, "default", "canary")
    await world.installer.act()
    assert world.client.get(config_map.KIND, SYSTEM, "istio-canary") is None
    assert "istiod" in world.deployments()


async def test_a_home_that_kept_no_account_is_taken_over():
    world = World()
    await system_objects.ensure_cluster(world.client)
    old = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": SYSTEM}}
    await world.client.create(config_map.KIND, old | {"data": {"mesh": "h2UpgradePolicy: UPGRADE\n"}})
    container = {"name": "discovery", "image": "semafor/proxyv2"}
    template = {"metadata": {"labels": {"app": "istiod"}}, "spec": {"containers": [container]}}
    istiod = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "istiod", "namespace": SYSTEM}}
    istiod["spec"] = {"replicas": 2, "selector": {"matchLabels": {"app": "istiod"}}, "template": template}
    await world.client.create(deployment.KIND, istiod)
    await world.start()
    assert world.mesh()["h2UpgradePolicy"] == "UPGRADE"
    assert world.client.get(deployment.KIND, SYSTEM, "istiod")["spec"]["replicas"] == 2
    assert not installer.is_due(world.client)


async def test_what_was_uninstalled_stays_so(world):
    await world.client.delete(istio_operator.KIND, SYSTEM, "installed-state")
    await world.installer.act()
    await world.start()
    assert world.deployments() == []


async def test_values_are_kept_for_the_injector(world):
    await world.write("mine", values={"global": {"proxy": {"logLevel": "debug"}}})
    found = world.client.get(config_map.KIND, SYSTEM, "istio-sidecar-injector")["data"]["values"]
    assert json.loads(found)["global"]["proxy"]["logLevel"] == "debug"


@pytest.mark.parametrize(
    ("key", "reason", "fix"),
    [
        ("acessLogFile", "UnknownField", "did you mean accessLogFile?"),
        ("connectTimeout", "UnsupportedKey", "remove it"),
        ("accessLogEncoding", "InvalidValue", "write TEXT or JSON"),
    ],
)
def test_what_is_wrong_with_the_mesh_configuration_is_named(key, reason, fix):
    _, [problem] = installing.resolve([Layer(spec.ref("a"), {"meshConfig": {key: "x"}})])
    assert (problem.path, problem.reason, problem.fix) == (f"spec.meshConfig.{key}", reason, fix)
    assert problem.severity == ("error" if reason == "InvalidValue" else "warning")


def test_what_all_revisions_share_is_no_matter_of_one():
    _, [problem] = installing.resolve([Layer(spec.ref("a"), {"revision": "b", "meshConfig": {"trustDomain": "x"}})])
    assert (problem.path, problem.reason) == ("spec.meshConfig.trustDomain", "NotSupported")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(WORDS), JSON, max_size=5))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_document_makes_it_fail(written):
    installing.resolve([Layer(spec.ref("a"), {"profile": "demo"}), Layer(spec.ref("b"), written)])
