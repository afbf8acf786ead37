"""Pods come and go, and nothing is left of them."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from tests.kube.node.machine_room import Room, descendants, eventually, own_process, processes_with

from semafor.kube.node.spec import RuntimeFailure, Sandbox

pytestmark = pytest.mark.machine


async def test_many_pods_come_and_go(here: Room) -> None:
    names = "abcdefghij"
    await asyncio.gather(*(here.pod(name) for name in names))
    await asyncio.gather(*(here.run(name, "sleep", "100") for name in names))
    await asyncio.gather(*(here.runtime.remove(name) for name in names))
    await asyncio.gather(*(here.pod(name) for name in names))
    assert await asyncio.gather(*(here.exit() for _ in names))


async def test_a_pod_that_cannot_be_made_leaves_nothing(here: Room) -> None:
    await here.pod("a")
    same_address = Sandbox(uid="x", name="x", namespace="default", hostname="x", ip="10.244.0.11")
    with pytest.raises(RuntimeFailure, match="make the link of x: File exists"):
        await here.runtime.create(same_address)
    await here.runtime.remove("a")
    await here.runtime.create(same_address)


async def test_removing_a_pod_ends_all_that_runs_in_it(here: Room) -> None:
    await here.pod("a")
    marker = f"7{os.getpid()}"
    await here.run("a", "sleep", marker)
    await here.runtime.remove("a")
    assert processes_with(marker) == []
    assert (await here.exit()).code == 137


@pytest.mark.parametrize("victim", ["semafor-agent", "semafor-node"])
async def test_a_killed_agent_leaves_nothing(here: Room, victim: str) -> None:
    await here.pod("a")
    marker = f"6{os.getpid()}"
    await here.run("a", "sleep", marker)
    os.kill(own_process(victim), signal.SIGKILL)
    await asyncio.wait_for(here.runtime.lost.wait(), 10)
    assert (await here.exit()).code == 137
    await eventually(lambda: _gone(marker))
    await here.runtime.stop()
    await here.runtime.start()
    await here.pod("a")


DAEMON = """
import asyncio, sys
from pathlib import Path
from tests.kube.node.machine_room import room

async def main():
    async with room(Path(sys.argv[1])) as here:
        await here.pod("a")
        await here.run("a", "sleep", sys.argv[2])
        print("running", flush=True)
        await asyncio.sleep(100)

asyncio.run(main())
"""


async def test_a_killed_daemon_leaves_nothing(tmp_path: Path) -> None:
    marker = f"5{os.getpid()}"
    env = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    argv = (sys.executable, "-c", DAEMON, str(tmp_path), marker)
    daemon = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE, env=env)
    assert daemon.stdout
    assert await asyncio.wait_for(daemon.stdout.readline(), 20) == b"running\n"
    namespaces = {_network(pid) for pid in descendants(daemon.pid)} - {_network(os.getpid()), ""}
    assert (len(processes_with(marker)), len(namespaces)) == (1, 2)
    daemon.kill()
    await daemon.wait()
    await eventually(lambda: _gone(marker))
    await eventually(lambda: _none_of(namespaces))


async def _none_of(namespaces: set[str]) -> bool:
    return _all_networks().isdisjoint(namespaces)


def _all_networks() -> set[str]:
    return {_network(int(process.name)) for process in Path("/proc").iterdir() if process.name.isdigit()}


def _network(pid: int) -> str:
    """The network namespace of a process; empty when it has gone."""
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return ""


async def _gone(marker: str) -> bool:
    return not processes_with(marker)
