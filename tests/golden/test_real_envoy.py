"""Real Envoys send the calls of the cases where the in-process matcher says."""

import pytest
from tests.calls import matcher, real, script
from tests.calls.real_inbound import RealInbound
from tests.golden import cases

CALLS = [folder for folder in cases.folders() if (folder / "calls.txt").exists()]


@pytest.mark.envoy
@pytest.mark.parametrize("folder", CALLS, ids=lambda folder: str(folder.relative_to(cases.ROOT)))
def test_a_real_envoy_agrees(folder, pool, tmp_path_factory):
    case = cases.Case(folder)
    calls = script.read(folder / "calls.txt")
    for proxy, is_inbound in sorted({(call.proxy, call.is_inbound) for call in calls}):
        own = [call for call in calls if (call.proxy, call.is_inbound) == (proxy, is_inbound)]
        match = matcher.Matcher(pool, case.plan(proxy)[0], case.names())
        folder = tmp_path_factory.mktemp("envoy")
        started = RealInbound(match, case.identity(proxy), folder) if is_inbound else real.RealEnvoy(match, folder)
        with started as envoy:
            went = [str(call.with_result(envoy.follow(call, case.identity(call.caller)))) for call in own]
        assert went == [str(call.with_result(real.visible(call.result))) for call in own]
