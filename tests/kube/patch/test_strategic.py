"""Strategic merge: the cases of Kubernetes' documentation and of its own tests."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semafor.kube.api.patch import MalformedError, PatchError, strategic


def containers(*items):
    return {"spec": {"template": {"containers": list(items)}}}


def tags(*items):
    return {"spec": {"tags": list(items)}}


A, B, C = {"name": "a", "image": "1"}, {"name": "b", "image": "1"}, {"name": "c", "image": "1"}

WORKS = [
    (
        "adds a container beside the one there",
        containers({"name": "nginx", "image": "nginx"}),
        containers({"name": "redis", "image": "redis"}),
        containers({"name": "redis", "image": "redis"}, {"name": "nginx", "image": "nginx"}),
    ),
    (
        "merges a container by its name",
        containers({"name": "app", "image": "1", "args": ["x"]}),
        containers({"name": "app", "image": "2"}),
        containers({"name": "app", "image": "2", "args": ["x"]}),
    ),
    (
        "replaces an atomic list",
        containers({"name": "a", "args": ["x", "y"]}),
        containers({"name": "a", "args": ["z"]}),
        containers({"name": "a", "args": ["z"]}),
    ),
    ("deletes an element", containers(A, B), containers({"name": "a", "$patch": "delete"}), containers(B)),
    ("replaces a list", containers(A, B), containers(C, {"$patch": "replace"}), containers(C)),
    ("deletes what is not there", containers(A), containers({"name": "z", "$patch": "delete"}), containers(A)),
    ("drops directives where there was no list", {}, containers(A, {"name": "b", "$patch": "delete"}), containers(A)),
    ("replaces an object", {"data": {"a": "1"}}, {"data": {"b": "2", "$patch": "replace"}}, {"data": {"b": "2"}}),
    ("empties an object", {"data": {"a": "1"}}, {"data": {"$patch": "delete"}}, {"data": {}}),
    ("removes by null", {"data": {"a": "1", "b": "2"}}, {"data": {"a": None}}, {"data": {"b": "2"}}),
    ("keeps no null of a new object", {}, {"data": {"a": None, "b": "2"}}, {"data": {"b": "2"}}),
    ("unites scalars", tags("x", "y"), tags("y", "z"), tags("x", "y", "z")),
    (
        "deletes scalars",
        tags("x", "y", "z"),
        {"spec": {"$deleteFromPrimitiveList/tags": ["y"]}},
        tags("x", "z"),
    ),
    (
        "retains the named keys",
        {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}},
        {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
        {"spec": {"strategy": {"type": "Recreate"}}},
    ),
    (
        "puts a merged list in order",
        containers(A, B, C),
        {
            "spec": {
                "template": {
                    "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
                    "containers": [{"name": "a", "image": "2"}],
                }
            }
        },
        containers(B, C, {"name": "a", "image": "2"}),
    ),
    (
        "puts an unchanged list in order",
        tags("x", "y", "z"),
        {"spec": {"$setElementOrder/tags": ["z", "x"]}},
        tags("y", "z", "x"),
    ),
    (
        "merges ports by number",
        containers({"name": "a", "ports": [{"containerPort": 80, "name": "http"}]}),
        containers({"name": "a", "ports": [{"containerPort": 80, "name": "web"}, {"containerPort": 90}]}),
        containers({"name": "a", "ports": [{"containerPort": 80, "name": "web"}, {"containerPort": 90}]}),
    ),
    ("takes unknown fields as plain JSON", {"x": {"l": [1]}}, {"x": {"l": [2], "m": 1}}, {"x": {"l": [2], "m": 1}}),
    ("changes a type", {"data": "x"}, {"data": {"a": "1"}}, {"data": {"a": "1"}}),
]

FAILS = [
    ("an unknown directive", {"data": {"$patch": "burn"}}, "unknown \\$patch"),
    ("an element without its key", containers({"image": "1"}), "does not contain declared merge key: name"),
    ("a key missing from retainKeys", {"spec": {"strategy": {"$retainKeys": [], "type": "x"}}}, "retainKeys"),
    ("a deletion list that is no list", {"spec": {"$deleteFromPrimitiveList/tags": "x"}}, "must be a list"),
    (
        "an order that the patch breaks",
        {"spec": {"$setElementOrder/tags": ["a", "b"], "tags": ["b", "a"]}},
        "doesn't match",
    ),
    ("a list", [], "must be an object"),
]


@pytest.mark.parametrize(("doc", "patch", "expected"), [case[1:] for case in WORKS], ids=[case[0] for case in WORKS])
def test_works(doc, patch, expected, schema):
    assert strategic(doc, patch, schema) == expected


@pytest.mark.parametrize(("patch", "words"), [case[1:] for case in FAILS], ids=[case[0] for case in FAILS])
def test_refuses(patch, words, schema):
    with pytest.raises(MalformedError, match=words):
        strategic(containers(A), patch, schema)


def test_leaves_its_inputs_alone(schema):
    doc, patch = containers(A), containers({"name": "a", "image": "2"})
    strategic(doc, patch, schema)["spec"]["template"]["containers"][0]["image"] = "3"
    assert (doc, patch) == (containers(A), containers({"name": "a", "image": "2"}))


names = st.sampled_from(
    [
        "spec",
        "template",
        "containers",
        "tags",
        "name",
        "$patch",
        "$retainKeys",
        "data",
        "$setElementOrder/tags",
        "$deleteFromPrimitiveList/tags",
    ]
)
json = st.recursive(
    st.none() | st.integers(0, 3) | st.sampled_from(["a", "b", "delete", "replace"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(names, json), st.dictionaries(names, json))
def test_raises_only_patch_errors(schema, doc, patch):
    with contextlib.suppress(PatchError):
        strategic(doc, patch, schema)
