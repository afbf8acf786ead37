"""Documents as people write them are taken without a word, keep their meaning, and have a typed view."""

import copy
from typing import Any

import pytest

from semafor.resources import decode, default
from semafor.resources.check import Report, check

from .documents import documents, kind_of

SAMPLES = documents("samples")
each_sample = pytest.mark.parametrize("doc", [doc for _, doc in SAMPLES], ids=[name for name, _ in SAMPLES])


@each_sample
def test_a_right_document_has_no_errors(doc: dict[str, Any]) -> None:
    report = check(kind_of(doc), doc)
    assert ([str(error) for error in report.errors], report.unknown, report.warnings) == ([], (), ())


@each_sample
def test_defaults_leave_the_document_alone_right_and_settled(doc: dict[str, Any]) -> None:
    before, kind = copy.deepcopy(doc), kind_of(doc)
    filled = default(kind, doc)
    assert doc == before
    assert check(kind, filled) == Report()
    assert default(kind, filled) == filled


@each_sample
def test_a_right_document_has_a_typed_view(doc: dict[str, Any]) -> None:
    kind = kind_of(doc)
    view = decode(kind, default(kind, doc))
    assert type(view) is kind.document


@pytest.mark.parametrize("doc", [doc for _, doc in SAMPLES if kind_of(doc).custom], ids=lambda doc: doc["kind"])
def test_what_one_writer_leaves_out_of_a_status_keeps_no_object_from_being_read(doc: dict[str, Any]) -> None:
    # Live is written by another than the rest of a route's status, and may be there first.
    live = {
        "type": "Live",
        "status": "True",
        "reason": "r",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    decode(kind_of(doc), default(kind_of(doc), {**doc, "status": {"conditions": [live]}}))
