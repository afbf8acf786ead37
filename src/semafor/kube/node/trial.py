"""Try, in a process of its own, what the runtime will need of this machine; print each refusal as a JSON row.

`python -m semafor.kube.node.trial FOLDER` prints [[step, errno, message], ...]; `preflight` reads it. FOLDER is where
containers' files will be. What is made here goes with the process.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from semafor.kube.images import mounts
from semafor.kube.images.mounts import MountOp
from semafor.kube.node import agent, network, root, syscalls
from semafor.kube.node.spec import Interception, NodeNetwork, Sandbox

Refusal = tuple[str, int, str]

_SANDBOX = Sandbox(
    uid="trial", name="trial", namespace="", hostname="trial", ip="10.244.0.2", interception=Interception()
)


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1], prefix="trial-") as folder:
        refusals = [refusal] if (refusal := attempt("namespaces", agent.enter_namespaces)) else _inside(Path(folder))
    sys.stdout.buffer.write(msgspec.json.encode(refusals))


def attempt(step: str, action: Callable[[], None]) -> Refusal | None:
    try:
        action()
    except OSError as error:
        return step, error.errno or 0, str(error)
    return None


def _inside(folder: Path) -> list[Refusal]:
    """Try the rest as the first process of the new PID namespace, as which /proc can be mounted."""
    results, report = os.pipe()
    child = os.fork()
    if child == 0:
        steps = (
            ("mounts", root.separate),
            ("proc", lambda: root.mount_proc("/proc")),
            ("overlay", lambda: _overlay(folder)),
            ("terminals", lambda: _terminals(folder)),
            ("network", lambda: network.set_up_node(NodeNetwork())),
            ("interception", _pod),
        )
        refusals = [refusal for step, action in steps if (refusal := attempt(step, action))]
        os.write(report, msgspec.json.encode(refusals))
        os._exit(0)
    os.close(report)
    with os.fdopen(results, "rb") as reader:
        answer = reader.read()
    os.waitpid(child, 0)
    return msgspec.json.decode(answer, type=list[Refusal])


def _overlay(folder: Path) -> None:
    for name in ("lower", "root"):
        (folder / name).mkdir()
    layer = MountOp("overlay", "/", lowers=(f"{folder}/lower",), upper=f"{folder}/upper", work=f"{folder}/work")
    mounts.execute([layer], f"{folder}/root")
    (folder / "root/file").write_text("written")


def _terminals(folder: Path) -> None:
    (folder / "pts").mkdir()
    mounts.mount("devpts", f"{folder}/pts", "devpts", 0, "newinstance,ptmxmode=0666")


def _pod() -> None:
    link = network.PodLink()
    syscalls.unshare(syscalls.CLONE_NEWNET)
    link.plug(_SANDBOX, NodeNetwork())


if __name__ == "__main__":
    main()
