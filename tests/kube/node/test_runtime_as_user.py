"""The same tests again as an ordinary user, when this run is root's.

An ordinary user may not read root's files, and both the interpreter and the project can be among those. So they are
shown to it elsewhere, by read-only binds in a mount namespace of the child's own: nothing is copied, nothing is left.

    FOLDER/python    sys.base_prefix       FOLDER/project    the project       FOLDER/packages0..    sys.path
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from semafor.kube.images import mounts
from semafor.kube.node import syscalls

pytestmark = pytest.mark.machine

USER = 54321  # no one's
PROJECT = Path(__file__).parents[3]
TESTS = tuple(
    f"tests/kube/node/test_{name}.py"
    for name in ("network", "containers", "programs", "runtime", "preflight", "interception")
)


@pytest.mark.e2e
@pytest.mark.skipif(os.geteuid() != 0, reason="every test of this run is an ordinary user's already")
def test_pods_need_no_root(tmp_path: Path) -> None:
    mine = Path("/tmp") / f"semafor-as-user-{os.getpid()}"  # tmp_path is below a folder that only root may enter
    mine.mkdir()
    try:
        argv = [sys.executable, "-P", __file__, str(mine)]
        done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, timeout=100, check=False)
    finally:
        subprocess.run(["rm", "-rf", str(mine)], check=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def _main(mine: Path) -> None:
    syscalls.unshare(syscalls.CLONE_NEWNS)
    mounts.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_SLAVE, None)
    packages = [Path(entry) for entry in sys.path if entry.endswith("site-packages")]
    shown = {"python": Path(sys.base_prefix), "project": PROJECT}
    shown |= {f"packages{number}": entry for number, entry in enumerate(packages)}
    for name, source in shown.items():
        mounts.execute([mounts.MountOp("bind", f"/{name}", source=str(source), read_only=True)], str(mine))
    home = mine / "home"
    home.mkdir()
    os.chown(home, USER, USER)
    os.chdir(mine / "project")
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    search = [mine / "project/src", mine / "project", *(mine / name for name in shown if name.startswith("packages"))]
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": ":".join(map(str, search)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    python = mine / "python/bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    options = [
        "-q",
        "--confcutdir=tests/kube/node",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
        f"--basetemp={home}/pytest",
    ]
    os.execve(python, [str(python), "-m", "pytest", *options, *TESTS], env)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
