"""Meshes of test runs that were killed half-way: the next run ends and removes them."""

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

from semafor.app.home import Home

_OWNER = "owner"
_PATIENCE_S = 20


def claim(folder: Path) -> None:
    """Say in the folder of a mesh whose it is: this process, with the time of its start."""
    (folder / _OWNER).write_text(_process(os.getpid()))


def sweep(parent: Path = Path("/tmp")) -> list[Path]:
    """End and remove what nobody is left to end; return the folders."""
    claims = [claim for claim in parent.glob(f"semafor-*/{_OWNER}") if claim.stat().st_uid == os.geteuid()]
    gone = [claim.parent for claim in claims if _process(int(claim.read_text().split()[0])) != claim.read_text()]
    for folder in gone:
        _end(Home(folder / "state"))
        shutil.rmtree(folder, ignore_errors=True)
    return gone


def _process(pid: int) -> str:
    """The process by its id and its start: ids are used again."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return f"{pid} gone"
    return f"{pid} {stat.rpartition(')')[2].split()[19]}"


def _end(home: Home) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while (pid := home.running_pid()) is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL)
        time.sleep(0.2)
