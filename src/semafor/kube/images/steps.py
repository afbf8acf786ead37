"""Carry out one step of a build: a process with the image's root, whose changes become a layer."""

import asyncio
import codecs
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from semafor.base.struct import Value
from semafor.kube.images import rootfs
from semafor.kube.images.errors import ContextError, StepError
from semafor.kube.images.host import Host
from semafor.kube.images.machine import Machine
from semafor.kube.images.mounts import MountOp
from semafor.kube.images.shelf import Shelf

# The folder that holds the package `semafor`: steps run without site-packages, so they must be told.
_SOURCE = str(Path(__file__).parents[3])
_START = f"import sys; sys.path.insert(0, {_SOURCE!r}); from semafor.kube.images import worker; worker.main()"
# A line longer than this is shown in pieces.
_LINE_BYTES = 16384
_LINE_END = re.compile(r"\r\n|\n|\r")


class Step(Value):
    """What to do in the root of `layers` (top first). The fields are the parts of worker.py's job.

    `caches` are (folder of the host, path inside) pairs that are shared between builds and stay out of the layer.
    """

    layers: tuple[str, ...]
    binds: tuple[tuple[str, str], ...] = ()
    caches: tuple[tuple[str, str], ...] = ()
    folder: str = ""
    copy: dict[str, Any] | None = None
    documents: tuple[dict[str, Any], ...] = ()
    run: dict[str, Any] | None = None
    network: bool = True


class Steps:
    """Carries out steps on this machine."""

    def __init__(self, shelf: Shelf, host: Host, machine: Machine) -> None:
        self._shelf = shelf
        self._host = host
        self.machine = machine

    async def carry_out(self, key: str, step: Step, output: Callable[[str], None]) -> tuple[Path | None, int]:
        """Make the layer `key`; the layer, or None and the command's exit code when that is not 0.

        Raises ContextError for files that cannot be copied, StepError for what the machine refuses.
        """
        with self._shelf.workspace() as work:
            code = await self._work(work, self._job(work, step), output)
            if code != 0:
                return None, code
            return self._shelf.keep(key, self._commit(work)), 0

    def _job(self, work: Path, step: Step) -> dict[str, Any]:
        machine = self.machine.binds if step.run else ()
        shown = (*step.binds, *machine, *step.caches)
        _stub(work / "stub", shown)
        (work / "root").mkdir()
        host = self._lowest_stub(work)
        plan = rootfs.plan(rootfs.Root(layers=step.layers, writable=str(work), binds=(*step.binds, *machine)), host)
        caches = tuple(MountOp("bind", inside, source=source) for source, inside in step.caches)
        return {
            "root": str(work / "root"),
            "ops": (*plan, *caches),
            "folder": step.folder,
            "copy": self._copy_job(work, step.copy) if step.copy else None,
            "documents": step.documents,
            "run": step.run,
            "network": step.network,
        }

    def _lowest_stub(self, work: Path) -> Host:
        """The host with mount points for this step below everything, so that none is made in the layer."""
        return msgspec.structs.replace(self._host, mount_points=str(work / "stub"))

    def _copy_job(self, work: Path, copy: Mapping[str, Any]) -> dict[str, Any]:
        """Where files come from another image, its root is mounted, read-only, in a folder of its own."""
        if "layers" not in copy:
            return dict(copy)
        (work / "from").mkdir()
        plan = rootfs.plan(rootfs.Root(layers=tuple(copy["layers"]), binds=tuple(copy["binds"])), self._host)
        return {**copy, "folder": str(work / "from"), "ops": plan}

    async def _work(self, work: Path, job: dict[str, Any], output: Callable[[str], None]) -> int:
        async with _worker(work, job) as (process, result):
            assert process.stdout is not None
            await _lines(process.stdout, output)
            await process.wait()
        answer = _answer(result)
        if "error" in answer:
            raise (ContextError if answer.get("refused") else StepError)(answer["error"])
        return int(answer["code"])

    def _commit(self, work: Path) -> Path:
        """The changes as one folder."""
        for before, after in rootfs.committed(str(work), self._host):
            changed = Path(before)
            if any(changed.iterdir()):
                Path(after).parent.mkdir(parents=True, exist_ok=True)
                changed.rename(after)
        return work / "upper" / "root"


@asynccontextmanager
async def _worker(work: Path, job: dict[str, Any]) -> AsyncIterator[tuple[asyncio.subprocess.Process, Path]]:
    """The process of a step, reading its job; it is killed when the block is left early."""
    result = work / "result"
    descriptor = os.open(result, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _START),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=(descriptor,),
            limit=_LINE_BYTES,
        )
    finally:
        os.close(descriptor)
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps({**job, "result": descriptor}).encode())
        process.stdin.close()
        yield process, result
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _answer(result: Path) -> dict[str, Any]:
    text = result.read_text()
    if not text:
        return {"error": "the step was killed before it ended (out of memory?)"}
    answer: dict[str, Any] = json.loads(text)
    return answer


async def _lines(stream: asyncio.StreamReader, output: Callable[[str], None]) -> None:
    """Hand on the output line by line; a carriage return (progress bars) ends a line too."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    while chunk := await stream.read(_LINE_BYTES):
        *lines, rest = _LINE_END.split(rest + decoder.decode(chunk))
        for line in lines:
            output(line)
        if len(rest) > _LINE_BYTES:
            output(rest)
            rest = ""
    if rest:
        output(rest)


def _stub(folder: Path, shown: Sequence[tuple[str, str]]) -> None:
    """Empty files and folders where something is mounted for this step only."""
    folder.mkdir()
    for source, inside in shown:
        point = folder / inside.removeprefix("/")
        point.parent.mkdir(parents=True, exist_ok=True)
        if Path(source).is_dir():
            point.mkdir(exist_ok=True)
        elif not point.exists():
            point.touch()
