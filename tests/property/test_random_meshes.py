"""For random meshes, the in-process matcher and a real Envoy send each of many random requests to the same place.

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
from tests.calls import matcher, real, script
from tests.golden import cases
from tests.property import meshes

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
        match = matcher.Matcher(pool, case.plan(caller)[0], case.names())
        with real.RealEnvoy(match, tmp_path_factory.mktemp("envoy")) as envoy:
            wrong = [line for call in calls if (line := _disagreement(match, envoy, call))]
        assert not wrong, f"{len(wrong)} of {REQUESTS} of mesh {number}, {folder}:\n" + "\n".join(wrong[:20])


def _disagreement(match: matcher.Matcher, envoy: real.RealEnvoy, call: script.Call) -> str:
    """Both answers, if Envoy's is none of those that the matcher holds possible."""
    expected = match.follow(call)
    answer = envoy.follow(call)
    return "" if answer in possible(real.visible(expected)) else f"{call.text} -> {expected}, but Envoy: {answer}"


def possible(expected: str) -> set[str]:
    """What one request can get, of a result with shares."""
    parts = re.split(r", (?=[^,]*%)", expected)
    return {re.sub(r" [\d.e+-]+%", "", part) for part in parts}
