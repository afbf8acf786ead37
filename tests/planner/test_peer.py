"""What metrics call a workload."""

import pytest

from semafor.base import peer


@pytest.mark.parametrize(
    ("pod", "owner", "labels", "expected"),
    [
        ("web-6d4b75cb6d-abcde", ("ReplicaSet", "web-6d4b75cb6d"), {"pod-template-hash": "6d4b75cb6d"}, "web"),
        ("db-0", ("StatefulSet", "db"), {}, "db"),
        ("nightly-28000000-x", ("Job", "nightly-28000000"), {}, "nightly"),
        ("once-x", ("Job", "once"), {}, "once"),
        ("alone", ("", ""), {}, "alone"),
    ],
)
def test_a_workload_is_what_made_the_pod(pod, owner, labels, expected):
    assert peer.workload(pod, owner, labels) == expected


def test_canonical_names_come_from_the_first_label_there_is():
    known = peer.of("web-v1", "shop", {"app": "web", "version": "v1"})
    assert known == peer.Peer("web-v1", "shop", app="web", version="v1", service="web", revision="v1")


def test_a_pod_without_labels_is_called_as_its_workload():
    assert peer.of("web", "shop", {}) == peer.Peer("web", "shop", service="web", revision="latest")


def test_no_label_can_add_a_field_to_the_text_in_a_certificate():
    assert peer.text(peer.of("web", "shop", {"app": "a;b", "version": "v1"})) == "web;ab;v1;ab;v1"
