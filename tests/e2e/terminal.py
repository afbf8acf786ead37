"""A real terminal for a test: a program that believes a person is typing."""

import contextlib
import os
import pty
import re
import select
import subprocess
import termios
import time
from types import TracebackType

import pytest
from tests.e2e.machine import Machine

SIZE = (30, 100)  # rows and columns


class Terminal:
    """A command of a user on a pseudo-terminal; leaving the block ends it."""

    def __init__(self, machine: Machine, *argv: str) -> None:
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, SIZE)
        self._shown = ""
        self._process: subprocess.Popen[str] = machine.start(
            *argv, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._master)

    def type(self, line: str) -> None:
        os.write(self._master, line.encode() + b"\n")

    def until(self, pattern: str, timeout_s: float = 30) -> str:
        """Wait until something that matches is on the screen, and return it; what came before is forgotten."""
        deadline = time.monotonic() + timeout_s
        while not (found := re.search(pattern, self._shown)):
            if time.monotonic() > deadline:
                pytest.fail(f"not in time on the terminal: {pattern}\n{self._shown}")
            self._read()
        self._shown = self._shown[found.end() :]
        return found[0]

    def _read(self) -> None:
        if select.select([self._master], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):  # the program has ended
                self._shown += os.read(self._master, 65536).decode(errors="replace")
