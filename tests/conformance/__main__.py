"""The Gateway API's conformance suite against a mesh of its own: `python -m tests.conformance [SUITE'S FLAGS]`.

Starts a mesh, runs the suite (a published Go module, with its own manifests), writes its report under
docs/conformance/, stops the mesh. With RUN_TEST=NAME: that test alone, and no report.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import semafor

HERE = Path(__file__).parent
REPORTS = HERE.parent.parent / "docs" / "conformance"


def main(words: list[str]) -> int:
    """Run the suite; its exit code."""
    go = shutil.which("go")
    if not go:
        print("The suite is a Go module: install Go 1.26 or newer (https://go.dev/dl).", file=sys.stderr)
        return 2
    with mesh() as env:
        command = [go, "test", "-count=1", "-v", "-timeout=90m", ".", "-args", *flags(os.environ.get("RUN_TEST", ""))]
        return subprocess.run([*command, *words], cwd=HERE, env=env, check=False).returncode


def flags(test: str) -> list[str]:
    """The suite's flags: one test, or all that options.yaml claims, and a report."""
    common = [f"-conformance-options-file={HERE / 'options.yaml'}", f"-version=v{semafor.__version__}"]
    # Two cores are enough for one test's requests at a time.
    common += ["-disable-parallel-tests"] if (os.cpu_count() or 1) < 4 else []
    if test:
        return [*common, f"-run-test={test}", "-conformance-profiles="]
    return [*common, f"-report-output={REPORTS / 'report.yaml'}"]


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
            subprocess.run([*semafor_, "down", "--purge"], env=env, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
