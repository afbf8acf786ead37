"""Lets the tests of this folder, and others', import `fakes`."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# The asyncio plugins ask for a loop before the first test that has one, and would leave the one open that they get.
asyncio.set_event_loop(None)
