"""Field ownership, by the rules of Kubernetes' documentation of server-side apply."""

import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semafor.kube.api.patch import ConflictError, MalformedError, PatchError
from semafor.kube.api.patch.server_side import apply, track

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def thing(spec=None, **more):
    doc = {"apiVersion": "apps/v1", "kind": "Thing", "metadata": {"name": "web", "namespace": "default"}, **more}
    return doc if spec is None else {**doc, "spec": spec}


def containers(*items):
    return {"template": {"containers": list(items)}}


def owners(doc):
    return {
        (entry["manager"], entry["operation"], entry.get("subresource", "")): entry["fieldsV1"]
        for entry in doc["metadata"].get("managedFields", [])
    }


def without_owners(doc):
    return {**doc, "metadata": {key: value for key, value in doc["metadata"].items() if key != "managedFields"}}


class World:
    """One object and its writers."""

    def __init__(self, schema):
        self.schema = schema
        self.doc = None

    def apply(self, manager, applied, *, force=False, now=NOW, subresource=""):
        self.doc = apply(self.doc, applied, manager, force, self.schema, now, subresource=subresource)
        return self

    def update(self, manager, new, *, now=NOW, subresource=""):
        if self.doc is not None and "managedFields" not in new["metadata"]:
            old = self.doc["metadata"].get("managedFields", [])
            new = {**new, "metadata": {**new["metadata"], "managedFields": old}}
        self.doc = track(self.doc, new, manager, "Update", self.schema, now, subresource=subresource)
        return self

    @property
    def spec(self):
        return self.doc["spec"]


@pytest.fixture
def world(schema):
    return World(schema)


def test_an_apply_that_creates_owns_what_it_says(world):
    world.apply("kubectl", thing({"replicas": 3, **containers({"name": "a", "image": "1"})}))
    assert world.doc["metadata"]["managedFields"] == [
        {
            "manager": "kubectl",
            "operation": "Apply",
            "apiVersion": "apps/v1",
            "time": "2026-01-02T03:04:05Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:spec": {
                    "f:replicas": {},
                    "f:template": {"f:containers": {'k:{"name":"a"}': {".": {}, "f:image": {}, "f:name": {}}}},
                }
            },
        }
    ]


def test_an_update_that_creates_owns_the_objects_too(world):
    world.update("kubectl-create", thing({"tags": ["x"], "replicas": 1}, data={"k": "v"}))
    assert owners(world.doc) == {
        ("kubectl-create", "Update", ""): {
            "f:data": {".": {}, "f:k": {}},
            "f:spec": {".": {}, "f:replicas": {}, "f:tags": {".": {}, 'v:"x"': {}}},
        }
    }


def test_a_conflict_names_the_manager_the_version_and_the_field(world):
    world.update("kubectl-client-side-apply", thing({"replicas": 1}))
    with pytest.raises(ConflictError) as caught:
        world.apply("helm", thing({"replicas": 3}))
    assert str(caught.value) == (
        'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas'
    )
    assert [(cause.message, cause.field) for cause in caught.value.causes] == [
        ('conflict with "kubectl-client-side-apply" using apps/v1', ".spec.replicas")
    ]


def test_several_conflicts_are_grouped_by_manager(world):
    world.apply("one", thing(containers({"name": "a", "image": "1"})))
    world.update("two", {**world.doc, "spec": {**world.spec, "replicas": 1}}, subresource="scale")
    with pytest.raises(ConflictError) as caught:
        world.apply("me", thing({"replicas": 3, **containers({"name": "a", "image": "2"})}))
    assert str(caught.value) == (
        'Apply failed with 2 conflicts: conflicts with "one":\n'
        '- .spec.template.containers[name="a"].image\n'
        'conflicts with "two" with subresource "scale" using apps/v1:\n'
        "- .spec.replicas"
    )


def test_force_takes_the_field_over(world):
    world.apply("one", thing({"replicas": 1, "paused": True})).apply("two", thing({"replicas": 3}), force=True)
    assert world.spec == {"replicas": 3, "paused": True}
    assert owners(world.doc) == {
        ("one", "Apply", ""): {"f:spec": {"f:paused": {}}},
        ("two", "Apply", ""): {"f:spec": {"f:replicas": {}}},
    }


def test_equal_values_are_shared_without_a_conflict(world):
    world.apply("one", thing({"replicas": 1})).apply("two", thing({"replicas": 1}))
    assert set(owners(world.doc)) == {("one", "Apply", ""), ("two", "Apply", "")}


def test_a_field_goes_when_its_last_owner_stops_applying_it(world):
    world.apply("one", thing({"replicas": 1, "paused": True})).apply("two", thing({"replicas": 1}))
    world.apply("one", thing({"paused": True}))
    assert world.spec == {"replicas": 1, "paused": True}
    world.apply("two", thing({}))
    assert world.spec == {"paused": True}


def test_a_field_that_an_update_owns_stays(world):
    world.apply("one", thing({"replicas": 1}))
    world.update("hpa", {**world.doc, "spec": {"replicas": 5}})
    world.apply("one", thing({"paused": True}))
    assert world.spec == {"replicas": 5, "paused": True}


def test_the_hand_over_of_replicas_to_an_autoscaler(world):
    world.apply("kubectl", thing({"replicas": 1, "paused": True}))
    world.apply("handover", thing({"replicas": 1})).apply("kubectl", thing({"paused": True}))
    assert world.spec == {"replicas": 1, "paused": True}
    assert owners(world.doc)["handover", "Apply", ""] == {"f:spec": {"f:replicas": {}}}


def test_an_element_goes_with_its_applier_and_others_stay(world):
    world.apply("one", thing(containers({"name": "a", "image": "1"})))
    world.apply("two", thing(containers({"name": "b", "image": "1"})))
    world.apply("one", thing({"paused": True}))
    assert world.spec == {"paused": True, **containers({"name": "b", "image": "1"})}


def test_elements_keep_the_applied_order_and_the_others_their_place(world):
    world.update("x", thing({"tags": ["a", "b", "c", "d"]}))
    world.apply("me", thing({"tags": ["d", "n", "b"]}))
    assert world.spec["tags"] == ["a", "c", "d", "n", "b"]


def test_an_atomic_list_is_one_field(world):
    world.apply("one", thing(containers({"name": "a", "args": ["x"]})))
    with pytest.raises(ConflictError, match=r'conflict with "one": \.spec\.template\.containers\[name="a"\]\.args'):
        world.apply("two", thing(containers({"name": "a", "args": ["x", "y"]})))


def test_ports_without_a_protocol_are_tcp_ports(world):
    world.apply("one", thing(containers({"name": "a", "ports": [{"containerPort": 53}]})))
    world.apply("two", thing(containers({"name": "a", "ports": [{"containerPort": 53, "protocol": "UDP"}]})))
    assert world.spec["template"]["containers"][0]["ports"] == [
        {"containerPort": 53},
        {"containerPort": 53, "protocol": "UDP"},
    ]


def test_keys_of_a_map_are_owned_one_by_one(world):
    world.apply("one", thing(data={"a": "1"})).apply("two", thing(data={"b": "2"})).apply("one", thing(data={}))
    assert world.doc["data"] == {"b": "2"}


def test_an_apply_of_the_same_writes_nothing(world):
    world.apply("kubectl", thing({"replicas": 3}))
    before = world.doc
    assert world.apply("kubectl", thing({"replicas": 3}), now=LATER).doc == before


def test_an_update_that_changes_nothing_writes_nothing(world):
    world.update("one", thing({"replicas": 3}))
    before = world.doc
    assert world.update("two", before, now=LATER).doc == before


def test_an_update_takes_fields_from_others(world):
    world.apply("one", thing({"replicas": 1, "paused": True}))
    world.update("two", thing({"replicas": 2}), now=LATER)
    assert owners(world.doc) == {("two", "Update", ""): {"f:spec": {"f:replicas": {}}}}


def test_status_is_owned_apart(world):
    world.update("one", thing({"replicas": 1}))
    world.update("controller", {**world.doc, "status": {"ready": 1}}, subresource="status", now=LATER)
    assert owners(world.doc)["controller", "Update", "status"] == {"f:status": {".": {}, "f:ready": {}}}


def test_unowned_objects_belong_to_before_first_apply(world):
    world.doc = thing({"replicas": 1})
    with pytest.raises(ConflictError, match=r'"before-first-apply" using apps/v1: \.spec\.replicas'):
        world.apply("me", thing({"replicas": 2}))


def test_kubectl_takes_over_from_its_client_side_apply(world):
    last = json.dumps(thing({"replicas": 1, "paused": True}))
    doc = thing({"replicas": 1, "paused": True})
    doc["metadata"]["annotations"] = {ANNOTATION: last}
    world.update("kubectl-client-side-apply", doc)
    applied = thing({"replicas": 2, "paused": True})
    world.apply("kubectl", applied)
    assert world.spec == {"replicas": 2, "paused": True}
    assert json.loads(world.doc["metadata"]["annotations"][ANNOTATION]) == applied


def test_kubectl_does_not_take_over_what_another_has_changed_since(world):
    doc = thing({"replicas": 1})
    doc["metadata"]["annotations"] = {ANNOTATION: json.dumps(thing({"replicas": 1}))}
    world.update("kubectl-client-side-apply", doc).update("hpa", {**doc, "spec": {"replicas": 9}})
    with pytest.raises(ConflictError, match='"hpa"'):
        world.apply("kubectl", thing({"replicas": 2}))


def test_a_writer_may_rewrite_the_owners_itself(world):
    world.update("kubectl-client-side-apply", thing({"replicas": 1}))
    entry = {**world.doc["metadata"]["managedFields"][0], "manager": "kubectl", "operation": "Apply"}
    doc = {**world.doc, "metadata": {**world.doc["metadata"], "managedFields": [entry]}}
    world.update("kubectl", doc).apply("kubectl", thing({"paused": True}))
    assert world.spec == {"paused": True}


def test_one_empty_entry_resets_the_owners(world):
    world.update("one", thing({"replicas": 1}))
    doc = {**world.doc, "metadata": {**world.doc["metadata"], "managedFields": [{}]}}
    assert owners(world.update("two", doc).doc) == {}


@pytest.mark.parametrize(
    "broken", [[{"manager": "x"}], "x", [], [{"operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": 1}]]
)
def test_unreadable_owners_are_replaced_by_the_old_ones(world, broken):
    world.update("one", thing({"replicas": 1}))
    before = owners(world.doc)
    doc = {**world.doc, "metadata": {**world.doc["metadata"], "managedFields": broken}}
    assert owners(world.update("two", doc).doc) == before


def test_old_updaters_are_folded_together(world):
    for number in range(14):
        doc = thing(data={**(world.doc or {}).get("data", {}), f"k{number}": "v"})
        world.update(f"m{number}", doc, now=NOW + timedelta(seconds=number))
    names = [entry["manager"] for entry in world.doc["metadata"]["managedFields"]]
    assert names == ["ancient-changes", *(f"m{number}" for number in range(5, 14))]


@pytest.mark.parametrize(
    ("applied", "words"),
    [
        ([], "must be an object"),
        (thing({"tags": ["a", "a"]}), r'\.spec\.tags: duplicate entries for key \[="a"\]'),
        (thing(containers({"image": "1"})), 'omits key field "name"'),
        ({"metadata": {"managedFields": [{}]}}, "metadata.managedFields must be nil"),
    ],
)
def test_refuses_what_cannot_be_applied(world, applied, words):
    with pytest.raises(MalformedError, match=words):
        world.apply("me", applied)


def test_a_null_is_left_to_the_defaults(world):
    world.apply("me", thing({"replicas": None, "paused": True}))
    assert world.spec == {"paused": True}


def test_lists_that_repeat_their_keys_count_as_one_field(world):
    env = [{"name": "X", "value": "1"}, {"name": "X", "value": "2"}]
    world.update("one", thing(containers({"name": "a", "env": env})))
    assert (
        world.apply("two", thing(containers({"name": "a", "image": "2"}))).spec["template"]["containers"][0]["env"]
        == env
    )


scalars = st.none() | st.integers(0, 2) | st.sampled_from(["x", "y"])
container = st.fixed_dictionaries(
    {"name": st.sampled_from("abc")},
    optional={
        "image": st.sampled_from("12"),
        "args": st.lists(scalars, max_size=2),
        "ports": st.just([{"containerPort": 80}]),
    },
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "replicas": scalars,
        "tags": st.lists(st.sampled_from("abcd"), unique=True),
        "free": st.recursive(
            scalars, lambda inner: st.dictionaries(st.sampled_from("pq"), inner) | st.lists(inner), max_leaves=4
        ),
        "template": st.fixed_dictionaries({"containers": st.lists(container, unique_by=lambda c: c["name"])}),
    },
)


@given(st.lists(st.tuples(st.sampled_from("mno"), st.booleans(), specs), max_size=5), specs)
def test_apply_is_idempotent_and_its_wishes_come_true(schema, history, spec):
    world = World(schema)
    for manager, as_apply, past in history:
        if as_apply:
            world.apply(manager, thing(past), force=True)
        else:
            world.update(manager, thing(past))
    once = world.apply("me", thing(spec), force=True).doc
    assert world.apply("me", thing(spec), now=LATER).doc == once
    alone = World(schema).apply("me", thing(spec)).doc
    assert owners(once).get(("me", "Apply", "")) == owners(alone).get(("me", "Apply", ""))


@given(specs, specs)
def test_who_stops_applying_leaves_nothing_behind(schema, first, second):
    world = World(schema).apply("me", thing(first)).apply("me", thing(second))
    assert world.doc == World(schema).apply("me", thing(second)).doc


names = st.sampled_from(
    [
        "metadata",
        "managedFields",
        "annotations",
        "spec",
        "template",
        "containers",
        "name",
        "tags",
        "ports",
        "f:x",
        ANNOTATION,
    ]
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=12
)


@given(st.none() | st.dictionaries(names, anything), anything)
def test_raises_only_patch_errors(schema, live, applied):
    with contextlib.suppress(PatchError):
        apply(live, applied, "kubectl", False, schema, NOW)
    if isinstance(applied, dict):
        with contextlib.suppress(PatchError):
            track(live, applied, "m", "Update", schema, NOW)
