"""How the machine itself reaches the mesh: Services of type LoadBalancer and NodePort on loopback addresses.

Service ─▶ addresses (which of them may be had) ─▶ status.loadBalancer
                                                └▶ openings ─▶ the host's Envoy ─ unix socket ─▶ the node's Envoy

Each LoadBalancer has an address of its own, 127.x.y.z, so that two of them can have port 80; x and y are the home's, so
that two meshes of one machine do not meet. Nothing but loopback is ever listened on.
"""

import asyncio
import contextlib
import logging
import socket
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from semafor.app import gateways
from semafor.app.pipeline import Pipeline
from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.planner.proxy import Opening, Transport
from semafor.resources.core import service

Doc = dict[str, Any]
Key = tuple[str, str]
log = logging.getLogger(__name__)

NODE_ADDRESS = "127.0.0.1"
TAKEN = "semafor.io/PortTaken"  # errors of ports, in the Service's status
PRIVILEGED = "semafor.io/PrivilegedPort"
_SOCKETS: Mapping[str, socket.SocketKind] = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}
_EXPOSED = ("NodePort", "LoadBalancer")
_RETRY_S = 5.0  # a port that somebody else has may be free later
_QUIET_S = 0.005
_ADDRESSED_WITHIN_S = 1.0  # Services that were made this moment


def network(home: Path) -> IPv4Network:
    """The 254 addresses of the home, none of them below 127.2: the first ones have well-known uses."""
    digest = zlib.crc32(str(home).encode())
    return IPv4Network(f"127.{2 + digest % 252}.{(digest >> 8) % 256}.0/24")


Place = tuple[str, int, Transport]  # address, port


def why_not(place: Place) -> str:
    """Why this process could not listen there now; empty when it could."""
    address, port, protocol = place
    with socket.socket(type=_SOCKETS[protocol]) as probe:
        if protocol == "TCP":  # of UDP it would let two have the same port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            if protocol == "TCP":
                probe.listen(1)
        except PermissionError:
            return PRIVILEGED
        except OSError:
            return TAKEN
    return ""


async def reached(client: Client) -> list[Doc]:
    """How the machine reaches each gateway, once all have their addresses, or have had the time for it."""
    if gateways.complete(client.list(service.KIND)):
        return gateways.found(client.list(service.KIND))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_ADDRESSED_WITHIN_S):
            async for _ in client.watch(service.KIND):
                if gateways.complete(client.list(service.KIND)):
                    break
    return gateways.found(client.list(service.KIND))


class Openings:
    """`sockets` is the folder of unix sockets; `probe` says why a port cannot be had."""

    def __init__(
        self,
        client: Client,
        pipeline: Pipeline,
        addresses: IPv4Network,
        sockets: Path,
        *,
        probe: Callable[[Place], str] = why_not,
    ) -> None:
        self._client = client
        self._pipeline = pipeline
        self._addresses = addresses
        self._sockets = sockets
        self._probe = probe
        self._known: dict[Key, Doc] = {}
        self._given: dict[Key, str] = {}
        self._open: dict[Key, tuple[Opening, ...]] = {}
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Follow the Services, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(), name="openings: services")
            tasks.create_task(self._keep(), name="openings")

    async def _follow(self) -> None:
        async for change, obj in self._client.watch(service.KIND):
            key = (obj["metadata"]["namespace"], obj["metadata"]["name"])
            if change == "DELETED" or obj["spec"].get("type") not in _EXPOSED:
                self._known.pop(key, None)
            else:
                self._known[key] = obj
            self._changed.set()

    async def _keep(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(_QUIET_S)
            self._changed.clear()
            refused = self._renew()
            self._pipeline.open(tuple(sorted(_all(self._open), key=_place)))
            for key, obj in list(self._known.items()):
                await self._tell(key, obj, refused)
            if refused:
                asyncio.get_running_loop().call_later(_RETRY_S, self._changed.set)

    def _renew(self) -> dict[Place, str]:
        """Open what is wanted and can be had; return what cannot, with the reason."""
        for key in self._open.keys() - self._known.keys():
            self._open.pop(key), self._given.pop(key, None)
        refused: dict[Place, str] = {}
        for key, obj in sorted(self._known.items()):
            had = {_place(each) for each in _all(self._open)}
            mine = []
            for wanted in self._wanted(key, obj):
                place = _place(wanted)
                if wanted not in self._open.get(key, ()):
                    why = TAKEN if place in had else self._probe(place)
                    if why:
                        refused[place] = why
                        continue
                mine.append(wanted)
            self._open[key] = tuple(mine)
        return refused

    def _wanted(self, key: Key, obj: Doc) -> Iterator[Opening]:
        """The openings of a Service: node ports on the node's address, and its own ports on its own address."""
        for port in obj["spec"].get("ports") or ():
            protocol = port.get("protocol", "TCP")
            if protocol in _SOCKETS:
                digest = zlib.crc32(f"{key}{port['port']}{protocol}".encode())
                pipe = str(self._sockets / f"in-{digest:08x}.sock")
                if port.get("nodePort"):
                    yield Opening(NODE_ADDRESS, port["nodePort"], key, port["port"], pipe, protocol)
                if obj["spec"]["type"] == "LoadBalancer":
                    yield Opening(self._address(key, obj), port["port"], key, port["port"], pipe, protocol)

    def _address(self, key: Key, obj: Doc) -> str:
        """The Service's own address: the one that it asks for, the one that it had, or one that follows from its name.

        Asked for by `spec.loadBalancerIP`, as far as it is one of ours that nobody else has.
        """
        wanted, given = obj["spec"].get("loadBalancerIP") or "", self._given.get(key, "")
        if given and wanted in {"", given}:
            return given
        hosts = [str(host) for host in self._addresses.hosts()]
        taken = {address for other, address in self._given.items() if other != key}
        start = zlib.crc32("/".join(key).encode()) % len(hosts)
        known = [wanted, given, *(each.get("ip", "") for each in _ingress(obj))]
        candidates = [each for each in known if each in hosts] + hosts[start:] + hosts[:start]
        self._given[key] = next((each for each in candidates if each not in taken), hosts[start])
        return self._given[key]

    async def _tell(self, key: Key, obj: Doc, refused: dict[Place, str]) -> None:
        """Write the address into the status, and what cannot be had of its ports; tell of it by an event as well."""
        ingress: list[Doc] = []
        if obj["spec"]["type"] == "LoadBalancer":
            address = self._address(key, obj)
            ports = [_port(address, port, refused) for port in obj["spec"].get("ports") or ()]
            ingress = [{"ip": address, "ipMode": "Proxy", "ports": ports}]
        if _ingress(obj) == ingress:
            return
        patch = {"status": {"loadBalancer": {"ingress": ingress} if ingress else None}}
        try:
            await self._client.patch(service.KIND, *key, patch, subresource="status")
        except StatusError as error:
            log.debug("the status of service %s: %s", key, error)  # gone or changed; its watch brings it back
            return
        told = {(each["ip"], one["port"], one["protocol"]) for each in ingress for one in each["ports"]}
        for (address, port, protocol), why in refused.items():
            if (address, port, protocol) in told:
                message = f"port {port} of {address} cannot be had ({why}); use the node port on {NODE_ADDRESS}"
                await self._client.event(obj, "Warning", "PortNotOpen", message, source="semafor-openings")


def _all(known: dict[Key, tuple[Opening, ...]]) -> Iterable[Opening]:
    return (opening for openings in known.values() for opening in openings)


def _ingress(obj: Doc) -> list[Doc]:
    ingress: list[Doc] = obj.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    return ingress


def _place(opening: Opening) -> Place:
    return opening.address, opening.port, opening.protocol


def _port(address: str, port: Doc, refused: dict[Place, str]) -> Doc:
    number, protocol = port["port"], port.get("protocol", "TCP")
    why = refused.get((address, number, protocol), "")
    return {"port": number, "protocol": protocol} | ({"error": why} if why else {})
