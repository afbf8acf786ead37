from semafor.app.liveness import Count, Liveness
from semafor.app.status import differs_in_numbers, status
from semafor.base.problem import ObjectRef, Problem

RULE = ObjectRef(kind="VirtualService", name="model", namespace="default")


def test_an_object_is_live_in_the_proxies_that_settled_at_or_after_its_generation():
    liveness = Liveness()
    liveness.changed([RULE], 3)
    liveness.settled("a", 2)
    liveness.settled("b", 3)
    assert liveness.count(RULE) == Count(have=1, of=2)
    liveness.settled("a", 5)
    assert liveness.count(RULE) == Count(have=2, of=2)


def test_a_change_takes_an_object_back_to_not_live():
    liveness = Liveness()
    liveness.changed([RULE], 1)
    liveness.settled("a", 1)
    liveness.changed([RULE], 2)
    assert liveness.count(RULE) == Count(have=0, of=1)


def test_a_proxy_that_left_counts_no_more():
    liveness = Liveness()
    liveness.changed([RULE], 1)
    liveness.settled("a", 1)
    liveness.left("a")
    assert str(liveness.count(RULE)) == "no proxy is connected"


def test_a_status_that_says_the_same_keeps_its_time():
    first = status({}, 1, Count(have=2, of=2), (), "2026-01-01T00:00:00Z")
    assert status(first, 1, Count(have=2, of=2), (), "2026-02-02T00:00:00Z") == first


def test_a_number_is_no_news_while_an_object_is_live():
    said = [status({}, 1, count, (), "2026-01-01T00:00:00Z") for count in (Count(2, 2), Count(3, 3), Count(2, 3))]
    assert [differs_in_numbers(said[0], each) for each in said[1:]] == [True, False]


def test_a_refusal_is_told_with_the_proxys_words():
    refusal = Problem(ref=RULE, path="spec.http[0]", reason="RefusedByProxy", message="bad regex", severity="error")
    fresh = status({}, 4, Count(have=0, of=1), (refusal,), "2026-01-01T00:00:00Z")
    assert fresh["conditions"] == [
        {
            "status": "False",
            "reason": "RefusedByProxy",
            "message": "bad regex",
            "type": "Live",
            "observedGeneration": 4,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ]
    assert fresh["validationMessages"][0]["message"] == "spec.http[0]: bad regex"
