"""All that is wrong with a document is found at once, in Kubernetes' words."""

from typing import Any

import pytest

from semafor.resources import registry
from semafor.resources.check import check

from .documents import documents, kind_of

CASES = documents("refused")
POD = registry.by_kind("", "Pod")
assert POD is not None


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_everything_that_is_wrong_is_told_at_once(case: dict[str, Any]) -> None:
    report = check(kind_of(case["doc"]), case["doc"])
    told = {"errors": map(str, report.errors), "unknown": report.unknown, "warnings": report.warnings}
    expected = {name: case.get(name, ()) for name in told}
    assert {name: sorted(found) for name, found in told.items()} == {name: sorted(e) for name, e in expected.items()}


@pytest.mark.parametrize(
    "doc", [None, [], "pod", 5, {"spec": None}, {"metadata": []}, {"spec": {"containers": [None]}}]
)
def test_a_document_that_is_none_is_refused(doc: Any) -> None:
    assert check(POD, doc).errors


def test_reasons_are_the_causes_of_a_status() -> None:
    doc = {"metadata": {"name": "A"}, "spec": {"restartPolicy": "x", "containers": []}}
    reasons = [(error.path, error.reason) for error in check(POD, doc).errors]
    assert reasons == [
        ("spec.restartPolicy", "FieldValueNotSupported"),
        ("metadata.name", "FieldValueInvalid"),
        ("spec.containers", "FieldValueRequired"),
    ]


def test_a_document_without_end_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(5000):
        schema = {"properties": {"a": schema}}
    doc = {"spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}}
    kind = registry.by_kind("apiextensions.k8s.io", "CustomResourceDefinition")
    assert kind is not None
    assert [error.message for error in check(kind, doc).errors] == ["Invalid value: nested too deeply"]
