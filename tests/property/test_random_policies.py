"""For random policies, the in-process matcher, `explain` and a real Envoy let the same calls in."""

import random

import pytest
import ryaml
from tests.calls import matcher, script, told
from tests.calls.real_inbound import RealInbound
from tests.golden import cases
from tests.property import policies

CALLS = 150  # for each mesh
pytestmark = [pytest.mark.envoy, pytest.mark.timeout(600)]


@pytest.mark.parametrize("number", range(100, 104))
def test_explain_the_matcher_and_envoy_agree(pool, tmp_path_factory, number):
    rng, folder = random.Random(number), tmp_path_factory.mktemp(f"mesh-{number}-")
    (folder / "in.yaml").write_text("---\n".join(str(ryaml.dumps(each)) for each in policies.documents(rng)))
    case = cases.Case(folder)
    calls = [script.parse(f"{policies.call(rng)} -> ?") for _ in range(CALLS)]
    wrong = []
    for pod in policies.CALLED:
        plan = case.plan(f"default/{pod}")[0]
        match = matcher.Matcher(pool, plan, case.names())
        with RealInbound(match, case.identity(f"default/{pod}"), tmp_path_factory.mktemp("envoy")) as envoy:
            for call in (each for each in calls if each.host == pod):
                identity = case.identity(call.caller)
                said = (
                    match.follow(call, identity),
                    told.follow(match, plan, call, identity),
                    envoy.follow(call, identity),
                )
                wrong += [] if len(set(said)) == 1 else [f"{call.text} -> {said}"]
    assert not wrong, f"{len(wrong)} of mesh {number}, {folder}:\n" + "\n".join(wrong[:20])
