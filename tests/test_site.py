"""The documents make a site: every link leads somewhere, and every page is in its tree."""

import subprocess
import sys

import pytest
from tests.documents import ROOT

pytestmark = pytest.mark.machine


def test_the_site_is_built_without_a_warning(tmp_path):
    built = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "dummy",
        str(ROOT / "docs"),
        str(tmp_path),
    ]
    done = subprocess.run(built, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
