"""An acknowledged write survives the death of the process, and its version is never given out again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from semafor.kube.store import Store

WRITER = """
import asyncio, sys
from pathlib import Path
from semafor.kube.store import Store

async def main():
    store = Store.open(Path(sys.argv[1]))
    async def one(lane):
        for n in range(100_000):
            obj = {"metadata": {"namespace": "default", "name": f"{lane}-{n}"}}
            done = await store.create("pods", obj)
            sys.stdout.write(f"{lane}-{n} {done['metadata']['resourceVersion']}\\n")
            sys.stdout.flush()
    await asyncio.gather(*(one(lane) for lane in range(4)))

asyncio.run(main())
"""


def killed_while_writing(path: Path) -> dict[str, str]:
    """What a writer had reported as stored, name -> version, when it was killed."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    lines = [writer.stdout.readline() for _ in range(300)]
    os.kill(writer.pid, signal.SIGKILL)
    lines += writer.stdout.readlines()
    writer.wait()
    writer.stdout.close()
    return dict(line.split() for line in lines if line.endswith("\n"))


async def test_every_acknowledged_write_is_there_after_sigkill(tmp_path: Path):
    path = tmp_path / "s.db"
    acknowledged = killed_while_writing(path)
    store = Store.open(path)
    stored = {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in store.list("pods")[0]}
    assert acknowledged.items() <= stored.items()
    assert store.resource_version == max(int(version) for version in stored.values())
    await store.close()
