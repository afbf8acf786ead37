"""Real Envoys send the calls of the cases where the in-process matcher says."""

import pytest
from tests.calls import edge, matcher, real, script
from tests.calls.real_edge import RealEdge
from tests.calls.real_inbound import RealInbound
from tests.golden import cases

CALLS = [folder for folder in cases.folders() if (folder / "calls.txt").exists()]


@pytest.mark.envoy
@pytest.mark.parametrize("folder", CALLS, ids=lambda folder: str(folder.relative_to(cases.ROOT)))
def test_a_real_envoy_agrees(folder, pool, tmp_path_factory):
    case = cases.Case(folder)
    calls = script.read(folder / "calls.txt")
    for proxy, kind in sorted({(call.proxy, call.kind) for call in calls}):
        own = [call for call in calls if (call.proxy, call.kind) == (proxy, kind)]
        match = matcher.Matcher(pool, case.plan(proxy)[0], case.names())
        with _started(kind, match, case, proxy, tmp_path_factory.mktemp("envoy")) as envoy:
            went = [str(call.with_result(envoy.follow(call, _caller(case, call)))) for call in own]
        assert went == [str(call.with_result(real.visible(call.result))) for call in own]


def _started(kind, match, case, proxy, folder):
    if kind == "in":
        return RealInbound(match, case.identity(proxy), folder)
    if kind == "enter":
        own = case.proxy(proxy).id.rpartition(".")
        return RealEdge(match, case.identity(f"{own[2]}/{own[0]}"), folder)
    return real.RealEnvoy(match, folder)


def _caller(case, call):
    identity = case.identity(call.caller)
    return edge.Client(identity, *case.certificate(call.certificate)) if call.is_entering else identity
