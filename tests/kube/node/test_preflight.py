"""The check of the machine, on this machine and on ones that were made worse."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from semafor.kube.node import preflight
from semafor.kube.node.preflight import Missing

pytestmark = pytest.mark.machine

# Runs in a user namespace of its own, as its root, so that it may make the machine worse for itself.
WORSE = """
import os, sys
from pathlib import Path
from semafor.kube.node import agent, preflight, root, syscalls
agent.enter_namespaces()
if os.fork() == 0:
    root.separate()
    root.mount_proc("/proc")
    exec(sys.argv[1])
    for missing in preflight.check(Path(sys.argv[2])):
        print(missing.what, "|", missing.why, "|", missing.fix)
    sys.stdout.flush()
    os._exit(0)
os.wait()
"""


def worse(how: str, folder: Path) -> list[list[str]]:
    """What is missing (what, why, fix) after `how` has run."""
    done = subprocess.run([sys.executable, "-c", WORSE, how, str(folder)], capture_output=True, text=True, check=True)
    return [line.split(" | ", 2) for line in done.stdout.splitlines()]


def test_this_machine_has_what_is_needed_and_keeps_nothing_of_the_trial(tmp_path: Path) -> None:
    assert (preflight.check(tmp_path), list(tmp_path.iterdir())) == ((), [])


@pytest.mark.parametrize("kind", ["user", "net", "pid", "mnt"])
def test_a_forbidden_namespace_is_named_with_the_command_that_allows_it(kind: str, tmp_path: Path) -> None:
    forbid = f"Path('/proc/sys/user/max_{kind}_namespaces').write_text('0')"
    ((what, why, fix),) = worse(forbid, tmp_path)
    assert what == "user namespaces: pods without root"
    assert why.startswith(f"user.max_{kind}_namespaces is 0")
    assert fix.startswith(f"sudo sysctl -w user.max_{kind}_namespaces=28633 ")


def test_a_proc_with_hidden_parts_as_in_docker_is_named(tmp_path: Path) -> None:
    hide = "from semafor.kube.images import mounts; mounts.mount('none', '/proc/driver', 'tmpfs', 1, None)"
    if not Path("/proc/driver").is_dir():
        pytest.skip("this kernel has no /proc/driver")
    assert [(what, fix.partition(":")[0]) for what, _, fix in worse(hide, tmp_path)] == [
        ("a /proc of each container's own", "if this is inside a container")
    ]


def test_a_home_on_a_file_system_without_overlayfs_is_named(tmp_path: Path) -> None:
    # ramfs knows no extended attributes, which overlayfs needs of the folder that it writes to.
    cover = f"from semafor.kube.images import mounts; mounts.mount('none', '{tmp_path}', 'ramfs', 0, None)"
    if os.geteuid() == 0 and ctypes.sizeof(ctypes.c_void_p) == 8:
        found = worse(cover, tmp_path)
        assert [(what, fix[:17]) for what, _, fix in found] in (
            [("overlayfs in a user namespace: containers' root folders", "set SEMAFOR_HOME ")],
            [],  # ramfs is not for user namespaces: nothing was covered
        )


def test_a_full_disk_is_named_as_what_it_is(tmp_path: Path) -> None:
    cover = (
        f"from semafor.kube.images import mounts; mounts.mount('none', '{tmp_path}', 'tmpfs', 0, 'size=64k'); "
        f"os.system('head -c 1M /dev/zero > {tmp_path}/fill 2>/dev/null')"
    )
    assert [what for what, _, _ in worse(cover, tmp_path)] == ["space in the state folder"]


@pytest.mark.parametrize(("platform", "command"), [("darwin", "limactl"), ("win32", "wsl --install")])
def test_other_systems_are_told_which_linux_to_use(platform: str, command: str) -> None:
    (missing,) = preflight.check(platform=platform)
    assert missing.what == "Linux"
    assert command in missing.fix


def test_wsl_1_is_told_how_to_become_wsl_2(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel/osrelease").write_text("4.4.0-19041-Microsoft\n")
    (missing,) = preflight.check(platform="linux", kernel=tmp_path)
    assert missing == Missing(what="a Linux kernel", why="this is WSL 1, which has none", fix=missing.fix)
    assert "wsl --set-version" in missing.fix
