import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from world import World


@pytest.fixture(scope="module")
def world():
    """In a folder that proxies, which are users of their own, can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        made = World(Path(folder))
        try:
            made.start()
            yield made
        finally:
            made.stop()
