"""What the Gateway API's statuses say, and what is made for a Gateway. The sentences are checked where they matter."""

from pathlib import Path

import pytest
import ryaml
from tests.golden import cases

from semafor.app import statuses
from semafor.app.gateway_api import conditions, controller, gateways, policies, routes, workloads
from semafor.app.gateway_api.gateways import Known
from semafor.app.liveness import Count
from semafor.planner import Mesh
from semafor.planner.gateway_api import attach, backend_tls, listeners, naming
from semafor.planner.gateway_api.verdict import accepted, refused

GOLDEN = Path(__file__).parents[1] / "golden" / "gateway-api"
KEY = ("default", "front")
NOW, BEFORE = "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"
ADDRESS = (("IPAddress", "127.9.9.9"),)


def mesh_of(case: str) -> Mesh:
    return cases.Case(GOLDEN / case).mesh


def known(addresses=ADDRESS, have: int = 1, of: int = 1) -> Known:
    return Known(addresses=addresses, own=Count(have=have, of=of), problems=(), now=NOW)


def reasons(found: dict) -> dict[str, str]:
    return {each["type"]: each["reason"] for each in found["conditions"]}


def gateway_status(mesh: Mesh, about: Known, old: dict | None = None) -> dict:
    return gateways.of_gateway(old or {}, listeners.states(mesh)[KEY], attach.attachments(mesh), about)


def test_a_condition_keeps_its_time_until_its_status_changes():
    old = [{"type": "Accepted", "status": "True", "lastTransitionTime": BEFORE, "observedGeneration": 1}]
    kept = conditions.merged(old, [conditions.condition("Accepted", accepted("x"))], 2, NOW, ours=frozenset())
    changed = conditions.merged(old, [conditions.condition("Accepted", refused("No", "x"))], 2, NOW, ours=frozenset())
    assert [(each["lastTransitionTime"], each["observedGeneration"]) for each in (*kept, *changed)] == [
        (BEFORE, 2),
        (NOW, 2),
    ]


def test_conditions_of_others_stay_in_their_place_and_ours_that_no_longer_hold_go():
    old = [{"type": type_, "status": "True"} for type_ in ("Theirs", "Accepted", "Gone")]
    new = [conditions.condition("Accepted", accepted("x"))]
    found = conditions.merged(old, new, 1, NOW, ours=frozenset({"Accepted", "Gone"}))
    assert [each["type"] for each in found] == ["Theirs", "Accepted"]


def test_what_is_known_of_a_newer_generation_is_not_overwritten():
    old = [{"type": "Accepted", "status": "True", "observedGeneration": 5}]
    assert (
        conditions.merged(old, [conditions.condition("Accepted", refused("No", "x"))], 4, NOW, ours=frozenset()) == old
    )


def test_a_gateway_is_programmed_once_one_of_its_own_proxies_has_it():
    mesh = mesh_of("gateway")
    assert reasons(gateway_status(mesh, known()))["Programmed"] == "Programmed"
    assert reasons(gateway_status(mesh, known(have=0)))["Programmed"] == "Pending"
    assert reasons(gateway_status(mesh, known(addresses=())))["Programmed"] == "AddressNotAssigned"


def test_listeners_say_what_became_of_each():
    found = gateway_status(mesh_of("gateway"), known())
    told = {each["name"]: (each["attachedRoutes"], reasons(each)["Accepted"]) for each in found["listeners"]}
    assert reasons(found)["Accepted"] == "ListenersNotValid"
    assert found["attachedListenerSets"] == 1
    assert told == {
        "any": (1, "Accepted"),
        "wild": (3, "Accepted"),
        "one": (1, "Accepted"),
        "grpc-only": (1, "Accepted"),
        "bytes": (1, "Accepted"),
        "strange": (0, "UnsupportedProtocol"),
        "clash-1": (0, "ProtocolConflict"),
        "clash-2": (1, "ProtocolConflict"),
    }


def test_tls_listeners_say_which_reference_fails_and_which_names_overlap():
    found = gateway_status(mesh_of("tls"), known())
    told = {
        each["name"]: (reasons(each)["ResolvedRefs"], reasons(each).get("OverlappingTLSConfig", ""))
        for each in found["listeners"]
    }
    assert told["shop"] == ("ResolvedRefs", "OverlappingHostnames")
    assert told["lost"][0] == "InvalidCertificateRef"
    assert told["no-ca"][0] == "InvalidCACertificateRef"
    assert reasons(found)["InsecureFrontendValidationMode"] == "ConfigurationChanged"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("deep", [{"Accepted": "Accepted", "ResolvedRefs": "ResolvedRefs", "PartiallyInvalid": "UnsupportedValue"}]),
        ("wrong-parents", [{"Accepted": "NoMatchingParent"}, {"Accepted": "NotAllowedByListeners"}]),
    ],
)
def test_routes_say_how_they_stand_with_each_parent(name, wanted):
    mesh = mesh_of("gateway")
    obj = next(each for each in cases.documents(GOLDEN / "gateway" / "in.yaml") if each["metadata"]["name"] == name)
    parents = routes.of(obj, mesh, mesh.http_routes["default", name], NOW)["parents"]
    assert [reasons(each) | want for each, want in zip(parents, wanted, strict=True)] == [
        reasons(each) for each in parents
    ]
    assert [each["parentRef"] for each in parents] == obj["spec"]["parentRefs"][: len(parents)]


def test_entries_of_other_controllers_stay():
    mesh = mesh_of("gateway")
    theirs = {"controllerName": "example.com/other", "parentRef": {"name": "x"}, "conditions": []}
    obj = {"spec": {"parentRefs": []}, "status": {"parents": [theirs]}}
    assert routes.of(obj, mesh, mesh.http_routes["default", "wide"], NOW)["parents"] == [theirs]


def test_of_two_policies_for_a_service_the_older_counts():
    mesh = mesh_of("tls")
    told = {
        name: backend_tls.states(mesh)["default", name].accepted.reason for name in ("legacy", "legacy-too", "memory")
    }
    assert told == {"legacy": "Accepted", "legacy-too": "Conflicted", "memory": "NoValidCACertificate"}
    entries = policies.of({}, mesh, backend_tls.states(mesh)["default", "legacy"], NOW)["ancestors"]
    assert [each["ancestorRef"]["name"] for each in entries] == ["front"]


def test_a_gateway_gets_an_account_a_deployment_and_a_service():
    state = listeners.states(mesh_of("gateway"))[KEY]
    made = {each.kind.kind: each.document for each in workloads.of(state, "the-uid")}
    assert list(made) == ["ServiceAccount", "Deployment", "Service"]
    assert {each["metadata"]["name"] for each in made.values()} == {"front-semafor"}
    assert {each["metadata"]["ownerReferences"][0]["uid"] for each in made.values()} == {"the-uid"}
    assert [(port["name"], port["port"]) for port in made["Service"]["spec"]["ports"]] == [
        ("status-port", 15021),
        ("http-80", 80),
        ("http-81", 81),
        ("tcp-90", 90),
    ]


def test_what_is_there_already_is_not_written_again():
    stored = {"metadata": {"labels": {"a": "b"}}, "spec": {"ports": [{"port": 80, "nodePort": 30000}], "type": "X"}}
    wanted = {"metadata": {"labels": {"a": "b", "old": None}, "annotations": {}}, "spec": {"ports": [{"port": 80}]}}
    assert controller._has(stored, wanted)
    assert not controller._has(stored, {"spec": {"ports": [{"port": 81}]}})
    assert not controller._has(stored, {"spec": {"ports": []}})
    assert not controller._has(stored, {"metadata": {"labels": {"a": None}}})


def test_nobody_else_writes_statuses_of_the_gateway_api():
    assert {kind.kind for kind in statuses.KINDS if kind.group == "gateway.networking.k8s.io"} == set()


def test_names_that_are_too_long_end_in_a_digest():
    long = "a" * 253
    assert len(naming.workload(long, "semafor")) == 63
    assert naming.workload(long, "semafor") != naming.workload(long + "b", "semafor")
    assert naming.workload("a.b", "semafor").startswith("a-b-semafor-")


def test_the_classes_of_the_mesh_are_accepted():
    text = (Path(workloads.__file__).parents[2] / "system" / "gatewayclasses.yaml").read_text()
    mesh = Mesh.of([cases.decoded(each) for each in ryaml.loads_all(text)])
    for found in mesh.gateway_classes.values():
        assert reasons(gateways.of_class({}, found, NOW))["Accepted"] == "Accepted"
