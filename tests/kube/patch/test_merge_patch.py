"""RFC 7386, appendix A."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semafor.kube.api.patch import MalformedError, merge

TABLE = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("doc", "patch", "expected"), TABLE)
def test_table_of_the_standard(doc, patch, expected):
    assert merge(doc, patch) == expected


json = st.recursive(
    st.none() | st.integers(0, 3), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner)
)


@given(json, json)
def test_applying_twice_is_applying_once(doc, patch):
    once = merge(doc, patch)
    assert merge(once, patch) == once


def test_refuses_what_nests_too_deep():
    patch = {}
    for _ in range(5000):
        patch = {"a": patch}
    with pytest.raises(MalformedError, match="deeper"):
        merge({}, patch)
