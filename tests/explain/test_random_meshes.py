"""For random meshes, `explain` tells of random requests what the in-process matcher finds in the rendered bytes.

That the matcher is right is held against real Envoys in tests/property, which ask `explain` too.
"""

import random

import pytest
import ryaml
from tests.calls import matcher, script, told
from tests.golden import cases
from tests.property import meshes

REQUESTS = 150  # for each caller


@pytest.mark.parametrize("number", range(8))
def test_explain_and_the_matcher_agree(pool, tmp_path, number):
    rng = random.Random(number)
    (tmp_path / "in.yaml").write_text("---\n".join(str(ryaml.dumps(each)) for each in meshes.documents(rng)))
    case = cases.Case(tmp_path)
    for caller in meshes.CALLERS:
        plan = case.plan(caller)[0]
        match = matcher.Matcher(pool, plan, case.names())
        calls = [script.parse(f"{meshes.request(rng)} from={caller} -> ?") for _ in range(REQUESTS)]
        found = [str(call.with_result(told.follow(match, plan, call))) for call in calls]
        assert found == [str(call.with_result(match.follow(call))) for call in calls]
