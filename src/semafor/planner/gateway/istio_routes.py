"""VirtualServices at gateways: which of them a server has, for which hosts.

Source: Istio's buildGatewayHTTPRouteConfig, and its reference of Gateway, `hosts`.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from semafor.planner import hosts
from semafor.planner.calling.view import View
from semafor.planner.gateway.attached import Attached
from semafor.planner.gateway.server import ANY, Gateway, ServedHost, Server
from semafor.planner.mesh import Mesh
from semafor.planner.routes import layering, resolve
from semafor.planner.routes.step import L4Step, Step
from semafor.planner.routes.virtual_service import VirtualService


def gateways(mesh: Mesh) -> tuple[Gateway, ...]:
    """All Gateway objects of Istio's."""
    return tuple(mesh.gateways.values())


def attached(mesh: Mesh, server: Server, view: View) -> tuple[Attached, ...]:
    """What VirtualServices say of the server's hosts."""
    asking = replace(view, gateways=(f"{server.gateway.namespace}/{server.gateway.name}",))
    by_host = served(mesh, server, view.namespace)
    if not server.carries_requests:
        return _bytes(server, asking, by_host)
    return tuple(_kept(mesh, server, asking, host, services) for host, services in by_host.items())


def bound(mesh: Mesh, gateway: str) -> tuple[VirtualService, ...]:
    """The VirtualServices that name the gateway, the newest first."""

    def index() -> Mapping[str, tuple[VirtualService, ...]]:
        found: dict[str, list[VirtualService]] = {}
        for vs in sorted(mesh.routed.values(), key=lambda vs: vs.age, reverse=True):
            for name in vs.gateways:
                found.setdefault(name, []).append(vs)
        return {name: tuple(services) for name, services in found.items()}

    return mesh.memo("bound to gateways", (mesh.routed,), index).get(gateway, ())


def served(mesh: Mesh, server: Server, namespace: str) -> Mapping[str, tuple[VirtualService, ...]]:
    """The hosts of the server that there are routes for, as pods of `namespace` see them, the newest object first."""

    def find() -> Mapping[str, tuple[VirtualService, ...]]:
        found: dict[str, list[VirtualService]] = {}
        for vs in bound(mesh, f"{server.gateway.namespace}/{server.gateway.name}"):
            if hosts.visible(vs.export_to, vs.origin.ref.namespace, namespace):
                for host in common(server.hosts, vs):
                    found.setdefault(host, []).append(vs)
        return {host: tuple(found[host]) for host in sorted(found)}

    return mesh.memo(("served", server, namespace), (mesh.routed,), find)


def common(served_hosts: tuple[ServedHost, ...], vs: VirtualService) -> tuple[str, ...]:
    """What the server's hosts and the object's have in common: of each two that overlap, the narrower one."""
    mine = {each.name for each in served_hosts if each.namespace in {ANY, vs.origin.ref.namespace}}
    theirs = {host.lower() for host in vs.hosts}
    return tuple(sorted((mine & theirs) | _covered(mine, theirs) | _covered(theirs, mine)))


def _covered(patterns: set[str], names: set[str]) -> set[str]:
    """The names that a wildcard takes. Only wildcards are compared one by one: objects can have thousands of hosts."""
    wildcards = [pattern for pattern in patterns if pattern.startswith("*")]
    return {name for name in names if any(hosts.covers(pattern, name) for pattern in wildcards)}


def _kept(mesh: Mesh, server: Server, view: View, host: str, services: tuple[VirtualService, ...]) -> Attached:
    inputs = (mesh.options, *resolve.inputs(mesh, view.namespace, services))
    return mesh.memo(("attached", server, view, host), inputs, lambda: _attached(mesh, server, view, host, services))


def _attached(mesh: Mesh, server: Server, view: View, host: str, services: tuple[VirtualService, ...]) -> Attached:
    """The host with its steps: those that are live, then the others, which say why they are not."""
    port = server.port

    def takes(step: Step) -> bool:
        return view.takes(step.source, port)

    def is_live(step: Step) -> bool:
        return takes(step) and resolve.live(mesh, view.namespace, step, port)

    ordered = services if mesh.options.several_virtual_services == "layered" else services[::-1]
    steps = layering.layer(ordered, is_live)
    if not steps or not steps[-1].match.is_catch_all:
        steps += tuple(step for step in layering.layer(ordered, takes) if step not in steps)
    return Attached(domains=(host,), steps=steps, origin=services[0].origin)


def _bytes(server: Server, view: View, by_host: Mapping[str, tuple[VirtualService, ...]]) -> tuple[Attached, ...]:
    """The steps of a server that does not look into what is said. TLS that ends here goes by tcp routes."""
    passes = server.tls is not None and not server.tls.ends_here
    services = dict.fromkeys(vs for found in by_host.values() for vs in found)
    steps: list[L4Step] = []
    for vs in sorted(services, key=lambda vs: vs.age, reverse=True):
        steps += [step for step in (vs.tls if passes else vs.tcp) if view.takes_bytes(step.source, server.port)]
    return (Attached(l4=tuple(steps)),) if steps else ()
