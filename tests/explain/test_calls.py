"""`explain` tells of the calls of the golden cases what becomes of them."""

import pytest
from tests.calls import matcher, script, told
from tests.golden import cases

# What EnvoyFilters change is in no plan: that they do is all that is told.
CALLS = [path for path in cases.folders() if (path / "calls.txt").exists() and path.parent.name != "patch"]


@pytest.mark.parametrize("folder", CALLS, ids=lambda folder: str(folder.relative_to(cases.ROOT)))
def test_what_is_told_of_a_call_is_what_becomes_of_it(folder, pool):
    case = cases.Case(folder)
    calls = [call for call in script.read(folder / "calls.txt") if not call.certificate]
    plans = {proxy: case.plan(proxy)[0] for proxy in {call.proxy for call in calls}}
    match = {proxy: matcher.Matcher(pool, plan, case.names()) for proxy, plan in plans.items()}
    found = [
        call.with_result(told.follow(match[call.proxy], plans[call.proxy], call, case.identity(call.caller)))
        for call in calls
    ]
    assert [str(call) for call in found] == [str(call) for call in calls]
