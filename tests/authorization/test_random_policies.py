"""Random policies let pass what the reference lets pass: in process, and for a part of them by a real Envoy.

The numbers are the same at every run; SEMAFOR_POLICIES=5000 takes as many others, drawn anew.
"""

import os
import random

import pytest
import ryaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.authorization import random_policies, trial
from tests.authorization.trial import Trial

SETS = int(os.environ.get("SEMAFOR_POLICIES", "0"))
_FEW = 150 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 15
REQUESTS = 40  # for each set of policies
REAL_SETS, REAL_REQUESTS = 30, 20  # of one Envoy
_COMMON = settings(
    derandomize=not SETS,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(300 + SETS)
@settings(_COMMON, max_examples=SETS or _FEW)
@given(st.integers(0, 2**32))
def test_the_mesh_means_what_the_reference_says(pool, number):
    rng = random.Random(number)
    made = Trial(pool, random_policies.policies(rng))
    assert made.serious() == []
    for asked in (random_policies.asked(rng) for _ in range(REQUESTS)):
        assert made.in_process(asked) == made.judged(asked), _story(number, made, asked)


@pytest.mark.envoy
@pytest.mark.timeout(300 + SETS)
@settings(_COMMON, max_examples=max(1, SETS // REAL_SETS))
@given(st.integers(0, 2**32))
def test_a_real_envoy_does_what_the_reference_says(pool, tmp_path_factory, number):
    rng = random.Random(number)
    made = {f"pod-{index}": Trial(pool, random_policies.policies(rng)) for index in range(REAL_SETS)}
    with trial.real(made, tmp_path_factory.mktemp("envoy")) as envoy:
        for name, one in made.items():
            for asked in (random_policies.asked(rng) for _ in range(REAL_REQUESTS)):
                assert trial.passes(envoy, name, asked) == one.judged(asked), _story(number, one, asked)


def _story(number, made, asked):
    """What to look at when the two differ."""
    return f"set {number}: {asked}\n" + "---\n".join(str(ryaml.dumps(each)) for each in made.policies)
