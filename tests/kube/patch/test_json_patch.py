"""RFC 6902, its appendix A, and the messages of kube-apiserver."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semafor.kube.api.patch import InapplicableError, MalformedError, PatchError, apply_json_patch

WORKS = [
    (
        "A.1 adds a member",
        {"foo": "bar"},
        [{"op": "add", "path": "/baz", "value": "qux"}],
        {"foo": "bar", "baz": "qux"},
    ),
    (
        "A.2 adds an element",
        {"foo": ["bar", "baz"]},
        [{"op": "add", "path": "/foo/1", "value": "qux"}],
        {"foo": ["bar", "qux", "baz"]},
    ),
    ("A.3 removes a member", {"baz": 1, "foo": 2}, [{"op": "remove", "path": "/baz"}], {"foo": 2}),
    ("A.4 removes an element", {"foo": [1, 2, 3]}, [{"op": "remove", "path": "/foo/1"}], {"foo": [1, 3]}),
    ("A.5 replaces a value", {"baz": 1}, [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo"}),
    (
        "A.6 moves a value",
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    (
        "A.7 moves an element",
        {"foo": [1, 2, 3, 4]},
        [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": [1, 3, 4, 2]},
    ),
    ("A.8 tests a value", {"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "qux"}], {"baz": "qux"}),
    ("A.11 ignores unknown members", {}, [{"op": "add", "path": "/a", "value": 1, "xyz": 1}], {"a": 1}),
    ("A.14 unescapes ~01", {"~1": 10, "/": 9}, [{"op": "test", "path": "/~01", "value": 10}], {"~1": 10, "/": 9}),
    ("A.16 appends", {"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc"]}], {"foo": ["bar", ["abc"]]}),
    ("copies", {"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"b": 1}, "c": {"b": 1}}),
    ("replaces the whole", {"a": 1}, [{"op": "replace", "path": "", "value": {"b": 2}}], {"b": 2}),
    ("tests a missing value as null", {}, [{"op": "test", "path": "/a", "value": None}], {}),
]

FAILS = [
    ("a test that fails", [{"op": "test", "path": "/a", "value": 2}], InapplicableError, "testing value /a failed"),
    ("true is not 1", [{"op": "test", "path": "/a", "value": True}], InapplicableError, "test failed"),
    ("a missing parent", [{"op": "add", "path": "/x/y", "value": 1}], InapplicableError, "/x/y"),
    ("a missing value", [{"op": "remove", "path": "/x"}], InapplicableError, "missing path"),
    ("an index beyond the end", [{"op": "add", "path": "/l/3", "value": 1}], InapplicableError, "not an index"),
    ("an index with a leading zero", [{"op": "remove", "path": "/l/00"}], InapplicableError, "not an index"),
    ("a move into itself", [{"op": "move", "from": "/o", "path": "/o/x"}], InapplicableError, "into itself"),
    ("an unknown op", [{"op": "spam", "path": "/a"}], InapplicableError, "must have an op"),
    ("no value", [{"op": "add", "path": "/a"}], MalformedError, "no value"),
    ("a path without a slash", [{"op": "remove", "path": "a"}], MalformedError, "JSON pointer"),
    ("no list", {"op": "remove"}, MalformedError, "must be a list"),
]


@pytest.mark.parametrize(("doc", "ops", "expected"), [case[1:] for case in WORKS], ids=[case[0] for case in WORKS])
def test_works(doc, ops, expected):
    assert apply_json_patch(doc, ops) == expected


@pytest.mark.parametrize(("ops", "error", "words"), [case[1:] for case in FAILS], ids=[case[0] for case in FAILS])
def test_refuses(ops, error, words):
    with pytest.raises(error, match=words.replace("/", "\\/")):
        apply_json_patch({"a": 1, "l": [1, 2], "o": {}}, ops)


def test_a_failed_patch_changes_nothing():
    doc = {"a": [1]}
    with pytest.raises(InapplicableError):
        apply_json_patch(doc, [{"op": "add", "path": "/a/-", "value": 2}, {"op": "remove", "path": "/b"}])
    assert doc == {"a": [1]}


def test_copies_cannot_blow_up_the_document():
    ops = [{"op": "copy", "from": "", "path": f"/{number}"} for number in range(64)]
    with pytest.raises(PatchError):
        apply_json_patch({"a": "x" * 1000}, ops)


json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab/~", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "0"]), inner, max_size=3),
    max_leaves=8,
)
operation = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": st.sampled_from(["", "/a", "/a/b", "/a/0", "/a/-", "/b/0/a", "/"]),
    },
    optional={"from": st.sampled_from(["", "/a", "/a/0", "/b"]), "value": json},
)


@given(json, st.lists(operation, max_size=5) | json)
def test_raises_only_patch_errors(doc, ops):
    with contextlib.suppress(PatchError):
        apply_json_patch(doc, ops)
