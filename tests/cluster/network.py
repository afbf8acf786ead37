"""Pods of a cluster without nodes: network namespaces on a bridge, and processes in them.

Only for a process that is alone in a network namespace (`unshare --net --mount`), as root.
"""

import socket
import subprocess
from pathlib import Path

GATEWAY = "10.233.0.1"  # the address of the machine itself, where the servers are


def prepare() -> None:
    """A bridge with the machine's address, and a folder for the names of namespaces."""
    interfaces = [name for _, name in socket.if_nameindex()]
    assert interfaces == ["lo"], f"this is a network that others use ({interfaces}): run tests/cluster/test_real.py"
    _run("ip", "link", "set", "lo", "up")
    _run("mount", "-t", "tmpfs", "tmpfs", "/run")
    _run("ip", "link", "add", "pods", "type", "bridge")
    _run("ip", "addr", "add", f"{GATEWAY}/16", "dev", "pods")
    _run("ip", "link", "set", "pods", "up")


_SHOW = 'mkdir -p "$2" && mount --bind "$1" "$2" || exit 1; '


class Pod:
    """A network namespace with an address."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.ip = f"10.233.1.{number}"
        self._processes: list[subprocess.Popen] = []
        _run("ip", "netns", "add", name)
        _run("ip", "link", "add", f"pod{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
        _run("ip", "link", "set", f"pod{number}", "master", "pods", "up")
        for command in (["addr", "add", f"{self.ip}/16", "dev", "eth0"], ["link", "set", "eth0", "up"],
                        ["link", "set", "lo", "up"], ["route", "add", "default", "via", GATEWAY]):  # fmt: skip
            _run("ip", "-n", name, *command)

    def start(
        self,
        *argv: str,
        log: Path,
        env: dict[str, str] | None = None,
        uid: int = 0,
        folder: tuple[Path, str] | None = None,
    ) -> subprocess.Popen:
        """A process; it sees the first part of `folder` at the second."""
        shown = _SHOW if folder else ""
        source, target = folder or ("", "")
        # The interpreter may lie in a folder of root's, which an image's does not.
        reading = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        as_user = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *reading] if uid else []
        with log.open("ab") as output:
            process = subprocess.Popen(
                [
                    "ip",
                    "netns",
                    "exec",
                    self.name,
                    "sh",
                    "-c",
                    shown + 'shift 2; exec "$@"',
                    "sh",
                    source,
                    target,
                    *as_user,
                    *argv,
                ],
                stdout=output,
                stderr=output,
                env=env,
            )
        self._processes.append(process)
        return process

    def run(self, *argv: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        command = ["ip", "netns", "exec", self.name, *argv]
        return subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False)

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)
