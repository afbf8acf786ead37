"""`python -m semafor.app.start HOME`: the daemon as a process, which reports one line: ready, or refused.

The garbage collector rests while everything is loaded: nothing of it is garbage, and looking through it time and again
takes a tenth of the start.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger("semafor")

Say = Callable[[dict[str, Any]], None]


def main() -> None:
    """Hold the home, and run the mesh."""
    gc.disable()
    from semafor.app.home import Home

    arguments = _arguments()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    report = os.fdopen(arguments.report, "w")
    home = Home(arguments.home)

    def say(document: dict[str, Any]) -> None:
        report.write(json.dumps(document) + "\n")
        report.close()

    try:
        home.create()
        with home.held():
            _run(arguments, say)
            home.state.unlink(missing_ok=True)
    except BlockingIOError:
        say({"error": f"another daemon holds {home.path}", "fix": "wait for it, or stop it: semafor down"})
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


def _run(arguments: argparse.Namespace, say: Say) -> None:
    import uvloop

    from semafor.app.refused import Refused

    try:
        uvloop.run(_live(arguments, say))
    except* Refused as group:
        refused = _first(group)
        log.error("%s", refused)  # noqa: TRY400 - the refusal is the whole story
        with contextlib.suppress(ValueError):  # already told that it is ready
            say({"error": str(refused), "fix": getattr(refused, "fix", "")})
        sys.exit(1)


def _first(group: BaseExceptionGroup[Exception]) -> BaseException:
    """The cause of what may be groups within groups."""
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


async def _live(arguments: argparse.Namespace, say: Say) -> None:
    """Until told to end."""
    from semafor.app.daemon import Daemon, Settings
    from semafor.app.home import Home

    daemon = Daemon(Home(arguments.home), Settings(arguments.profile, arguments.port))
    running = asyncio.ensure_future(daemon.run(arguments.started, say))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    main()
