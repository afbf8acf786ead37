"""For random policies, `explain` tells who gets in as the in-process matcher does, which reads the rendered bytes.

tests/property asks real Envoys.
"""

import random

import pytest
import ryaml
from tests.calls import matcher, script, told
from tests.golden import cases
from tests.property import policies

CALLS = 200


@pytest.mark.parametrize("number", range(12))
def test_explain_and_the_matcher_agree_on_who_gets_in(pool, tmp_path, number):
    rng = random.Random(number)
    (tmp_path / "in.yaml").write_text("---\n".join(str(ryaml.dumps(each)) for each in policies.documents(rng)))
    case = cases.Case(tmp_path)
    plans = {f"default/{pod}": case.plan(f"default/{pod}")[0] for pod in policies.CALLED}
    match = {pod: matcher.Matcher(pool, plan, case.names()) for pod, plan in plans.items()}
    calls = [script.parse(f"{policies.call(rng)} -> ?") for _ in range(CALLS)]
    found, expected = [], []
    for call in calls:
        pod, identity = f"default/{call.proxy}", case.identity(call.caller)
        found.append(str(call.with_result(told.follow(match[pod], plans[pod], call, identity))))
        expected.append(str(call.with_result(match[pod].follow(call, identity))))
    assert found == expected
