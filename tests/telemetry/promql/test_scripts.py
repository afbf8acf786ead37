"""PromQL as a table: each script under `cases` is a load of samples, queries, and what they answer."""

from pathlib import Path

import pytest
from tests.telemetry.script import Script

CASES = sorted((Path(__file__).parent / "cases").glob("*.test"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_queries_answer_as_the_script_says(path):
    wrong = [(line, query, why) for line, query, why in Script(path.read_text()).run() if why]
    assert wrong == []
