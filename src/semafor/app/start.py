"""`python -m semafor.app.start HOME`: the daemon as a process, which reports one line: ready, or refused.

The garbage collector rests while everything is loaded: nothing of it is garbage, and looking through it time and again
takes a tenth of the start.
"""

import argparse
import asyncio
import contextlib
import errno
import gc
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semafor.app.home import Home

log = logging.getLogger("semafor")

Say = Callable[[dict[str, Any]], None]

_MENDS = {
    errno.ENOSPC: "free some space there, or choose another folder with SEMAFOR_HOME",
    errno.EDQUOT: "free some of your quota there, or choose another folder with SEMAFOR_HOME",
    errno.EROFS: "choose another folder with SEMAFOR_HOME",
    errno.EMFILE: "raise the limit of open files: ulimit -n 4096",
}


def main() -> None:
    """Hold the home, and run the mesh."""
    gc.disable()
    from semafor.app.home import Home

    arguments = _arguments()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    report = os.fdopen(arguments.report, "w")
    home = Home(arguments.home)

    def say(document: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the command that wanted to know may have ended meanwhile
            if not report.closed:
                report.write(json.dumps(document) + "\n")
                report.close()

    try:
        home.create()
        with home.held():
            _run(arguments, home, say)
    except BlockingIOError:
        say({"held": f"another daemon holds {home.path}", "fix": "wait for it, or stop it: semafor down"})
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - whatever it is, the user is to hear of it
        say(_told(error))
        sys.exit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="semafor.app.start")
    parser.add_argument("home", type=Path)
    parser.add_argument("--report", type=int, default=1)
    parser.add_argument("--profile", default="")
    parser.add_argument("--port", type=int, default=0)
    # The machine's monotonic clock when the command began, so that `seconds` is what the user has waited.
    parser.add_argument("--started", type=float, default=time.monotonic())
    return parser.parse_args()


def _run(arguments: argparse.Namespace, home: "Home", say: Say) -> None:
    import uvloop

    try:
        uvloop.run(_live(arguments, home, say))
    finally:
        home.state.unlink(missing_ok=True)


def _told(error: Exception) -> dict[str, Any]:
    """Why the daemon ends, for its log and for the command that started it."""
    from semafor.app.refused import Refused
    from semafor.ca.keys import KeyFileError
    from semafor.kube.store import StoreError

    cause = _first(error)
    match cause:
        case Refused():
            log.error("%s", cause)
            return {"error": str(cause), "fix": cause.fix}
        case KeyFileError():  # its message says how to mend it
            log.error("%s", cause)
            return {"error": str(cause)}
        case StoreError():
            log.error("%s", cause)
            return {"error": str(cause), "fix": "put a copy in its place, or move it away and begin without objects"}
    log.error("the daemon failed", exc_info=error)
    if isinstance(cause, OSError) and cause.strerror:
        place = cause.filename2 or cause.filename
        where = f": {place}" if place else ""
        return {"error": f"the daemon cannot go on: {cause.strerror}{where}", "fix": _MENDS.get(cause.errno or 0, "")}
    return {"error": f"the daemon failed: {type(cause).__name__}: {cause}"}


def _first(error: BaseException) -> BaseException:
    """The cause of what may be groups within groups."""
    found = error
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


async def _live(arguments: argparse.Namespace, home: "Home", say: Say) -> None:
    """Until told to end."""
    from semafor.app.daemon import Daemon, Settings

    daemon = Daemon(home, Settings(arguments.profile, arguments.port))
    running = asyncio.ensure_future(daemon.run(arguments.started, say))

    def end() -> None:
        home.state.unlink(missing_ok=True)  # first: whoever asks now is not to rely on this daemon
        running.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    with contextlib.suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    main()
