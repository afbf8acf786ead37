"""Selectors select what Kubernetes' do."""

import pytest

from semafor.kube.api import selectors
from semafor.kube.api.errors import StatusError

LABELS = {"app": "web", "tier": "front", "n": "5", "example.com/x": ""}
MATCHING = [
    "",
    "app=web",
    "app == web",
    "app!=db",
    "none!=x",
    "app in (db, web),tier",
    "app notin (db)",
    "none notin (a)",
    "!none",
    "n>4",
    "n<6",
    "example.com/x=",
    " app = web , tier = front ",
]
OTHERS = [
    "app=db",
    "app!=web",
    "app in (a,b)",
    "app notin (web)",
    "none",
    "!app",
    "n>5",
    "n<5",
    "app>1",
    "app=web,none",
]
WRONG = [
    "app==a==b",
    "(",
    "app in",
    "app in a",
    "=x",
    "a b",
    "-app=x",
    "app=a b",
    "x" * 64 + "=y",
    "app=" + "v" * 64,
    ",",
]


@pytest.mark.parametrize("text", MATCHING)
def test_labels_that_match(text):
    assert selectors.parse_labels(text).matches(LABELS)


@pytest.mark.parametrize("text", OTHERS)
def test_labels_that_do_not(text):
    assert not selectors.parse_labels(text).matches(LABELS)


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_selector_is_refused(text):
    with pytest.raises(StatusError) as caught:
        selectors.parse_labels(text)
    assert caught.value.code == 400


FIELDS = {"metadata.name": lambda obj: obj["name"], "type": lambda obj: obj.get("type", "")}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("metadata.name=a", True),
        ("metadata.name==b", False),
        ("metadata.name!=b,type=Opaque", True),
        ("type=", False),
        ("", True),
    ],
)
def test_fields_are_compared_as_text(text, matches):
    predicate = selectors.field_filter(selectors.parse_fields(text), FIELDS)
    assert predicate({"name": "a", "type": "Opaque"}) is matches


def test_a_field_that_cannot_be_selected_is_named():
    with pytest.raises(StatusError, match=r'"spec\.x" is not a known field selector: only "metadata.name", "type"'):
        selectors.field_filter(selectors.parse_fields("spec.x=1"), FIELDS)
