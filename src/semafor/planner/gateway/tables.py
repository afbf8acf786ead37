"""Route tables of a gateway: one for all HTTP servers of an entrance, and one for each HTTPS server.

Names are Istio's, which istioctl knows: `http.8080`, `https.443.NAME.GATEWAY.NAMESPACE`.
"""

from collections.abc import Iterator, Mapping

from semafor.base.struct import Value
from semafor.ir import RouteTable, VirtualHost
from semafor.planner.calling.view import View
from semafor.planner.gateway.attached import Attached
from semafor.planner.gateway.entrances import EVERY_ADDRESS, Entrance
from semafor.planner.gateway.server import Server
from semafor.planner.mesh import Mesh
from semafor.planner.routes import http_routes
from semafor.planner.routes.step import Step

Said = Mapping[Server, tuple[Attached, ...]]


class _Spot(Value):
    """A domain in one table of one gateway: other tables, and other gateways, have the same domain for others."""

    view: View
    servers: tuple[Server, ...]
    domain: str
    redirects: bool


def name(entrance: Entrance, server: Server) -> str:
    """The table of the server."""
    bind = "" if entrance.address == EVERY_ADDRESS else f".{entrance.address}"
    if server.speaks == "http":
        return f"http.{entrance.port}{bind}"
    gateway = server.gateway
    twins = [one for one in entrance.servers if _key(one) == _key(server)]
    twin = f"~{twins.index(server)}" if twins.index(server) else ""
    return f"https.{server.port}.{server.port_name}.{gateway.name}.{gateway.namespace}{bind}{twin}"


def _key(server: Server) -> tuple[object, ...]:
    return server.gateway, server.port, server.port_name, server.speaks


def plan(mesh: Mesh, view: View, entrance: Entrance, said: Said) -> Iterator[RouteTable]:
    """The tables of the entrance."""
    grouped: dict[str, list[Server]] = {}
    for server in entrance.servers:
        if server.carries_requests:
            grouped.setdefault(name(entrance, server), []).append(server)
    for table, servers in grouped.items():
        yield RouteTable(name=table, hosts=tuple(_hosts(mesh, view, servers, said)), any_port=True)


def _hosts(mesh: Mesh, view: View, servers: list[Server], said: Said) -> Iterator[VirtualHost]:
    """The virtual hosts of servers that share a table; what two of them say of a domain, the older one says first."""
    merged: dict[str, Attached] = {}
    for server in servers:
        for attached in said[server]:
            for domain in attached.domains:
                merged[domain] = _joined(merged.get(domain), attached)
    redirecting = {server: said[server] for server in servers if server.redirects}
    own = {host.name for server in redirecting for host in server.hosts}
    redirected = own | {domain for found in redirecting.values() for each in found for domain in each.domains}
    for domain in [*merged, *sorted(own - merged.keys())]:
        spot = _Spot(view=view, servers=tuple(servers), domain=domain, redirects=domain in redirected)
        yield _host(mesh, spot, merged.get(domain, Attached()))


def _joined(first: Attached | None, then: Attached) -> Attached:
    """Both; the conditional steps of the first go first, and its step for all requests is the last one."""
    if first is None:
        return then
    steps = (*first.steps, *(step for step in then.steps if step not in first.steps))
    conditional = tuple(step for step in steps if not step.match.is_catch_all)
    rest = tuple(step for step in steps if step.match.is_catch_all)
    return Attached(domains=first.domains, steps=(*conditional, *rest[:1]), origin=first.origin)


def _host(mesh: Mesh, spot: _Spot, attached: Attached) -> VirtualHost:
    view, domain, port = spot.view, spot.domain, spot.servers[0].port
    scheme: http_routes.Scheme = "https" if spot.servers[0].tls else "http"
    services = (mesh.service(host, view.namespace) for host in attached.hosts)
    inputs: tuple[object, ...] = (attached, mesh.options)
    for service in services:
        if service:
            inputs += (service, mesh.instances(service), mesh.rule(service.host, view.namespace, service.namespace))
    return mesh.memo(
        ("gateway host", spot),
        inputs,
        lambda: VirtualHost(
            name=f"{domain}:{port}",
            domains=(domain,),
            routes=http_routes.routes(mesh, view, _reachable(attached.steps), port, scheme=scheme),
            https_only=spot.redirects,
            origin=attached.origin,
        ),
    )


def _reachable(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps up to the one that takes everything."""
    for index, step in enumerate(steps):
        if step.match.is_catch_all:
            return steps[: index + 1]
    return steps
