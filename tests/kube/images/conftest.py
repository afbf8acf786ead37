"""Real homes, real builds: everything here runs in namespaces of its own below a temporary folder."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from semafor.kube.images import machine
from semafor.kube.images.builder import Event
from semafor.kube.images.image import Image
from semafor.kube.images.library import Images
from semafor.kube.images.steps import Step, Steps

# The plugin looptime asks for a loop before tests that have none, and would leave one open that asyncio makes for it.
asyncio.set_event_loop(None)


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all tests of a process, because the Python environment takes a second to make."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def images(shared_home: Path) -> Images:
    return Images(shared_home, os.environ)


@pytest.fixture
def fresh(tmp_path: Path) -> Images:
    """A home that no other test has used."""
    return Images(tmp_path / "home", os.environ)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    return folder


@pytest.fixture
def events() -> list[Event]:
    return []


async def run(images: Images, image: Image, *argv: str) -> tuple[int, str]:
    """Run a command in a container of the image; its exit code and output."""
    lines: list[str] = []
    steps = Steps(images._shelf, images.host, machine.Machine())
    command = {"argv": argv, "env": dict(image.env), "cwd": image.workdir}
    step = Step(layers=image.layers, binds=image.binds, run=command)
    layer, code = await steps.carry_out(f"test-{os.urandom(6).hex()}", step, lines.append)
    del layer
    return code, "\n".join(lines)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Our httpbin, started as the image starts it; its base URL."""
    import socket
    import subprocess
    import sys
    import time

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    programs = Path(machine.__file__).parent / "programs"
    process = subprocess.Popen(
        [sys.executable, "-P", "-s", "-S", "-m", "httpbin", "-b", f"127.0.0.1:{port}", "httpbin:app"],
        env={"PYTHONPATH": str(programs)},
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()
