"""A room of real pods for a test."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.kube.node.machine_room import Room, room

# Python makes an event loop for whoever asks for the current one, pytest-asyncio asks, and nobody closes it: a warning,
# hence a failure, in whichever test the garbage is collected. Saying that there is none avoids making it.
asyncio.set_event_loop(None)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Room]:
    async with room(tmp_path) as made:
        yield made
