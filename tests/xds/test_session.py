"""The delta ADS state machine, trap by trap."""

import pytest
from fakes import FakeEnvoy, resource, resources

from semafor.base.xds import CLUSTER, ENDPOINTS, LISTENER, ROUTES, SECRET, Resources
from semafor.xds import channel, wire
from semafor.xds.session import Acked, Refused, Settled, mentions

FULL = resources(clusters="a b", endpoints="a b", listeners="l", routes="80", secrets="default")


def running(target=FULL, **options) -> FakeEnvoy:
    """An Envoy that has everything of generation 1."""
    envoy = FakeEnvoy(**options).start().subscribe(ENDPOINTS, "a", "b").subscribe(ROUTES, "80")
    envoy.subscribe(SECRET, "default").offer(target, 1)
    envoy.told()
    envoy.events.clear()
    return envoy


def test_a_first_configuration_goes_out_in_the_order_that_envoy_needs():
    envoy = FakeEnvoy().start().subscribe(ENDPOINTS, "a").subscribe(ROUTES, "80").subscribe(SECRET, "default")
    envoy.offer(FULL, 1)
    assert envoy.told() == [
        "Cluster a=1 b=1",
        "ClusterLoadAssignment a=1",
        "Secret default=1",
        "Listener l=1",
        "RouteConfiguration 80=1",
    ]


def test_nothing_is_sent_before_the_first_offer():
    assert FakeEnvoy().start().told() == []


def test_an_empty_mesh_is_answered_too_so_that_envoy_starts():
    assert FakeEnvoy().start().offer(resources(), 1).told() == ["Cluster", "Listener"]


def test_only_what_differs_is_sent():
    envoy = running().offer(resources(clusters="a b", endpoints="a=2 b", listeners="l", routes="80"), 2)
    assert envoy.told() == ["ClusterLoadAssignment a=2", "Secret -default"]


def test_the_same_resources_again_send_nothing_and_are_settled_at_once():
    envoy = running().offer(FULL, 2)
    assert (envoy.told(), envoy.events) == ([], [Settled(2)])


def test_after_a_changed_cluster_its_endpoints_are_sent_again():
    envoy = running().offer(FULL.joined(resources(clusters="a=2")), 2)
    assert envoy.told() == ["Cluster a=2", "ClusterLoadAssignment a=1"]


def test_endpoints_follow_a_changed_cluster_although_its_acknowledgement_is_withheld():
    envoy = running()
    envoy._automatic = False
    envoy.offer(FULL.joined(resources(clusters="a=2")), 2)
    assert [repr(response) for response in envoy.waiting] == ["Cluster a=2", "ClusterLoadAssignment a=1"]


def test_a_route_waits_until_envoy_has_the_new_cluster():
    envoy = running()
    envoy._automatic = False
    envoy.offer(FULL.joined(resources(clusters="c", routes="80=2")), 2)
    assert envoy.told() == ["Cluster c=1"]
    assert envoy.acknowledge(CLUSTER).told() == ["RouteConfiguration 80=2"]


def test_secrets_never_wait_for_clusters():
    envoy = running()
    envoy._automatic = False
    envoy.offer(FULL.joined(resources(clusters="a=2", secrets="default=2")), 2)
    assert "Secret default=2" in envoy.told()


def test_a_cluster_is_removed_only_after_the_routes_to_it():
    envoy = running()
    envoy._automatic = False
    envoy.offer(resources(clusters="a", endpoints="a", listeners="l", routes="80=2", secrets="default"), 2)
    assert envoy.told() == ["RouteConfiguration 80=2"]
    assert envoy.acknowledge(ROUTES).told() == ["ClusterLoadAssignment -b", "Cluster -b"]


def test_a_cluster_loses_its_last_endpoint_only_after_the_routes_to_it():
    envoy = running()
    envoy._automatic = False
    envoy.offer(FULL.joined(resources(clusters="b=2", endpoints="b=0", routes="80=2")), 2)
    assert envoy.told() == ["RouteConfiguration 80=2"]
    assert envoy.acknowledge(ROUTES).told() == ["Cluster b=2", "ClusterLoadAssignment b=0"]
    envoy.acknowledge(CLUSTER).acknowledge(ENDPOINTS)
    assert envoy.events[-1] == Settled(2)


def test_a_new_cluster_without_endpoints_is_told_so_at_once():
    envoy = running().offer(FULL.joined(resources(clusters="c", endpoints="c=0", routes="80=2")), 2)
    envoy.subscribe(ENDPOINTS, "c")
    assert envoy.told() == ["Cluster c=1", "RouteConfiguration 80=2", "ClusterLoadAssignment c=0"]


def test_a_listener_is_replaced_in_one_response():
    envoy = running().offer(FULL.joined(resources(listeners="m")), 2)
    envoy.told()
    target = resources(clusters="a b", endpoints="a b", listeners="m n", routes="80", secrets="default")
    assert envoy.offer(target, 3).told() == ["Listener n=1 -l"]


def test_changes_during_a_flight_coalesce_into_one_response():
    envoy = running()
    envoy._automatic = False
    for generation in range(2, 9):
        envoy.offer(FULL.joined(resources(endpoints=f"a={generation}")), generation)
    assert envoy.told() == ["ClusterLoadAssignment a=2"]
    assert envoy.acknowledge(ENDPOINTS).told() == ["ClusterLoadAssignment a=8"]


def test_acknowledgements_are_matched_by_type_and_nonce_not_by_order():
    envoy = running()
    envoy._automatic = False
    envoy.offer(FULL.joined(resources(endpoints="a=2", secrets="default=2")), 2)
    envoy.acknowledge(SECRET).acknowledge(ENDPOINTS)
    assert envoy.events == [Acked(SECRET, 2), Acked(ENDPOINTS, 2), Settled(2)]


def test_a_nonce_of_another_stream_acknowledges_nothing():
    envoy = running()
    envoy._automatic = False
    envoy.offer(FULL.joined(resources(endpoints="a=2")), 2)
    envoy.send(wire.Request(type_url=ENDPOINTS, nonce="999"))
    assert envoy.events == []


def test_a_generation_is_settled_when_all_types_are_acknowledged():
    envoy = running()
    envoy._automatic = False
    envoy.offer(FULL.joined(resources(clusters="c", routes="80=2")), 2)
    envoy.acknowledge(CLUSTER)
    assert envoy.session.settled == 1
    assert envoy.acknowledge(ROUTES).session.settled == 2


def test_what_a_listener_needs_is_waited_for_though_envoy_asks_for_it_only_when_it_has_the_listener():
    needs = ((ROUTES, "new"), (SECRET, "shown"), (SECRET, "unknown"))
    target = FULL.joined(Resources.of([resource(LISTENER, "l", "2", needs)])).joined(resources(routes="80 new"))
    envoy = running().offer(target.joined(resources(secrets="default shown")), 2)
    assert (envoy.told(), envoy.session.settled) == (["Listener l=2"], 1)
    assert envoy.subscribe(SECRET, "shown").session.settled == 1
    assert envoy.subscribe(ROUTES, "new").session.settled == 2


def test_what_a_refused_listener_needs_is_not_waited_for():
    listener = resource(LISTENER, "l", "2", ((ROUTES, "new"),))
    envoy = running(refuses=lambda r: "bad" if r.bodies.get("l") == "2" else None)
    envoy.offer(FULL.joined(Resources.of([listener])).joined(resources(routes="80 new")), 2)
    assert envoy.session.settled == 2


def test_a_refusal_names_the_resource_and_is_not_repeated():
    envoy = running(refuses=lambda r: "Error adding/updating cluster(s) bad: no" if "bad" in r.versions else None)
    envoy.offer(FULL.joined(resources(clusters="bad c")), 2)
    assert envoy.told() == ["Cluster bad=1 c=1"]
    message = "Error adding/updating cluster(s) bad: no"
    assert envoy.events == [Refused(CLUSTER, 2, ("bad",), message), Settled(2, ((CLUSTER, "bad"),))]
    assert envoy.offer(FULL.joined(resources(clusters="bad c d")), 3).told() == ["Cluster d=1"]


def test_a_refused_resource_is_tried_again_when_it_changes():
    envoy = running(refuses=lambda r: "80 is bad" if r.bodies.get("80") == "2" else None)
    envoy.offer(FULL.joined(resources(routes="80=2")), 2).offer(FULL.joined(resources(routes="80=3")), 3)
    assert envoy.told() == ["RouteConfiguration 80=2", "RouteConfiguration 80=3"]
    assert envoy.events[-1] == Settled(3)


def test_a_refusal_without_a_name_is_halved_until_the_culprit_is_alone():
    envoy = running(refuses=lambda r: "no" if r.bodies.get("6") == "2" else None)
    names = [str(i) for i in range(8)]
    envoy.subscribe(ROUTES, *names).offer(FULL.joined(resources(routes=" ".join(f"{n}=2" for n in names))), 2)
    refusals = [event for event in envoy.events if isinstance(event, Refused)]
    assert refusals == [Refused(ROUTES, 2, ("6",), "no")]
    assert set(envoy.has[ROUTES]) == {"80", *names} - {"6"}


def test_routes_still_go_out_when_a_cluster_is_refused():
    envoy = running(refuses=lambda r: "bad" if "bad" in r.versions else None)
    envoy.offer(FULL.joined(resources(clusters="bad", routes="80=2")), 2)
    assert envoy.told() == ["Cluster bad=1", "RouteConfiguration 80=2"]


def test_after_a_reconnect_only_what_differs_is_sent():
    envoy = running()
    held = {type_url: dict(names) for type_url, names in envoy.has.items()}
    envoy.reconnect().offer(FULL.joined(resources(routes="80=2")), 2)
    for type_url, names in ((CLUSTER, ()), (ENDPOINTS, ("a", "b")), (LISTENER, ()), (ROUTES, ("80",))):
        envoy.subscribe(type_url, *names, versions=held[type_url])
    assert (envoy.told(), envoy.session.settled) == (["RouteConfiguration 80=2"], 2)


def test_after_a_reconnect_what_is_gone_is_removed():
    envoy = running().reconnect().offer(resources(clusters="a", endpoints="a", listeners="l"), 2)
    envoy.subscribe(CLUSTER, versions=envoy.has[CLUSTER]).subscribe(LISTENER, versions=envoy.has[LISTENER])
    assert envoy.told() == ["Cluster -b"]


def test_a_name_that_does_not_exist_is_called_absent_once_and_sent_when_it_appears():
    envoy = running().subscribe(ENDPOINTS, "ghost")
    assert envoy.told() == ["ClusterLoadAssignment -ghost"]
    assert envoy.offer(FULL, 2).told() == []
    assert envoy.offer(FULL.joined(resources(endpoints="ghost")), 3).told() == ["ClusterLoadAssignment ghost=1"]


def test_a_secret_that_is_late_is_waited_for():
    envoy = running().subscribe(SECRET, "late")
    assert envoy.told() == []
    assert envoy.offer(FULL.joined(resources(secrets="late")), 2).told() == ["Secret late=1"]


def test_a_name_that_is_subscribed_again_is_sent_again():
    envoy = running()
    envoy.send(wire.Request(type_url=ROUTES, unsubscribe=("80",)))
    assert envoy.subscribe(ROUTES, "80").told() == ["RouteConfiguration 80=1"]


def test_what_is_not_subscribed_is_not_sent():
    envoy = running().offer(FULL.joined(resources(endpoints="other", routes="9090")), 2)
    assert envoy.told() == []


def test_an_explicit_wildcard_means_all_of_them():
    envoy = FakeEnvoy().subscribe(CLUSTER, "*").offer(FULL, 1)
    assert envoy.told() == ["Cluster a=1 b=1"]


def test_a_type_that_nobody_serves_is_quiet():
    envoy = running().subscribe("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "x")
    assert envoy.told() == ["TypedExtensionConfig -x"]


def test_the_node_is_in_the_first_message_only():
    envoy = FakeEnvoy().send(wire.Request(type_url=CLUSTER, node_id="sidecar~1")).subscribe(LISTENER)
    assert envoy.session.node_id == "sidecar~1"


def test_a_proxy_that_subscribes_beyond_reason_is_cut_off():
    with pytest.raises(wire.ProtocolError, match="more than"):
        FakeEnvoy().subscribe(ENDPOINTS, *map(str, range(channel.MAX_NAMES + 1)))


@pytest.mark.parametrize(
    ("message", "name", "found"),
    [
        ("Error adding/updating listener(s) 0.0.0.0_80: x", "0.0.0.0_80", True),
        ("cluster(s) outbound|80||a.b.c: x", "outbound|80||a.b", False),
        ("cluster(s) outbound|80||a: x, outbound|80||b: y", "outbound|80||b", True),
        ("the port 8080 is taken", "80", False),
    ],
)
def test_an_error_message_mentions_exactly_the_bad_resource(message, name, found):
    assert mentions(message, name) is found
