"""The objects of whole installations, as files that are read like code.

`pytest tests/golden tests/installation --rewrite -k agreed` writes them.
"""

from pathlib import Path

import pytest
import yaml

from semafor import installation
from semafor.installation import Layer, machine, spec

CASES = sorted(path.parent for path in (Path(__file__).parent / "golden").glob("*/in.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_objects_are_as_agreed(case, request):
    written = yaml.safe_load((case / "in.yaml").read_text())
    made, _ = installation.resolve([Layer(spec.ref("a"), written)])
    documents = [each for part in installation.render(made, machine.CHARTS) for each in part.documents]
    agreed = case / "objects.yaml"
    if request.config.getoption("--rewrite", default=False):
        agreed.write_text(yaml.safe_dump_all(documents, sort_keys=False))
    assert list(yaml.safe_load_all(agreed.read_text())) == documents
