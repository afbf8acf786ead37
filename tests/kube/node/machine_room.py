"""Real pods for tests: a runtime in a temporary folder, and containers whose root is this machine's programs."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from semafor.kube.images.mounts import MountOp
from semafor.kube.node.program import Program
from semafor.kube.node.runtime import Runtime
from semafor.kube.node.spec import Container, Exit, Sandbox

PROGRAMS = ("usr", "etc", "bin", "sbin", "lib", "lib64")
ROOT = (
    MountOp("tmpfs", "/", data="mode=755"),
    *(MountOp("bind", f"/{name}", source=f"/{name}", read_only=True) for name in PROGRAMS if Path(f"/{name}").exists()),
    MountOp("tmpfs", "/tmp", data="mode=1777"),
)


class Room:
    """A running runtime with pods `a` (10.244.0.11), `b` (10.244.0.12) and so on."""

    def __init__(self, runtime: Runtime, folder: Path) -> None:
        self.runtime = runtime
        self.folder = folder
        self._exits = runtime.exits()

    async def pod(self, name: str, **fields: Any) -> str:
        """Make a pod; return its address."""
        ip = f"10.244.0.{ord(name) - ord('a') + 11}"
        await self.runtime.create(
            Sandbox(uid=name, name=name, namespace="default", hostname=f"host-{name}", ip=ip, **fields)
        )
        return ip

    async def run(self, pod: str, *argv: str, name: str = "main", **fields: Any) -> Path:
        """Start a container; return its log."""
        log = self.folder / f"{pod}-{name}.log"
        await self.runtime.run(pod, Container(name=name, argv=argv, root=ROOT, log_path=str(log), **fields))
        return log

    async def shell(self, pod: str, script: str, **fields: Any) -> Path:
        return await self.run(pod, "sh", "-c", script, **fields)

    async def exit(self) -> Exit:
        """The next end of a container."""
        return await asyncio.wait_for(anext(self._exits), 20)

    async def output(self, pod: str, *argv: str, name: str = "main") -> tuple[int, str]:
        """What a command in a container prints, and its exit code."""
        program = await self.runtime.exec(pod, name, argv, tty=False, stdin=False)
        text = await everything(program)
        return await asyncio.wait_for(program.wait(), 20), text


async def everything(program: Program) -> str:
    """All output of a program, stdout before stderr."""
    pieces = [piece async for piece in program.stdout] + [piece async for piece in program.stderr]
    return b"".join(pieces).decode()


async def until(program: Program, text: str) -> str:
    """Read stdout until `text` has come."""
    seen = ""
    async with asyncio.timeout(20):
        while text not in seen:
            seen += (await anext(program.stdout)).decode()
    return seen


def lines(log: Path) -> list[tuple[str, str, str]]:
    """The (stream, F or P, text) of each line of a log."""
    split = (line.split(" ", 3) for line in log.read_text().splitlines())
    return [(stream, tag, text) for _, stream, tag, text in split]


@asynccontextmanager
async def room(folder: Path) -> AsyncIterator[Room]:
    runtime = Runtime(folder / "node")
    await runtime.start()
    try:
        yield Room(runtime, folder)
    finally:
        await runtime.stop()


SERVER = """
import socket, sys
listening = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
while True:
    made, peer = listening.accept()
    made.sendall(f"{sys.argv[2]} {peer[0]}".encode())
    made.close()
"""
CALL = "import socket,sys; print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 5).recv(99).decode())"
UDP_SERVER = """
import socket, sys
waiting = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
waiting.bind(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
question, peer = waiting.recvfrom(99)
waiting.sendto(b"answer to " + question, peer)
"""
ASK = """
import socket, sys
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.settimeout(5)
asking.connect((sys.argv[1], int(sys.argv[2])))
asking.send(b"question")
print(asking.recv(99).decode())
"""


async def serve(here: Room, pod: str, port: int, answer: str, name: str = "server") -> None:
    """Run a TCP server in a pod and wait until it listens. It answers `answer` and who asked."""
    await here.run(pod, "python3", "-c", SERVER, str(port), answer, name=name, stdin=True)
    await until(await here.runtime.attach(pod, name, tty=False, stdin=False), "ready")


async def serve_udp(here: Room, pod: str, port: int) -> None:
    await here.run(pod, "python3", "-c", UDP_SERVER, str(port), name="udp", stdin=True)
    await until(await here.runtime.attach(pod, "udp", tty=False, stdin=False), "ready")


async def call(here: Room, pod: str, host: str, port: int) -> str:
    """What a TCP server answers to the container `main`, or how the call failed."""
    return (await here.output(pod, "python3", "-c", CALL, host, str(port)))[1].strip()


async def ask(here: Room, pod: str, host: str, port: int) -> str:
    """What a UDP server answers to the container `main`, or how the question failed."""
    return (await here.output(pod, "python3", "-c", ASK, host, str(port)))[1].strip()


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the kernel, or another process, has made it true."""
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110  (no event tells)
            await asyncio.sleep(0.01)


def descendants(pid: int) -> set[int]:
    """A process and all below it."""
    parents = {int(p.name): _stat(p)[1] for p in Path("/proc").iterdir() if p.name.isdigit()}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def own_process(name: str) -> int:
    """The process of that name below this test."""
    return next(pid for pid in descendants(os.getpid()) if _stat(Path(f"/proc/{pid}"))[0] == name)


def _stat(process: Path) -> tuple[str, int]:
    try:
        head, _, tail = (process / "stat").read_text().rpartition(")")
    except OSError:
        return "", 0
    return head.partition("(")[2], int(tail.split()[1])


def processes_with(marker: str) -> list[str]:
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes().decode()
            except OSError:
                continue
            if f"sleep\0{marker}\0" in command:
                found.append(command)
    return found
