"""A mesh in a temporary home, and the commands that its user types."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.api import Api

ROOT = Path(__file__).parents[2]
_COMMAND_TIMEOUT_S = 90


class Mesh:
    """A home, which may or may not have a mesh running."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = os.environ | {"SEMAFOR_HOME": str(home), "KUBECONFIG": str(home / "kubeconfig")}

    def semafor(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`semafor ARGUMENTS`; raises CalledProcessError with what it printed."""
        return self._run(sys.executable, "-m", "semafor", *arguments)

    def kubectl(self, *arguments: str, manifest: str | None = None, timeout_s: float = _COMMAND_TIMEOUT_S) -> str:
        """What kubectl prints; `manifest` is its standard input."""
        return self._run("kubectl", *arguments, manifest=manifest, timeout_s=timeout_s).stdout

    def apply(self, manifest: str) -> None:
        self.kubectl("apply", "-f", "-", manifest=manifest)

    def wait(self, condition: str, *what: str) -> None:
        """`kubectl wait --for=CONDITION WHAT`."""
        self.kubectl("wait", f"--for={condition}", f"--timeout={_COMMAND_TIMEOUT_S - 5}s", *what)

    def get(self, *what: str) -> Any:
        return json.loads(self.kubectl("get", *what, "-o", "json"))

    def api(self) -> Api:
        return Api(self.home / "kubeconfig")

    @property
    def pid(self) -> int:
        """The daemon's process id."""
        return int(json.loads((self.home / "state.json").read_text())["pid"])

    def make_namespace(self, name: str) -> None:
        """A namespace with injection."""
        self.kubectl("create", "namespace", name)
        self.kubectl("label", "namespace", name, "istio-injection=enabled")

    def _run(
        self, *argv: str, manifest: str | None = None, timeout_s: float = _COMMAND_TIMEOUT_S
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv,
            env=self.environment,
            cwd=ROOT,
            input=manifest if manifest is not None else "",
            text=True,
            capture_output=True,
            timeout=timeout_s,
            check=True,
        )


@contextlib.contextmanager
def home() -> Iterator[Mesh]:
    """A fresh home without a mesh. Whatever runs there afterwards is stopped, and the home removed."""
    folder = Path(tempfile.mkdtemp(prefix="semafor-bench-", dir="/tmp"))  # short: unix sockets lie below it
    mesh = Mesh(folder / "home")
    try:
        yield mesh
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)  # a run out of time still cleans up
        with contextlib.suppress(subprocess.SubprocessError):
            mesh.semafor("down", "--purge")
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running() -> Iterator[Mesh]:
    """A fresh mesh that runs."""
    with home() as mesh:
        mesh.semafor("up", "--no-kubeconfig")
        yield mesh


def timed(mesh: Mesh, *arguments: str) -> float:
    """Seconds that a command of `semafor` takes, from the user's return key to the prompt."""
    began = time.perf_counter()
    mesh.semafor(*arguments)
    return time.perf_counter() - began
