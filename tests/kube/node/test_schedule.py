"""When probes are due: (probe, tries) -> (due at, does a failure count)."""

from typing import Any, Literal

import pytest

from semafor.kube.node import schedule
from semafor.kube.node.observed import Run, Seen, Tries

RUN = Run(id="r", started_at=100.0)
Case = tuple[str, Literal["startup", "readiness", "liveness"], dict[str, Any], Tries, float, bool]

CASES: list[Case] = [
    ("the first try waits for the delay", "readiness", {"initialDelaySeconds": 5}, Tries(), 105.0, False),
    ("liveness has no early tries", "liveness", {"periodSeconds": 10}, Tries(), 100.0, True),
    ("an early try soon after", "readiness", {}, Tries(last_at=100.0), 100.025, False),
    ("later tries are rarer", "readiness", {}, Tries(last_at=104.0), 104.4, False),
    ("at the period the try counts", "startup", {"periodSeconds": 4}, Tries(last_at=103.9), 104.0, True),
    ("a command is started less often", "startup", {"exec": {}}, Tries(last_at=100.0), 100.25, False),
    (
        "after a success the period rules",
        "readiness",
        {"periodSeconds": 7},
        Tries(last_at=101.0, counted_at=101.0, successes=1, found=True, passed=True),
        108.0,
        True,
    ),
    (
        "so it does after readiness was lost",
        "readiness",
        {"periodSeconds": 7},
        Tries(last_at=120.0, counted_at=120.0, failures=3, found=True, passed=False),
        127.0,
        True,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_next_try(case: Case) -> None:
    _, kind, probe, tries, due, counted = case
    assert schedule.next_try(kind, probe, tries, RUN) == pytest.approx(due)
    seen = Seen(run=RUN, **{kind: tries})
    assert schedule.probe("app", kind, probe, seen, due).counted is counted
