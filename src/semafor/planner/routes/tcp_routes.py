"""Steps of tcp and tls routes as destinations of bytes, and the connections that each of them takes.

Envoy takes the chain with the narrowest network, then the narrowest server name; the API wants the first step that
matches. So each network of any step gets the names of all steps that take it, in their order, without those that an
earlier name covers: what is left of the two rules is the same.
"""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Literal

from semafor.base.struct import Value
from semafor.ir import Destination, Origin, TcpProxy
from semafor.planner import hosts
from semafor.planner.calling import clusters, passthrough
from semafor.planner.calling.view import View
from semafor.planner.mesh import Mesh
from semafor.planner.routes import layering, resolve
from semafor.planner.routes.step import L4Step, Target
from semafor.planner.routes.virtual_service import VirtualService
from semafor.planner.services.service import Service

Kind = Literal["tcp", "tls"]
_ANY = ""  # every network, every name


class Way(Value):
    """What carries connections to one of these networks, with one of these server names. Empty ones take all."""

    proxy: TcpProxy
    ranges: tuple[str, ...] = ()
    server_names: tuple[str, ...] = ()
    origin: Origin | None = None


def reaches(mesh: Mesh, service: Service) -> bool:
    """Whether a route may send bytes to the service, whatever its ports are declared to speak."""
    found = mesh.memo("hosts of bytes", (mesh.all_virtual_services,), lambda: frozenset(_hosts(mesh)))
    return service.host in found or any(alias.host in found for alias in mesh.aliases_of(service.host))


def _hosts(mesh: Mesh) -> Iterator[str]:
    for vs in mesh.all_virtual_services:
        yield from (target.host for step in (*vs.tcp, *vs.tls) for target in step.targets)


def of(mesh: Mesh, view: View, services: tuple[VirtualService, ...], port: int, kind: Kind) -> tuple[Way, ...]:
    """What the VirtualServices of one host say of the bytes of these callers at this port, no two for the same bytes.

    A step without a live destination is held: it is as absent.
    """

    def takes(step: L4Step) -> bool:
        held = mesh.options.hold and not destinations(mesh, view, step, port)
        return view.takes_bytes(step.source, port) and not held

    counted = layering.chosen(services, mesh.options.several_virtual_services)
    steps = layering.stacked(((vs.tcp if kind == "tcp" else vs.tls) for vs in counted), takes)
    return ways(mesh, view, steps, port)


def ways(mesh: Mesh, view: View, steps: tuple[L4Step, ...], port: int) -> tuple[Way, ...]:
    """The steps, of which the first that matches takes a connection, as ways that do not overlap."""
    found: dict[tuple[int, tuple[str, ...], bool], list[str]] = {}
    for network in _networks(steps):
        for number, names in _names(steps, network).items():
            found.setdefault((number, names, network == _ANY), []).append(network)
    return tuple(
        Way(
            proxy=proxy(mesh, view, steps[number], port),
            ranges=() if anywhere else tuple(networks),
            server_names=() if names == (_ANY,) else names,
            origin=steps[number].origin,
        )
        for (number, names, anywhere), networks in found.items()
    )


def _networks(steps: tuple[L4Step, ...]) -> Iterator[str]:
    """The networks in which another step counts than around them, and all addresses, if some step takes all."""
    named = tuple(dict.fromkeys(network for step in steps for network in step.ranges or (_ANY,)))
    for network in named:
        around = max(
            (other for other in named if other != network and _within(network, other)), key=_bits, default=None
        )
        if around is None or _names(steps, network) != _names(steps, around):
            yield network


def _bits(network: str) -> int:
    """A larger number for a narrower network."""
    return ip_network(network).prefixlen if network else -1


def _names(steps: tuple[L4Step, ...], network: str) -> dict[int, tuple[str, ...]]:
    """For connections to the network: the server names that each step (by its number) takes, without earlier ones'."""
    taken: list[str] = []
    found = {}
    for number, step in enumerate(steps):
        if any(_within(network, wider) for wider in step.ranges or (_ANY,)):
            fresh = [name for name in step.server_names or (_ANY,) if not any(_covers(old, name) for old in taken)]
            taken += fresh
            if fresh:
                found[number] = tuple(fresh)
    return found


def _within(network: str, wider: str) -> bool:
    if _ANY in {wider, network}:
        return wider == _ANY
    inner, outer = ip_network(network), ip_network(wider)
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type] # of one version


def _covers(old: str, name: str) -> bool:
    return old == _ANY or (name != _ANY and hosts.covers(old, name))


def proxy(mesh: Mesh, view: View, step: L4Step, listen_port: int) -> TcpProxy:
    """What carries the bytes of the step; where it has no destination, connections are closed.

    Its statistics are by the destination; of several, by the object. Source: Istio's buildOutboundNetworkFilters.
    """
    nowhere = (Destination(cluster=passthrough.BLACK_HOLE),)
    found, ref = destinations(mesh, view, step, listen_port) or nowhere, step.origin.ref
    prefix = found[0].cluster if len(found) == 1 else f"{ref.name}.{ref.namespace}"
    first = resolve.destination(mesh, view.namespace, step.targets[0], listen_port, view.labels)
    return clusters.tcp_proxy(prefix, found, first.said)


def destinations(mesh: Mesh, view: View, step: L4Step, listen_port: int) -> tuple[Destination, ...]:
    """The live destinations of the step with their weights; none when there is none.

    The connections of a target with a failure of its own are closed while it leads nowhere.
    """
    targets = step.targets if len(step.targets) == 1 else tuple(target for target in step.targets if target.weight)
    found = []
    for target in targets:
        cluster = _cluster(mesh, view, target, listen_port)
        if cluster or target.failure:
            found.append(
                Destination(cluster=cluster or passthrough.BLACK_HOLE, weight=target.weight or 1, origin=target.origin)
            )
    return tuple(found)


def _cluster(mesh: Mesh, view: View, target: Target, listen_port: int) -> str:
    """The cluster of the target; empty while it is not live."""
    found = resolve.destination(mesh, view.namespace, target, listen_port, view.labels)
    return found.carrier if found.live or not mesh.options.hold else ""
