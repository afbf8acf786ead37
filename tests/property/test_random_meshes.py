"""For random meshes, the in-process matcher, `explain` and a real Envoy send each of many random requests to one place.

A few big meshes with one Envoy for each caller, because an Envoy takes longer to start than to answer a thousand
requests. The numbers are the same at every run; SEMAFOR_MESHES=200 takes that many others, drawn anew.
A mesh that fails is left as a golden case in a folder that the message names.
"""

import os
import random
import re

import pytest
import ryaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.calls import matcher, real, script, told
from tests.golden import cases
from tests.property import meshes

from semafor import ir

MESHES = int(os.environ.get("SEMAFOR_MESHES", "0"))
REQUESTS = 500  # for each caller
pytestmark = [pytest.mark.envoy, pytest.mark.timeout(600 if not MESHES else 60 + 60 * MESHES)]


@settings(
    max_examples=MESHES or 3,
    derandomize=not MESHES,
    database=None,
    deadline=None,
    phases=[Phase.generate],  # to shrink a number makes no mesh smaller
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(0, 2**32))
def test_the_matcher_and_envoy_agree(pool, tmp_path_factory, number):
    rng = random.Random(number)
    folder = tmp_path_factory.mktemp(f"mesh-{number}-")
    (folder / "in.yaml").write_text("---\n".join(str(ryaml.dumps(each)) for each in meshes.documents(rng)))
    case = cases.Case(folder)
    for caller in meshes.CALLERS:
        calls = [script.parse(f"{meshes.request(rng)} from={caller} -> ?") for _ in range(REQUESTS)]
        plan = case.plan(caller)[0]
        match = matcher.Matcher(pool, plan, case.names())
        with real.RealEnvoy(match, tmp_path_factory.mktemp("envoy")) as envoy:
            wrong = [line for call in calls if (line := _disagreement(match, plan, envoy, call))]
        assert not wrong, f"{len(wrong)} of {REQUESTS} of mesh {number}, {folder}:\n" + "\n".join(wrong[:20])


def _disagreement(match: matcher.Matcher, plan: ir.Plan, envoy: real.RealEnvoy, call: script.Call) -> str:
    """All answers, if Envoy's is none of those that the matcher and `explain` hold possible."""
    expected, explained = match.follow(call), told.follow(match, plan, call)
    answer = envoy.follow(call)
    agree = all(answer in possible(real.visible(each)) for each in (expected, explained))
    return "" if agree else f"{call.text} -> {expected}, explained as {explained}, but Envoy: {answer}"


def possible(expected: str) -> set[str]:
    """What one request can get, of a result with shares."""
    # Not at the commas between the changes in brackets.
    parts = re.split(r", (?![^(]*\))(?=(?:[^,(]|\([^)]*\))*%)", expected)
    return {re.sub(r" [\d.e+-]+%", "", part) for part in parts}
