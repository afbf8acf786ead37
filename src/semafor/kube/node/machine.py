"""What all pods of a node share: its roles, its folders, its addresses, and the queue of its events."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semafor.kube.api.errors import StatusError
from semafor.kube.api.options import Mint, TokenAsk
from semafor.kube.images.host import Host
from semafor.kube.node import netfiles
from semafor.kube.node.addresses import Addresses
from semafor.kube.node.environment import Surroundings
from semafor.kube.node.netfiles import Resolver
from semafor.kube.node.payload import Token, VolumeError
from semafor.kube.node.roles import Api, Hooks, Images, NoHooks, Runtime
from semafor.kube.node.spec import NodeNetwork
from semafor.resources.core import config_map, secret, service, service_account

Json = dict[str, Any]

MAX_EVENTS = 1000  # waiting to be written; more are dropped, since they only tell
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """How this node is set up.

    `folder` holds one folder per pod. `memory` is a folder in a tmpfs for emptyDir volumes with medium Memory; None
    puts them beside the others. `capacity` is what Node.status.capacity says, as quantities.
    """

    folder: Path
    host: Host
    name: str = "semafor"
    memory: Path | None = None
    network: NodeNetwork = field(default_factory=NodeNetwork)
    resolver: Resolver = field(default_factory=Resolver)
    capacity: dict[str, str] = field(default_factory=dict)
    mint: Mint | None = None
    hooks: Hooks = field(default_factory=NoHooks)


class Machine:
    """One node's shared state."""

    def __init__(self, options: Options, api: Api, runtime: Runtime, images: Images) -> None:
        self.options = options
        self.api = api
        self.runtime = runtime
        self.images = images
        self.images_lock = asyncio.Lock()
        self.hooks = options.hooks
        self.addresses = Addresses(options.network.pods, (options.network.address,))
        self._events: asyncio.Queue[tuple[Json, str, str, str]] = asyncio.Queue(MAX_EVENTS)

    def event(self, pod: Json, type_: str, reason: str, message: str) -> None:
        """Tell the user something about a pod, soon; telling never delays the pod."""
        with contextlib.suppress(asyncio.QueueFull):
            self._events.put_nowait((pod, type_, reason, message))

    async def write_events(self) -> None:
        """Write the events that pods tell, for ever."""
        while True:
            pod, type_, reason, message = await self._events.get()
            try:
                await self.api.event(pod, type_, reason, message, source="kubelet")
            except StatusError as error:  # the namespace is being deleted
                log.debug("event %s of %s: %s", reason, pod["metadata"]["name"], error)

    def surroundings(self, pod: Json, ip: str) -> Surroundings:
        """What the pod's environment and volumes can refer to, now."""
        namespace = pod["metadata"]["namespace"]
        services = self.api.list(service.KIND, namespace)
        kubernetes = self.api.get(service.KIND, "default", "kubernetes")
        if kubernetes is not None and namespace != "default":
            services = [*services, kubernetes]
        return Surroundings(
            config_map=lambda name: self.api.get(config_map.KIND, namespace, name),
            secret=lambda name: self.api.get(secret.KIND, namespace, name),
            services=tuple(services),
            host_ip=self.options.network.address,
            pod_ip=ip,
            hostname=netfiles.hostname(pod),
            capacity=self.options.capacity,
        )

    def token(self, pod: Json) -> Token:
        """How the pod's service-account tokens are made. Raises VolumeError when they cannot be."""

        def make(audience: str, lifetime_s: int) -> str:
            if self.options.mint is None:
                raise VolumeError("service-account tokens are not available on this node")
            return self.options.mint(self._ask(pod, audience, lifetime_s))

        return make

    def _ask(self, pod: Json, audience: str, lifetime_s: int) -> TokenAsk:
        namespace = pod["metadata"]["namespace"]
        account = pod["spec"].get("serviceAccountName") or "default"
        found = self.api.get(service_account.KIND, namespace, account)
        if found is None:
            raise VolumeError(f'failed to fetch token: serviceaccounts "{account}" not found')
        meta = pod["metadata"]
        return TokenAsk(
            namespace=namespace,
            service_account=account,
            service_account_uid=found["metadata"]["uid"],
            audiences=(audience,) if audience else (),
            lifetime_s=lifetime_s,
            bound={"kind": "Pod", "apiVersion": "v1", "name": meta["name"], "uid": meta["uid"]},
        )
