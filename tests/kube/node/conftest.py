"""A room of real pods for a test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.kube.node.machine_room import Room, room


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Room]:
    async with room(tmp_path) as made:
        yield made
