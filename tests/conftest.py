"""For all tests."""

import asyncio
import os

from hypothesis import settings

# The asyncio plugins ask for a loop before the first test that has one, and would leave the one open that they get.
asyncio.set_event_loop(None)

settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("thorough", max_examples=150, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
