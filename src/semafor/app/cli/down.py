"""`semafor down`: stop the daemon and everything it started."""

import os
import shutil
import signal
import time

import click

from semafor.app import kubeconfig
from semafor.app.cli import output
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.kube.node import pod_folder

_POLITE_S = 20.0
_FORCED_S = 5.0


@click.command()
@click.option("--purge", is_flag=True, help="Forget the state as well: objects, images, certificates.")
def command(*, purge: bool) -> None:
    """Stop the mesh. Objects are kept: the next `semafor up` starts the same pods again.

    \b
    Example:
      semafor down --purge
    """
    home = Home.find()
    stopped = stop(home)
    if purge and home.path.exists():
        remove(home)
    print("The mesh is stopped." if stopped else "No mesh was running here.", end="")
    print(f" {home.path} is removed." if purge else "")


def stop(home: Home) -> bool:
    """Stop the daemon of `home`; False when none ran. Nothing of it is left when this returns."""
    pid = home.running_pid()
    if pid is not None:
        with output.waiting("stopping the mesh"):
            os.kill(pid, signal.SIGTERM)
            if not _gone(home, _POLITE_S):
                os.kill(pid, signal.SIGKILL)
                if not _gone(home, _FORCED_S):
                    raise Failure(f"process {pid} does not end", f"look at {home.log}")
    _forget(home)
    if home.sockets != home.path / "run":
        shutil.rmtree(home.sockets, ignore_errors=True)
    return pid is not None


def remove(home: Home) -> None:
    """Delete the state folder. It must look like one, so that a mistyped SEMAFOR_HOME deletes nothing."""
    strange = {entry.name for entry in home.path.iterdir()} - home.known_entries()
    if strange:
        raise Failure(
            f"{home.path} holds what Semafor did not put there: {', '.join(sorted(strange))}", "remove it yourself"
        )
    pod_folder.remove(home.path)
    if home.path.exists():
        raise Failure(f"{home.path} could not be removed whole", f"remove the rest: rm -rf {home.path}")


def _gone(home: Home, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while home.running_pid() is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _forget(home: Home) -> None:
    """Take our context out of the user's kubeconfig; the one that was current before is current again."""
    path, note = kubeconfig.user_file(), home.path / "previous-context"
    try:
        config = kubeconfig.read(path)
        previous = note.read_text() if note.exists() else ""
        fresh = kubeconfig.without(config, home.context, previous)
        if path.exists() and fresh != config:
            kubeconfig.write(path, fresh)
        note.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        output.note(f"note: {path} was left alone ({error})")
