"""Rules that proxies refuse are held back, and only those."""

import pytest

from semafor.app import status
from semafor.app.quarantine import Quarantine
from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Document

RULE = ObjectRef(kind="VirtualService", namespace="default", name="web")
REFUSAL = Problem(ref=RULE, path="spec", reason=status.REFUSED, message="no")


class Version(Document):
    number: int


@pytest.fixture
def quarantine() -> Quarantine:
    made = Quarantine()
    made.arrived(RULE, Version(number=1), proven=False)
    return made


def test_the_last_version_that_proxies_took_stays(quarantine):
    quarantine.arrived(RULE, Version(number=2), proven=True)
    assert quarantine.hold(REFUSAL)
    assert (quarantine.good(RULE), list(quarantine.problems())) == (Version(number=1), [REFUSAL])


def test_a_version_that_no_proxy_took_is_never_restored(quarantine):
    quarantine.arrived(RULE, Version(number=2), proven=True)
    quarantine.arrived(RULE, Version(number=3), proven=False)
    quarantine.hold(REFUSAL)
    assert quarantine.good(RULE) == Version(number=1)


def test_a_first_version_leaves_nothing_to_restore(quarantine):
    quarantine.hold(REFUSAL)
    assert quarantine.good(RULE) is None


def test_a_change_ends_it(quarantine):
    quarantine.hold(REFUSAL)
    quarantine.arrived(RULE, Version(number=2), proven=True)
    assert (list(quarantine.problems()), quarantine.good(RULE)) == ([], None)


def test_it_is_held_once_however_many_proxies_refuse_it(quarantine):
    assert [quarantine.hold(REFUSAL), quarantine.hold(REFUSAL)] == [True, False]


def test_a_suspect_is_tried_once_more(quarantine):
    quarantine.hold(REFUSAL)
    assert quarantine.release(RULE) == Version(number=1)
    quarantine.arrived(RULE, Version(number=1), proven=True)
    quarantine.hold(REFUSAL)
    assert (quarantine.release(RULE), quarantine.good(RULE)) == (None, None)


def test_what_is_gone_is_forgotten(quarantine):
    quarantine.hold(REFUSAL)
    quarantine.arrived(RULE, None, proven=True)
    assert (quarantine.hold(REFUSAL), list(quarantine.problems()), quarantine.release(RULE)) == (False, [], None)


@pytest.mark.parametrize(
    ("reason", "observed", "refused"), [(status.REFUSED, 2, True), (status.REFUSED, 1, False), ("Pushing", 2, False)]
)
def test_a_status_tells_whether_this_version_was_refused(reason, observed, refused):
    live = {"type": status.LIVE, "reason": reason, "observedGeneration": observed}
    assert status.was_refused({"metadata": {"generation": 2}, "status": {"conditions": [live]}}) is refused
