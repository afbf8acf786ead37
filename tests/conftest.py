"""For all tests."""

import asyncio

# The asyncio plugins ask for a loop before the first test that has one, and would leave the one open that they get.
asyncio.set_event_loop(None)
