"""Real Envoys send the calls of the cases where the in-process matcher says."""

import pytest
from tests.calls import matcher, real, script
from tests.golden import cases

CALLS = [folder for folder in cases.folders() if (folder / "calls.txt").exists()]


@pytest.mark.envoy
@pytest.mark.parametrize("folder", CALLS, ids=lambda folder: str(folder.relative_to(cases.ROOT)))
def test_a_real_envoy_agrees(folder, pool, tmp_path_factory):
    case = cases.Case(folder)
    calls = script.read(folder / "calls.txt")
    for caller in sorted({call.caller for call in calls}):
        own = [call for call in calls if call.caller == caller]
        match = matcher.Matcher(pool, case.plan(caller)[0], case.names())
        with real.RealEnvoy(match, tmp_path_factory.mktemp("envoy")) as envoy:
            went = [str(call.with_result(envoy.follow(call))) for call in own]
        assert went == [str(call.with_result(real.visible(call.result))) for call in own]
