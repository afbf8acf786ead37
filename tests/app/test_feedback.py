"""What proxies say, as statuses tell it."""

import pytest

from semafor import ir
from semafor.app.feedback import Feedback
from semafor.app.liveness import Count
from semafor.base import xds
from semafor.base.problem import ObjectRef
from semafor.xds.session import Refused, Settled

OLD, NEW = (ObjectRef(kind="VirtualService", name=name, namespace="shop") for name in ("old", "new"))
HOSTS = tuple(
    ir.VirtualHost(name=ref.name, domains=(ref.name,), routes=(), origin=ir.Origin(ref=ref)) for ref in (OLD, NEW)
)
PLAN = ir.Plan(proxy="a", routes=(ir.RouteTable(name="80", hosts=HOSTS),))


class Heard(list):
    def __call__(self, problems):
        self.extend((problem.ref, problem.reason) for problem in problems)


@pytest.fixture
def held() -> Heard:
    return Heard()


@pytest.fixture
def feedback(held) -> Feedback:
    made = Feedback(lambda proxy, _generation=None: PLAN if proxy in "ab" else None, held)
    made.planned([OLD], [], 1)
    made.planned([NEW], [], 2)
    made.connected("a", "node id")
    return made


def refused(generation: int, *names: str) -> Refused:
    return Refused(type_url=xds.ROUTES, generation=generation, names=names, message="bad regex")


def test_a_rule_is_counted_where_it_has_settled(feedback):
    feedback.settled("a", Settled(generation=1))
    feedback.settled("b", Settled(generation=2))
    assert feedback.count(NEW) == Count(have=1, of=2)


def test_a_proxy_that_has_just_come_takes_no_rule_back(feedback):
    feedback.settled("a", Settled(generation=2))
    feedback.connected("b", "node id")
    assert feedback.count(NEW) == Count(have=1, of=1)


def test_proxies_that_get_no_rules_do_not_count(feedback):
    feedback.connected("node", "node id")
    feedback.settled("node", Settled(generation=2))
    assert feedback.count(NEW) == Count(have=0, of=0)


def test_a_proxy_that_has_gone_does_not_count(feedback):
    feedback.settled("a", Settled(generation=2))
    feedback.disconnected("a")
    assert feedback.count(NEW) == Count(have=0, of=0)


def test_the_rule_that_changed_last_is_blamed(feedback, held):
    feedback.refused("a", refused(2, "80"))
    assert (list(feedback.problems()), held) == ([NEW], [(NEW, "RefusedByProxy")])


def test_a_rule_that_the_refused_plan_did_not_have_is_not_blamed(feedback):
    feedback.refused("a", refused(1, "80"))
    assert list(feedback.problems()) == [OLD]


def test_a_refusal_by_many_is_one_problem(feedback):
    for proxy in "ab":
        feedback.refused(proxy, refused(2, "80"))
    assert [len(problems) for problems in feedback.problems().values()] == [1]


def test_a_refusal_ends_when_the_proxy_settles_without_it(feedback):
    feedback.refused("a", refused(2, "80"))
    feedback.settled("a", Settled(generation=2, refused=((xds.ROUTES, "80"),)))
    assert feedback.refusing
    feedback.settled("a", Settled(generation=3))
    assert (feedback.refusing, feedback.problems()) == (False, {})


def test_a_refusal_that_nobody_is_blamed_for_leaves_what_changed_with_it_out_of_the_count(feedback):
    feedback.settled("a", Settled(generation=1))
    feedback.refused("a", refused(2, "of nobody"))
    feedback.settled("a", Settled(generation=2, refused=((xds.ROUTES, "of nobody"),)))
    assert (feedback.count(OLD), feedback.count(NEW)) == (Count(have=1, of=1), Count(have=0, of=1))
    feedback.settled("a", Settled(generation=3))
    assert feedback.count(NEW) == Count(have=1, of=1)


def test_a_rule_that_is_removed_is_not_planned_any_more(feedback):
    feedback.planned([], [NEW], 3)
    assert (feedback.is_planned(OLD), feedback.is_planned(NEW)) == (True, False)
