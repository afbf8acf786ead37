"""Run a program that must not outlive its parent: `python -IS tether.py PARENT PROGRAM ARGUMENTS...`.

The kernel kills this process when its parent ends, however that happens; the program it becomes inherits that.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: str, *argv: str) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):  # it ended before we could ask
        sys.exit(1)
    os.execv(argv[0], argv)  # noqa: S606 - a list of arguments, no shell


if __name__ == "__main__":
    main(*sys.argv[1:])
