"""`semafor down`: stop the daemon and everything it started."""

import contextlib
import os
import select
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
_TRIES = 50  # a process that ends is one more for a moment


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
    daemon = _daemon(home)
    if daemon is not None:
        with output.waiting("stopping the mesh"):
            _end(daemon, home)
    _forget(home)
    if home.sockets != home.path / "run":
        shutil.rmtree(home.sockets, ignore_errors=True)
    return daemon is not None


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


def _daemon(home: Home) -> int | None:
    """A descriptor of the daemon's process, which no other process can come to stand for; None when none runs."""
    for _ in range(_TRIES):
        if (pid := home.running_pid()) is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            found = os.pidfd_open(pid)
            if home.running_pid() == pid:
                return found
            os.close(found)
        time.sleep(0.02)
    raise Failure(f"the mesh of {home.path} runs where this command sees no processes", "stop it from there")


def _end(daemon: int, home: Home) -> None:
    try:
        for number, patience_s in ((signal.SIGTERM, _POLITE_S), (signal.SIGKILL, _FORCED_S)):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(daemon, number)
            if select.select([daemon], [], [], patience_s)[0]:  # readable once the process has ended
                return
    finally:
        os.close(daemon)
    raise Failure(f"the daemon (process {home.running_pid()}) does not end", f"look at {home.log}")


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
