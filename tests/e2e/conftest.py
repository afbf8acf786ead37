"""A running mesh for end-to-end tests: as an ordinary user and, where the tests run as root, as root too."""

import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import leftovers
from tests.e2e.machine import USER_ID, Machine, interpreter_for_others

AS = ("user", "root") if os.geteuid() == 0 else ("user",)


def machine(who: str, name: str) -> Machine:
    """A machine of a fresh home. Its folder is short and open to other users, unlike pytest's own."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    folder = Path(tempfile.mkdtemp(prefix=f"semafor-{name}-", dir="/tmp"))
    leftovers.claim(folder)
    folder.chmod(0o755)
    if who == "root" or os.geteuid() != 0:
        return Machine(folder, python=sys.executable)
    python = interpreter_for_others()
    if python is None:
        pytest.skip("no Python of this version that an ordinary user can run: install the distribution's")
    return Machine(folder, python=python, user=USER_ID)


@pytest.fixture(scope="session", autouse=True)
def _swept() -> None:
    leftovers.sweep()


@pytest.fixture(scope="session", params=AS)
def mesh(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """A mesh that all tests of one user share; each test works in a namespace of its own."""
    made = machine(request.param, "mesh")
    try:
        made.semafor("up")
        yield made
    finally:
        made.end()


@pytest.fixture
def alone(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """A machine without a mesh yet, for one test; as an ordinary user where that is possible."""
    made = machine("user", "alone")
    try:
        yield made
    finally:
        made.end()


@pytest.fixture
def namespace(mesh: Machine, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace with injection, gone after the test."""
    number = zlib.crc32(request.node.name.encode()) % 10_000
    name = request.node.originalname.removeprefix("test_").replace("_", "-")[:20].strip("-") + f"-{number}"
    mesh.kubectl("create", "namespace", name)
    mesh.kubectl("label", "namespace", name, "istio-injection=enabled")
    yield name
    mesh.kubectl("delete", "namespace", name, "--wait=false")
