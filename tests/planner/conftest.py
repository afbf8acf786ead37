"""The repository on the path of imports, so that these tests can share the objects of the golden cases."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
