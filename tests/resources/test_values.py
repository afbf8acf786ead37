"""Quantities, selectors, and the small rules that many fields share."""

from fractions import Fraction
from typing import Any

import pytest

from semafor.resources import marks, quantity, selector
from semafor.resources.istio import hosts


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", 1),
        ("100m", Fraction(1, 10)),
        ("1.5", Fraction(3, 2)),
        (".5", Fraction(1, 2)),
        ("1Ki", 1024),
        ("2M", 2_000_000),
        ("1e3", 1000),
        ("5n", Fraction(5, 10**9)),
        ("-1", -1),
        (0.25, Fraction(1, 4)),
        (3, 3),
    ],
)
def test_a_quantity_is_an_exact_amount(text: str | float, amount: Fraction | int) -> None:
    assert quantity.parse(text) == amount


@pytest.mark.parametrize("text", ["", "x", "1 Gi", "1Zi", "1mm", "0x1", "--1", "1e", "1e1000"])
def test_what_is_no_quantity_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="invalid quantity"):
        quantity.parse(text)


@pytest.mark.parametrize(("value", "text"), [(1, "1"), (0.5, "500m"), (2.0, "2"), ("1Gi", "1Gi"), (1e300, 1e300)])
def test_a_number_is_stored_as_text(value: str | float, text: str | float) -> None:
    assert quantity.text(value) == text


@pytest.mark.parametrize(
    ("chosen", "labels", "expected"),
    [
        (None, {"a": "b"}, False),
        ({}, {}, True),
        ({"matchLabels": {"a": "b"}}, {"a": "b", "c": "d"}, True),
        ({"matchLabels": {"a": "b"}}, {"a": "c"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}, {"a": "b"}, True),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}, {}, False),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {"a": ""}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {"a": ""}, False),
    ],
)
def test_a_selector_chooses(chosen: dict[str, Any] | None, labels: dict[str, str], expected: bool) -> None:
    assert selector.matches(chosen, labels) is expected


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (marks.DNS_LABEL, ["a", "a-1", "1"], ["", "A", "-a", "a.b", "a" * 64]),
        (marks.DNS_SUBDOMAIN, ["a.b", "a"], ["a..b", "A", "a_b", ".a"]),
        (marks.PORT_NAME, ["http", "a-1", "1a"], ["80", "Http", "a--b", "-a", "sixteen-letters-"]),
        (marks.LABEL_VALUE, ["", "a", "A_b.c-1"], ["-a", "a/b", "a" * 64]),
        (marks.QUALIFIED_NAME, ["a", "example.com/a_b"], ["", "/a", "a/b/c", "Example.com/a", "a b"]),
        (marks.ENV_NAME, ["A", "a.b-c", "x y"], ["", "A=", "=", "é"]),
        (marks.HOSTNAME, ["a.b", "*.a"], ["*", "A.b", "a.*"]),
    ],
)
def test_a_name_follows_its_rule(rule: marks.Rule, good: list[str], bad: list[str]) -> None:
    assert ([text for text in good if rule.test(text)], [text for text in bad if not rule.test(text)]) == ([], [])


@pytest.mark.parametrize(
    ("text", "good"), [("a.b", True), ("*", True), ("*.a.b", True), ("a*", False), ("a..b", False)]
)
def test_a_host_may_start_with_a_wildcard(text: str, good: bool) -> None:
    assert (not list(hosts.host(text, "p"))) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [("a+", True), (r"\p{Greek}", True), ("(?i)a", True), ("(?=a)", False), ("a(", False), ("[", False)],
)
def test_an_expression_is_one_of_re2(text: str, good: bool) -> None:
    assert (not list(hosts.regex(text, "p"))) is good
