"""EnvoyFilters on their way: judged when they are applied, blamed when an Envoy refuses, told of when they are idle."""

from typing import Any

import pytest
from tests.app.fakes import Delivery, identities

from semafor import ir, resources
from semafor.app import blame
from semafor.app.admission import Patches
from semafor.app.fleet import Fleet
from semafor.app.proxies import ProxyTokens
from semafor.base import xds
from semafor.base.problem import ObjectRef
from semafor.envoy.render import Renderer
from semafor.kube.api.errors import StatusError
from semafor.kube.api.options import ADMINS, AdmissionRequest, User
from semafor.planner import Mesh, Proxy, Workload
from semafor.resources.istio import envoy_filter

REF = ObjectRef("EnvoyFilter", "mine", "default", "networking.istio.io")


def document(value: dict[str, Any], apply_to: str = "CLUSTER", **change: Any) -> dict[str, Any]:
    patch = {"applyTo": apply_to, "patch": {"operation": "MERGE", "value": value}, **change}
    return {"metadata": {"name": "mine", "namespace": "default"}, "spec": {"configPatches": [patch]}}


def request(new: dict[str, Any]) -> AdmissionRequest:
    user = User(name="me", groups=(ADMINS,))
    return AdmissionRequest("CREATE", envoy_filter.KIND, "default", "mine", new, None, dry_run=False, user=user)


def mesh(value: dict[str, Any], **change: Any) -> Mesh:
    return Mesh.of([resources.decode(envoy_filter.KIND, document(value, **change))])


@pytest.fixture
def hook(pool) -> Patches:
    return Patches(Renderer(pool).judge)


async def test_what_is_no_configuration_of_envoy_is_refused_with_its_path(hook):
    with pytest.raises(StatusError) as refusal:
        await hook.admit(request(document({"connect_timeout": "soon"})))
    cause = refusal.value.details["causes"][0]
    assert (refusal.value.code, cause["field"]) == (422, "spec.configPatches[0].patch.value")


async def test_a_field_that_envoy_does_not_know_is_a_warning(hook):
    warnings = (await hook.admit(request(document({"conect_timeout": "1s"})))).warnings
    assert [warning.split(":")[0] for warning in warnings[1:]] == ["spec.configPatches[0].patch.value"]


async def test_what_is_right_passes_with_istios_own_warning(hook):
    assert len((await hook.admit(request(document({"connect_timeout": "1s"})))).warnings) == 1


def test_a_refused_resource_is_blamed_on_the_patches_of_its_kind():
    patch = ir.Patch("HTTP_FILTER", "ADD", ir.Origin(REF))
    plan = ir.Plan("p", patches=(patch,))
    assert blame.objects(plan, xds.LISTENER, "virtualInbound") == {REF}
    assert blame.objects(plan, xds.CLUSTER, "a") == frozenset()


def test_a_patch_is_idle_only_when_no_proxy_has_what_it_matches(pool):
    fleet = Fleet(Renderer(pool), identities(), ProxyTokens())
    fleet.deliver_by(Delivery())
    for name in ("one", "two"):
        fleet.add(Proxy(name, workloads=(Workload("default", name),)))
    fleet.push(mesh({"connect_timeout": "1s"}, match={"cluster": {"name": "PassthroughCluster"}}), 1)
    assert list(fleet.problems()) == []
    fleet.push(mesh({"connect_timeout": "1s"}, match={"cluster": {"name": "nobody"}}), 2)
    assert [problem.reason for problem in fleet.problems()] == ["MatchesNothing"]
