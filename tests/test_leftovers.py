"""A killed test run leaves a mesh; the next one finds it by whose it was."""

import os
import subprocess
import sys
from pathlib import Path

from tests import leftovers

# A daemon as far as this matters: it holds its home, and ends when it is told to.
_HOLDS = """
import fcntl, os, signal, sys
lock = open(sys.argv[1], "a+")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.write(str(os.getpid()))
lock.flush()
print("held", flush=True)
signal.pause()
"""


def folder(parent: Path, owner: str) -> Path:
    made = parent / f"semafor-mesh-{owner}"
    (made / "state").mkdir(parents=True)
    (made / "owner").write_text(f"{owner} 1")
    return made


def test_the_mesh_of_a_killed_run_is_ended_and_removed(tmp_path):
    left = folder(tmp_path, "999999999")
    argv = [sys.executable, "-c", _HOLDS, str(left / "state" / "daemon.lock")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout.readline() == b"held\n"
        assert leftovers.sweep(tmp_path) == [left]
        assert daemon.wait(10) == -15
    assert not left.exists()


def test_the_mesh_of_a_run_that_goes_on_is_left_alone(tmp_path):
    other, own = folder(tmp_path, str(os.getpid())), folder(tmp_path, "own")
    leftovers.claim(own)
    assert leftovers.sweep(tmp_path) == [other]  # the same id, but an older process
    assert own.exists()
    assert (own / "owner").read_text().split()[0] == str(os.getpid())
