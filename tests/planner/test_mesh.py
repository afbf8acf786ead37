"""A mesh that was changed step by step plans like one that was made at once, and never leaves a call without a way."""

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.golden import cases

from semafor import ir, planner
from semafor.base.problem import ObjectRef
from semafor.planner import Mesh, Options

AREAS = (
    "routing/held",
    "routing/layers",
    "routing/mistakes",
    "outbound/external-name",
    "outbound/headless",
    "outbound/stray-hosts",
    "policy/traffic-policy",
    "virtual-service/delegates",
    "virtual-service/exports",
    "virtual-service/mirrors",
    "virtual-service/strays-bytes",
    "virtual-service/tcp",
    "virtual-service/tls",
    "service-entry/several",
    "sidecar/scope",
    "service-entry/workloads",
)
BASE = [cases.decoded(document) for document in cases.documents(cases.BASE)]
POOL = [cases.decoded(document) for area in AREAS for document in cases.documents(cases.ROOT / area / "in.yaml")]
PROXIES = [
    cases.Case(cases.ROOT / "routing/held").proxy(name) for name in ("default/agent-1", "shop/visitor-1", "node")
]
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _ref(one) -> ObjectRef:
    group = one.api_version.rpartition("/")[0]
    return ObjectRef(kind=one.kind, namespace=one.metadata.namespace, name=one.metadata.name, group=group)


def _put(kind: str, name: str) -> tuple[bool, int]:
    """The change that brings this object."""
    return False, next(i for i, one in enumerate(BASE + POOL) if (one.kind, one.metadata.name) == (kind, name))


@QUIET
@example([_put("Service", "own-routes"), _put("VirtualService", "own-routes")])  # an alias that gets routes of its own
@given(st.lists(st.tuples(st.booleans(), st.integers(0, len(BASE + POOL) - 1)), max_size=25))
def test_changes_one_by_one_give_the_plan_of_all_at_once(changes):
    mesh, present = Mesh.of(BASE), {_ref(one): one for one in BASE}
    for gone, index in changes:
        one = (BASE + POOL)[index]
        if gone:
            present.pop(_ref(one), None)
            mesh = mesh.replace(drop=[_ref(one)])
        else:
            present[_ref(one)] = one
            mesh = mesh.replace([one])
        planner.plan(mesh, PROXIES[0])
    fresh = Mesh.of(present.values())
    assert [planner.plan(mesh, proxy) for proxy in PROXIES] == [planner.plan(fresh, proxy) for proxy in PROXIES]


STEP = cases.Case(cases.ROOT / "routing/conditions")
OBJECTS = [cases.decoded(document) for document in STEP.documents]
SERVICE = [
    one
    for one in OBJECTS
    if one.metadata.name in {"model", "model-a", "model-v1-1"} and one.kind in {"Service", "EndpointSlice", "Pod"}
]
REST = [one for one in OBJECTS if one not in SERVICE]


@QUIET
@given(st.permutations(REST))
def test_whatever_comes_first_no_route_leads_to_an_empty_cluster(order):
    mesh = Mesh.of(SERVICE)
    for one in order:
        mesh = mesh.replace([one])
        plan, _ = planner.plan(mesh, STEP.proxy())
        assert _dead_ends(plan) == []


def _dead_ends(plan: ir.Plan) -> list[str]:
    """The clusters of the model's routes that have no endpoint."""
    filled = {found.cluster for found in plan.endpoints if found.endpoints}
    hosts = [host for table in plan.routes for host in table.hosts if host.name == "model.default.svc.cluster.local:80"]
    actions = [route.action for host in hosts for route in host.routes]
    used = {one.cluster for action in actions if isinstance(action, ir.Forward) for one in action.destinations}
    return sorted(used - filled)


def test_with_istios_rule_routes_do_lead_to_empty_clusters():
    rules = [one for one in OBJECTS if one.kind in {"VirtualService", "DestinationRule"}]
    few = [one for one in SERVICE if one.kind != "EndpointSlice"]
    plan, _ = planner.plan(Mesh.of([*few, *rules], Options(hold=False)), STEP.proxy())
    assert "outbound|80|v2|model.default.svc.cluster.local" in _dead_ends(plan)


def test_proxies_of_one_view_share_their_parts():
    mesh = Mesh.of(BASE)
    first, second = (
        planner.plan(mesh, cases.Case(cases.ROOT / "routing/held").proxy(name))[0] for name in ("agent-1", "tools-1")
    )
    assert all(one is other for one, other in zip(first.endpoints, second.endpoints, strict=True))


def test_an_endpoint_change_leaves_all_other_parts_the_same_objects():
    mesh = Mesh.of(BASE)
    before = planner.plan(mesh, PROXIES[0])[0]
    slice_ = next(one for one in POOL if one.kind == "EndpointSlice" and one.metadata.name == "model-a")
    after = planner.plan(mesh.replace([slice_]), PROXIES[0])[0]
    changed = [new.cluster for old, new in zip(before.endpoints, after.endpoints, strict=True) if old != new]
    assert changed == ["outbound|80||model.default.svc.cluster.local"]
    assert (before.routes, before.clusters) == (after.routes, after.clusters)


def test_an_object_that_cannot_be_read_is_told_of_as_a_whole():
    spec = {"hosts": ["a"], "http": [{"timeout": "-5s", "route": [{"destination": {"host": "a"}}]}]}
    rule = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "v"}, "spec": spec}
    mesh = Mesh.of([cases.decoded(rule)])
    assert [(problem.reason, problem.severity) for problem in planner.check(mesh)] == [("Unusable", "error")]


def test_an_object_that_brings_out_a_fault_of_ours_costs_nobody_else_anything():
    rule = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "v"}}
    broken = msgspec.structs.replace(cases.decoded({**rule, "spec": {"hosts": ["a"]}}), spec=None)
    mesh = Mesh.of([*BASE, broken])
    assert mesh.services == Mesh.of(BASE).services
    assert [problem.reason for problem in mesh.unreadable.values()] == ["Unusable"]
