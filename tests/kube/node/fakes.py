"""A runtime without namespaces: containers are plain subprocesses of the test, all on 127.0.0.1."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from semafor.kube.api.node import Process
from semafor.kube.images.image import Config, Image
from semafor.kube.node.spec import Container, Exit, Gone, Sandbox, StartError


class LocalProcess:
    """`kube.api.node.Process` over a subprocess."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.stdin = None

    @property
    def stdout(self) -> AsyncIterator[bytes]:
        return _chunks(self._process.stdout)

    @property
    def stderr(self) -> AsyncIterator[bytes]:
        return _chunks(self._process.stderr)

    def resize(self, rows: int, cols: int) -> None:
        pass

    async def wait(self) -> int:
        code = await self._process.wait()
        return code if code >= 0 else 128 - code

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()


async def _chunks(stream: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    while stream is not None and (chunk := await stream.read(4096)):
        yield chunk


class LocalRuntime:
    """Implements `roles.Runtime`. `sandboxes` and `containers` show what the kubelet asked for."""

    many_users = False

    def __init__(self) -> None:
        self.sandboxes: dict[str, Sandbox] = {}
        self.containers: dict[tuple[str, str], Container] = {}
        self.signals: list[tuple[str, int]] = []
        self._processes: dict[tuple[str, str], asyncio.subprocess.Process] = {}
        self._exits: asyncio.Queue[Exit] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    async def create(self, sandbox: Sandbox) -> None:
        self.sandboxes[sandbox.uid] = sandbox

    async def remove(self, uid: str) -> None:
        for (owner, _), process in self._processes.items():
            if owner == uid and process.returncode is None:
                process.kill()
        if self.sandboxes.pop(uid, None) is None:
            raise Gone(uid)

    async def run(self, uid: str, container: Container) -> None:
        if uid not in self.sandboxes:
            raise Gone(uid)
        self.containers[uid, container.name] = container
        try:
            process = await asyncio.create_subprocess_exec(
                *container.argv,
                env=dict(container.env) | {"PATH": os.environ["PATH"]},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise StartError("StartError", f'exec: "{container.argv[0]}": {error.strerror}', code=127) from error
        self._processes[uid, container.name] = process
        task = asyncio.create_task(self._follow(uid, container, process))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self, uid: str, container: Container, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with Path(container.log_path).open("ab") as log:  # noqa: ASYNC230
            async for line in process.stdout:
                stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
                log.write(f"{stamp} stdout F ".encode() + line)
                log.flush()
        code = await process.wait()
        number = -code if code < 0 else 0
        code = 128 + number if number else code
        reason = "Error" if code else "Completed"
        await self._exits.put(
            Exit(uid=uid, container=container.name, code=code, signal=number, finished_at=time.time(), reason=reason)
        )

    async def signal(self, uid: str, container: str, number: int) -> None:
        self.signals.append((container, number))
        process = self._processes[uid, container]
        if process.returncode is None:
            os.killpg(process.pid, number)

    async def exec(self, uid: str, container: str, argv: Sequence[str], *, tty: bool, stdin: bool) -> Process:
        if (uid, container) not in self._processes:
            raise Gone(container)
        process = await asyncio.create_subprocess_exec(
            *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        return LocalProcess(process)

    async def attach(self, uid: str, container: str, *, tty: bool, stdin: bool) -> Process:
        raise Gone(container)

    async def connect(self, uid: str, host: str, port: int) -> socket.socket:
        made = socket.socket()
        made.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
        except OSError:
            made.close()
            raise
        return made

    async def exits(self) -> AsyncIterator[Exit]:
        while True:
            yield await self._exits.get()

    async def stop(self) -> None:
        for process in self._processes.values():
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
        await asyncio.gather(*self._tasks)


class LocalImages:
    """Every image but `missing` is this Python."""

    def __init__(self) -> None:
        self.missing = {"missing"}

    def find(self, ref: str) -> Image | None:
        if ref in self.missing:
            return None
        return Image(ref=ref, id=f"sha256:{ref}", config=Config(entrypoint=(sys.executable, "-c")))

    def explain(self, ref: str) -> str:
        return f"build it with `semafor build -t {ref} DIR`"
