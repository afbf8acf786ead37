"""The same builds by a user who owns nothing but a home folder: in a process of its own, started by root."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.machine

UNUSED_UID = 54321

SCRIPT = """
import asyncio, os, sys
from pathlib import Path
from semafor.kube.images.library import Images
home, context = map(Path, sys.argv[1:])
images = Images(home, os.environ)
image = asyncio.run(images.build(context, tag="mine", progress=lambda event: print(event.text)))
print(os.getuid(), image.size_bytes > 0, images.find("mine") == image)
"""
DOCKERFILE = """FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip --version && touch /usr/local/lib/mine /etc/mine /opt/mine /usr/share/mine && mkdir -p /var/lib/mine
RUN chown 1000:1000 app.py && rm /etc/services /usr/local/lib/mine && id -u
RUN useradd --system --no-create-home somebody; grep somebody /etc/passwd
"""


def python_for_everyone() -> str | None:
    """An interpreter of our version that other users may run: ours may lie in a private folder."""
    for path in (os.path.realpath(sys.executable), f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        readable = all(parent.stat().st_mode & 0o005 == 0o005 for parent in Path(path).parents) and Path(path).exists()
        if readable:
            return path
    return None


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user; all other tests then run as one")
@pytest.mark.skipif(python_for_everyone() is None, reason="no interpreter that another user may run")
def test_an_ordinary_user_builds_as_root_does(public):
    home, context = public / "home", public / "context"
    for folder in (home, context):
        folder.mkdir()
        os.chown(folder, UNUSED_UID, UNUSED_UID)
    (context / "Dockerfile").write_text(DOCKERFILE)
    (context / "app.py").write_text("print(1)")
    paths = ":".join([str(Path(__file__).parents[3] / "src"), *(path for path in sys.path if "site-packages" in path)])
    done = subprocess.run(
        [python_for_everyone() or "", "-B", "-c", SCRIPT, str(home), str(context)],
        env={"PYTHONPATH": paths, "HOME": str(home), "PATH": os.environ["PATH"]},
        user=UNUSED_UID,
        group=UNUSED_UID,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == [f"{UNUSED_UID} True True"], done.stdout + done.stderr
    assert "\nsomebody:" in done.stdout
