"""Whatever a client sends, a check answers; and what it lets pass has defaults and a typed view."""

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semafor.resources import decode, default
from semafor.resources.check import check

from .documents import documents, kind_of

SAMPLES = [doc for _, doc in documents("samples")]
SCALARS = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=12)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values beneath a node."""
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for step, child in steps for place in [(*path, step), *places(child, (*path, step))]]


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A right document with something else in one or two places."""
    doc: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 2))):
        *path, last = draw(st.sampled_from([place for place in places(doc) if place[0] not in ("kind", "apiVersion")]))
        node: Any = doc
        for step in path:
            node = node[step]
        node[last] = draw(JSON)
        if len(places(doc)) < 3:
            break
    return doc


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(damaged())
def test_a_damaged_document_is_refused_or_understood(doc: dict[str, Any]) -> None:
    kind, before = kind_of(doc), copy.deepcopy(doc)
    report = check(kind, doc)
    assert doc == before
    if any(error.reason == "FieldValueTypeInvalid" for error in report.errors):
        return
    filled = default(kind, doc)
    if not report.errors:
        decode(kind, filled)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from(SAMPLES), JSON)
def test_any_json_has_an_answer(sample: dict[str, Any], doc: Any) -> None:
    assert check(kind_of(sample), doc)
