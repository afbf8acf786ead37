"""PromQL as a table: each script under `cases` is a load of samples, queries, and what they answer."""

import os
from pathlib import Path

import pytest
from tests.telemetry.script import Script

CASES = sorted((Path(__file__).parent / "cases").glob("*.test"))
# Prometheus's own files, where somebody has them: SEMAFOR_PROMQL_TESTS names the folder (`make promql` fetches them).
UPSTREAM = sorted(Path(os.environ.get("SEMAFOR_PROMQL_TESTS", "/nowhere")).glob("*.test"))
# Files of 2.55 that want a Prometheus which is started with switches for what is experimental.
SWITCHED = {"name_label_dropping", "native_histograms"}
# The version with which answers are compared (2.42) carries counters on to the beginning otherwise than 2.54 and later.
CARRIED_ON = {"increase(http_requests[100m])", "rate(testcounter_zero_cutoff[20m])"}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_queries_answer_as_the_script_says(path):
    wrong = [(line, query, why) for line, query, why in Script(path.read_text()).run() if why]
    assert wrong == []


@pytest.mark.skipif(not UPSTREAM, reason="SEMAFOR_PROMQL_TESTS names no folder with tests of Prometheus")
@pytest.mark.parametrize("path", UPSTREAM, ids=lambda path: path.stem)
def test_prometheus_own_scripts(path):
    if path.stem in SWITCHED:
        pytest.skip("experimental in Prometheus 2")
    wrong = [each for each in Script(path.read_text()).run() if each[2] and each[1] not in CARRIED_ON]
    assert wrong == []
