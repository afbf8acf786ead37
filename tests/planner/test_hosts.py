import pytest

from semafor.planner import hosts


@pytest.mark.parametrize(
    ("pattern", "host", "covered"),
    [
        ("a.b", "a.b", True),
        ("a.b", "x.a.b", False),
        ("*.b", "a.b", True),
        ("*.b", "x.a.b", True),
        ("*.b", "b", False),
        ("*.b", "ab", False),
        ("*", "anything", True),
        ("*.b", "*.a.b", True),
        ("*.a.b", "*.b", False),
    ],
)
def test_a_pattern_covers_what_ends_as_it_does(pattern, host, covered):
    assert hosts.covers(pattern, host) is covered


def test_the_most_specific_host_is_exact_then_the_longest():
    patterns = ["*", "*.svc.cluster.local", "*.default.svc.cluster.local", "a.b"]
    assert sorted(patterns, key=hosts.specificity) == patterns


@pytest.mark.parametrize(
    ("export_to", "viewer", "visible"),
    [
        ((), "other", True),
        (("*",), "other", True),
        ((".",), "other", False),
        ((".",), "own", True),
        (("other",), "other", True),
        (("other",), "own", False),
        (("~",), "own", False),
    ],
)
def test_export_to_says_who_sees_an_object(export_to, viewer, visible):
    assert hosts.visible(export_to, "own", viewer) is visible
