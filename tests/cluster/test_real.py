"""Against a real kube-apiserver and etcd: what is in `inside`, in a network of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("SEMAFOR_KUBERNETES", Path.home() / ".cache/semafor-kubernetes"))
INSIDE = Path(__file__).with_name("inside")


@pytest.mark.machine
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["install.py", "mesh.py", "commands.py"])
def test_inside(name):
    if not (FOLDER / "kube-apiserver").exists():
        pytest.skip(f"no Kubernetes in {FOLDER}: make kubernetes")
    if os.geteuid() != 0:
        pytest.skip("pods are made by root here")
    # In namespaces of its own, and all of it ends together.
    own = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command = [*own, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "--timeout=600", str(INSIDE / name)],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:]
