"""What the runtime needs of a machine, tried for real, and how to grant what is missing. Runs on any system.

for missing in preflight.check(home):
    print(f"{missing.what}: {missing.why}", missing.fix)
"""

import errno
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from semafor.base.struct import Value

TIMEOUT_S = 20

_PROC_SYS = Path("/proc/sys")
_MODULES = "bridge veth nf_tables nft_chain_nat nft_redir"


class Missing(Value):
    """One thing that this machine does not offer: what it is for, why it is not there, what grants it."""

    what: str
    why: str
    fix: str


# (setting, value that forbids, value that allows, what it does)
_SETTINGS = (
    ("kernel/unprivileged_userns_clone", "0", "1", "forbids user namespaces to ordinary users (Debian's setting)"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "0",
        "takes all rights from user namespaces (Ubuntu's setting)",
    ),
    ("user/max_user_namespaces", "0", "28633", "forbids user namespaces"),
    ("user/max_net_namespaces", "0", "28633", "forbids network namespaces"),
    ("user/max_pid_namespaces", "0", "28633", "forbids PID namespaces"),
    ("user/max_mnt_namespaces", "0", "28633", "forbids mount namespaces"),
)
_CONTAINER = (
    "if this is inside a container: start it with --privileged, or with --security-opt seccomp=unconfined "
    "--security-opt apparmor=unconfined --security-opt systempaths=unconfined"
)
# step of the trial -> (what it is, what usually grants it)
_STEPS = {
    "namespaces": ("user namespaces: pods without root", _CONTAINER),
    "mounts": ("mount namespaces: files of a pod's own", _CONTAINER),
    "proc": ("a /proc of each container's own", _CONTAINER),
    "overlay": (
        "overlayfs in a user namespace: containers' root folders",
        "set SEMAFOR_HOME to a folder on ext4, xfs or btrfs; Linux must be 5.11 or newer",
    ),
    "terminals": ("devpts: terminals in containers", "sudo mount -o remount,mode=620,ptmxmode=666 /dev/pts"),
    "network": ("bridges and nftables: the pods' network", f"sudo modprobe -a {_MODULES}"),
    "interception": ("nftables with nat and redirect: the sidecars' interception", f"sudo modprobe -a {_MODULES}"),
}


class Trial:
    """Everything that is needed, being tried. It takes a moment, in which something else can be begun.

    `folder` is where containers' files will be (an existing one; without it the folder for temporary files is tried).
    """

    def __init__(self, folder: Path | None = None, *, platform: str = sys.platform, kernel: Path = _PROC_SYS) -> None:
        self._kernel = kernel
        self._elsewhere = _other_system(platform, kernel)
        self._process = None if self._elsewhere else _begin(folder or Path(tempfile.gettempdir()))

    def missing(self) -> tuple[Missing, ...]:
        """Wait for the end; return what is missing, most fundamental first, or nothing."""
        if self._elsewhere:
            return (self._elsewhere,)
        assert self._process
        refusals = _outcome(self._process)
        if not refusals:
            return ()
        return _forbidding(self._kernel) or tuple(_missing(step, number, message) for step, number, message in refusals)


def check(folder: Path | None = None, *, platform: str = sys.platform, kernel: Path = _PROC_SYS) -> tuple[Missing, ...]:
    """Try everything, and return what is missing."""
    return Trial(folder, platform=platform, kernel=kernel).missing()


def _other_system(platform: str, kernel: Path) -> Missing | None:
    if platform == "darwin":
        fix = (
            "brew install lima && limactl start --name=semafor template:debian && limactl shell semafor, "
            "and install Semafor there"
        )
        return Missing(what="Linux", why="pods are Linux processes, and this is macOS", fix=fix)
    if platform in ("win32", "cygwin"):
        fix = "wsl --install -d Debian, then open Debian from the start menu and install Semafor there"
        return Missing(what="Linux", why="pods are Linux processes, and this is Windows", fix=fix)
    if platform != "linux":
        return Missing(what="Linux", why=f"pods are Linux processes, and this is {platform}", fix="use a Linux machine")
    release = kernel / "kernel/osrelease"
    if "-Microsoft" in release.read_text():
        fix = "in PowerShell: wsl --set-version Debian 2 (`wsl -l -v` shows the name to use)"
        return Missing(what="a Linux kernel", why="this is WSL 1, which has none", fix=fix)
    return None


def _begin(folder: Path) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-P", "-m", "semafor.kube.node.trial", str(folder)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _outcome(process: "subprocess.Popen[str]") -> list[tuple[str, int, str]]:
    try:
        said, complaint = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return [("namespaces", 0, f"the trial hung for {TIMEOUT_S} s")]
    if process.returncode != 0:
        return [("namespaces", 0, complaint.strip().splitlines()[-1] if complaint else "the trial was killed")]
    return [(step, number, message) for step, number, message in json.loads(said)]


def _forbidding(kernel: Path) -> tuple[Missing, ...]:
    """The kernel's settings that explain a refusal; empty when none does."""
    found = []
    for name, forbids, allows, what_it_does in _SETTINGS:
        file = kernel / name
        if file.exists() and file.read_text().strip() == forbids:
            key = name.replace("/", ".")
            for_good = f"echo {key}={allows} | sudo tee /etc/sysctl.d/60-semafor.conf"
            fix = f"sudo sysctl -w {key}={allows}  (for good: {for_good})"
            what, _ = _STEPS["namespaces"]
            found.append(Missing(what=what, why=f"{key} is {forbids}: it {what_it_does}", fix=fix))
    return tuple(found)


def _missing(step: str, number: int, message: str) -> Missing:
    if step == "overlay" and number in (errno.ENOSPC, errno.EDQUOT):
        fix = "free some there, or set SEMAFOR_HOME to another folder"
        return Missing(what="space in the state folder", why=message, fix=fix)
    what, fix = _STEPS[step]
    return Missing(what=what, why=message, fix=fix)
