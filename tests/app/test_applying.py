"""What an apply would send: what is written, and null for what was written before."""

import pytest

from semafor.app.cli import applying


@pytest.mark.parametrize(
    ("before", "wanted", "patch"),
    [
        ({}, {"a": 1}, {"a": 1}),
        ({"b": 1}, {"a": 1}, {"a": 1, "b": None}),
        ({"x": {"a": 1, "b": 2}}, {"x": {"a": 3}}, {"x": {"a": 3, "b": None}}),
        ({"x": [1]}, {"x": [2]}, {"x": [2]}),
        ({"annotations": {}}, {}, {}),
        (None, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_what_is_no_more_written_is_taken_away(before, wanted, patch):
    assert applying._patch(before, wanted) == patch


def test_the_essence_is_what_a_user_has_said():
    stored = {
        "kind": "Service",
        "metadata": {"name": "a", "uid": "1", "annotations": {applying._APPLIED: "{}"}, "labels": {}},
        "status": {},
    }
    assert applying.essence(stored) == {"kind": "Service", "metadata": {"name": "a"}}
