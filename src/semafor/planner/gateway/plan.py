"""The plan of a gateway: what it listens on, where its routes lead, and nothing that they do not lead to.

entrances ─▶ each: listeners ─ chains ─ tables or bytes ─▶ clusters of the services that are named there
"""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from semafor.ir import (
    Cluster,
    Credential,
    Destination,
    EndpointSet,
    FilterChain,
    Forward,
    Listener,
    Plan,
    RouteTable,
    TcpProxy,
)
from semafor.planner import authorization, connections
from semafor.planner.calling import outbound, passthrough
from semafor.planner.calling import view as views
from semafor.planner.calling.view import View
from semafor.planner.gateway import auto, credentials, entrances, listeners, sources, tables, udp
from semafor.planner.gateway.attached import Attached
from semafor.planner.gateway.entrances import Entrance
from semafor.planner.gateway.server import Server
from semafor.planner.gateway_api import serving
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Proxy, Workload
from semafor.planner.telemetry import wanted
from semafor.planner.telemetry.given import given

Said = Mapping[Server, tuple[Attached, ...]]
_ANY = ("*",)  # whichever Gateway objects the pod serves: it is one


def plan(mesh: Mesh, proxy: Proxy) -> Plan:
    """What the gateway is told. It serves one workload, or replicas of one."""
    if not proxy.workloads:
        return Plan(proxy=proxy.id)
    workload = proxy.workloads[0]
    view = replace(views.of(mesh, workload), client=serving.client(mesh, workload))
    found, _ = entrances.of(mesh, workload)
    said = {server: sources.attached(mesh, server, view) for each in found for server in each.servers}
    made = listeners.plan(mesh, proxy, found, said)
    routes = tuple(table for each in found for table in tables.plan(mesh, view, each, said))
    reached = _reached(mesh, view, tuple(said.values()), {*_by_routes(routes), *_by_listeners(made)})
    by_name = tuple(pair for each in found for server in each.servers for pair in _asked_for(mesh, view, server, said))
    reached += tuple({cluster.name: (cluster, members) for cluster, members in by_name}.values())
    asked = authorization.added(authorization.of(mesh, proxy), (cluster for cluster, _ in reached))
    reached += tuple((one.cluster, one.endpoints) for one in asked)
    told = wanted.of(mesh, proxy)
    listening = wanted.added(told, (cluster for cluster, _ in reached))
    reached += tuple((one.cluster, one.endpoints) for one in listening)
    return Plan(
        proxy=proxy.id,
        listeners=connections.settled(mesh, workload.namespace, given(mesh, told, made)),
        routes=routes,
        clusters=(passthrough.nowhere(), *(cluster for cluster, _ in reached)),
        endpoints=tuple(members for _, members in reached if members),
        credentials=_credentials(mesh, workload, found, tuple(cluster for cluster, _ in reached)),
    )


def _asked_for(mesh: Mesh, view: View, server: Server, said: Said) -> Iterator[tuple[Cluster, EndpointSet | None]]:
    """What callers reach through the server by the names that they ask for, or by sending it datagrams."""
    if auto.is_auto(server):
        yield from auto.clusters(mesh, view, server)
    if server.speaks == "udp":
        yield from udp.clusters(mesh, server, said[server])


def _credentials(
    mesh: Mesh, workload: Workload, found: tuple[Entrance, ...], reached: tuple[Cluster, ...]
) -> tuple[Credential, ...]:
    """What servers show their clients, and the gateway those that it calls."""
    servers = (server for each in found for server in each.servers if server.tls)
    used = {one.name: one for server in servers for one in credentials.of(mesh, server, workload.namespace).used}
    used |= {one.name: one for cluster in reached for one in cluster.credentials}
    return tuple(used[name] for name in sorted(used))


def _by_routes(routes: tuple[RouteTable, ...]) -> Iterator[str]:
    """The clusters that requests are sent or copied to."""
    actions = (route.action for table in routes for host in table.hosts for route in host.routes)
    for action in actions:
        if isinstance(action, Forward):
            yield from (target.cluster for target in action.destinations)
            yield from (mirror.cluster for mirror in action.mirrors)


def _by_listeners(made: tuple[Listener, ...]) -> Iterator[str]:
    """The clusters that bytes are sent to."""
    for listener in made:
        for chain in listener.chains:
            yield from (target.cluster for target in _destinations(chain))


def _destinations(chain: FilterChain) -> tuple[Destination, ...]:
    return chain.filter.destinations if isinstance(chain.filter, TcpProxy) else ()


def _reached(
    mesh: Mesh, view: View, said: tuple[tuple[Attached, ...], ...], names: set[str]
) -> tuple[tuple[Cluster, EndpointSet | None], ...]:
    """The clusters with these names, with their endpoints, of the services that steps name."""
    hosts = {host for attached in said for each in attached for host in each.hosts}
    services = (mesh.service(host, view.namespace) for host in sorted(hosts))
    caller = replace(view, gateways=_ANY)
    pairs = (pair for service in services if service for pair in outbound.clusters_of(mesh, caller, service))
    return tuple(pair for pair in pairs if pair[0].name in names)
