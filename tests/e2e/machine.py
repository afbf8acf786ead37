"""A user's machine for a test: a home, a user, and the commands that this user types."""

import json
import os
import shutil
import site
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
USER_ID = 54321  # an id that no machine gives to a person
_COMMAND_TIMEOUT_S = 120


class Machine:
    """Runs `semafor` and `kubectl` as one user with one home. `user` is None for whoever runs the tests."""

    def __init__(self, folder: Path, *, python: str, user: int | None = None) -> None:
        self.folder = folder
        self.home = folder / "state"
        self.user = user
        self._python = python
        self.environment = {
            "HOME": str(folder / "user"),
            "PATH": os.environ["PATH"] if user is None else "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "LANG": "C.UTF-8",
            "SEMAFOR_HOME": str(self.home),
            "KUBECONFIG": str(folder / "user" / "kubeconfig"),
            "PYTHONPATH": _packages(),
            "PYTHONDONTWRITEBYTECODE": "1",
        } | {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "SSL_CERT"))}
        (folder / "user").mkdir(parents=True)
        if user is not None:
            for path in (folder, folder / "user"):
                os.chown(path, user, user)

    def semafor(self, *arguments: str, check: bool = True, **more: Any) -> subprocess.CompletedProcess[str]:
        return self.run(self._python, "-m", "semafor", *arguments, check=check, **more)

    def begin(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        """Start a `semafor` command; the caller ends it."""
        return self.start(self._python, "-m", "semafor", *arguments, **more)

    def python(self, program: str, *arguments: str, **more: Any) -> str:
        """What a Python program prints that the user runs."""
        return self.run(self._python, "-c", program, *arguments, **more).stdout

    def kubectl(self, *arguments: str, check: bool = True, **more: Any) -> str:
        """What kubectl prints on standard output."""
        return self.run("kubectl", *arguments, check=check, **more).stdout

    def run(
        self, *argv: str, check: bool = True, timeout: float = _COMMAND_TIMEOUT_S, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as the user; a failure fails the test with all that it printed."""
        done = subprocess.run(
            argv, text=True, capture_output=True, timeout=timeout, check=False, **self.options(), **more
        )
        if check and done.returncode:
            pytest.fail(f"{' '.join(argv)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}\n{self.log()}")
        return done

    def start(self, *argv: str, **more: Any) -> subprocess.Popen[str]:
        """Start a command as the user; the caller ends it."""
        return subprocess.Popen(argv, text=True, **self.options(), **more)

    def options(self) -> dict[str, Any]:
        who: dict[str, Any] = {} if self.user is None else {"user": self.user, "group": self.user, "extra_groups": []}
        return {"env": self.environment, "cwd": self.folder, **who}

    def write(self, name: str, content: str) -> Path:
        """A file that the user can read."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def apply(self, manifest: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("kubectl", "apply", *arguments, "-f", "-", input=manifest)

    def get(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def wait(self, what: str, condition: Callable[[], Any], *, timeout_s: float = 60) -> Any:
        """The condition's first true value."""
        deadline = time.monotonic() + timeout_s
        while not (value := condition()):
            if time.monotonic() > deadline:
                pytest.fail(
                    f"not in time: {what}\n{self.kubectl('get', 'pods,events', '-A', check=False)}\n{self.log()}"
                )
            time.sleep(0.1)
        return value

    def processes(self) -> Sequence[str]:
        """Command lines of processes that belong to this home."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                except OSError:
                    continue
                if str(self.home) in line:
                    found.append(line)
        return found

    def log(self) -> str:
        log = self.home / "logs" / "daemon.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-40:]) if log.exists() else ""

    def end(self) -> None:
        """Stop the mesh and remove every trace."""
        self.semafor("down", "--purge", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def interpreter_for_others() -> str | None:
    """A Python of this very version that other users can run, or None: wheels of our environment have to fit it."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = (f"/usr/bin/{name}", f"/usr/local/bin/{name}")
    return next((each for each in candidates if Path(each).exists()), None)


def _packages() -> str:
    """Where our code and its dependencies are, for an interpreter outside our environment."""
    return ":".join((str(ROOT / "src"), *site.getsitepackages()))
