"""The Gateway API's conformance suite against a mesh of its own: `python -m tests.conformance [SUITE'S FLAGS]`.

Starts a mesh, runs the suite (a published Go module, with its own manifests), writes its report under
docs/conformance/, stops the mesh. With RUN_TEST=NAME: that test alone, and no report. With CHANNEL=experimental the
features of that channel are claimed too, in a report of their own.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ryaml

import semafor
from semafor.app import openings

HERE = Path(__file__).parent
EXPERIMENTAL = os.environ.get("CHANNEL") == "experimental"
_OPTIONS = "conformance.yaml"  # what the suite is told
REPORTS = HERE.parent.parent / "docs" / "conformance"


def main(words: list[str]) -> int:
    """Run the suite; its exit code."""
    go = shutil.which("go")
    if not go:
        print("The suite is a Go module: install Go 1.26 or newer (https://go.dev/dl).", file=sys.stderr)
        return 2
    with mesh() as env:
        file = Path(env["SEMAFOR_HOME"], _OPTIONS)
        file.write_text(ryaml.dumps(options(Path(env["SEMAFOR_HOME"]))))
        command = [go, "test", "-count=1", "-v", "-timeout=90m", ".", "-args", *flags(file)]
        return subprocess.run([*command, *words], cwd=HERE, env=env, check=False).returncode


def options(home: Path) -> dict[str, Any]:
    """What is claimed, with an address that a Gateway of this mesh may ask for, and one that it may not."""
    found: dict[str, Any] = ryaml.loads((HERE / "options.yaml").read_text())
    if EXPERIMENTAL:
        found["supportedFeatures"] += ryaml.loads((HERE / "experimental.yaml").read_text())
    found["usableNetworkAddresses"] = [{"type": "IPAddress", "value": str(openings.network(home)[-2])}]
    found["unusableNetworkAddresses"] = [{"type": "IPAddress", "value": "192.0.2.1"}]
    return found


def flags(file: Path) -> list[str]:
    """The suite's flags: one test, or all that is claimed, and a report."""
    common = [f"-conformance-options-file={file}", f"-version=v{semafor.__version__}"]
    # Two cores are enough for one test's requests at a time.
    common += ["-disable-parallel-tests"] if (os.cpu_count() or 1) < 4 else []
    if test := os.environ.get("RUN_TEST", ""):
        return [*common, f"-run-test={test}", "-conformance-profiles="]
    name = "report-experimental.yaml" if EXPERIMENTAL else "report.yaml"
    return [*common, f"-report-output={REPORTS / name}"]


@contextmanager
def mesh() -> Iterator[dict[str, str]]:
    """A mesh that nobody else uses; the environment in which the suite finds it."""
    with tempfile.TemporaryDirectory(prefix="semafor-conformance-") as home:
        env = {**os.environ, "SEMAFOR_HOME": home, "KUBECONFIG": f"{home}/kubeconfig"}
        semafor_ = [sys.executable, "-m", "semafor"]
        subprocess.run([*semafor_, "up", "--no-kubeconfig"], env=env, check=True)
        try:
            yield env
        finally:
            Path(home, _OPTIONS).unlink(missing_ok=True)  # the mesh takes away what is its own
            subprocess.run([*semafor_, "down", "--purge"], env=env, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
