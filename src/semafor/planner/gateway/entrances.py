"""Entrances: the ports of a gateway's pod, and the servers of all Gateway objects that share each of them.

Gateway a ─ port 443, a.com ─┐  Service 443 ─▶ 8443
Gateway b ─ port 443, b.com ─┴─────────────────▶ entrance 8443 ─ by server name ─▶ servers of a and b

Source: Istio's MergeGateways. The older object wins what two of them want; the other is told.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.planner import reserved
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.gateway import sources
from semafor.planner.gateway.server import Gateway, ServedHost, Server
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Transport, Workload
from semafor.planner.services import service

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 -- what a gateway is for


class Entrance(Value):
    """One address and port of the pod. Its servers are all of one sort: HTTP, TLS told apart by server name, or TCP.

    One for datagrams has a single server.
    """

    address: str
    port: int
    servers: tuple[Server, ...]
    transport: Transport = "TCP"

    @property
    def name(self) -> str:
        return f"{self.address}_{self.port}{'_udp' if self.transport == 'UDP' else ''}"


def of(mesh: Mesh, workload: Workload) -> tuple[tuple[Entrance, ...], tuple[Problem, ...]]:
    """The entrances of the pod, by port, and who did not get in."""
    found: dict[tuple[str, int, Transport], list[Server]] = {}
    told: list[Problem] = []
    for gateway in selecting(mesh, workload):
        for server in gateway.servers:
            for port in _ports(mesh, workload, server):
                if port in reserved.PORTS:
                    told.append(problems.reserved_port(at(server.origin, "port"), port))
                    continue
                others = found.setdefault((server.bind or EVERY_ADDRESS, port, server.transport), [])
                fitting, mistakes = _fitting(server, others)
                told += mistakes
                others += [fitting] if fitting else []
    entrances = (
        Entrance(address=address, port=port, servers=tuple(servers), transport=transport)
        for (address, port, transport), servers in sorted(found.items(), key=lambda each: (each[0][1], each[0]))
    )
    return tuple(each for each in entrances if each.servers), tuple(dict.fromkeys(told))


def selecting(mesh: Mesh, workload: Workload) -> Iterator[Gateway]:
    """The Gateway objects that the pod serves, the oldest first."""
    labels = set(workload.labels)
    for gateway in sources.gateways(mesh):
        if gateway.pods_in in {"", workload.namespace} and set(gateway.selector) <= labels:
            yield gateway


def _ports(mesh: Mesh, workload: Workload, server: Server) -> tuple[int, ...]:
    """Where the pod listens for what clients send to the server's port; without a Service, at that very port."""
    found: dict[int, None] = {}
    for known in mesh.services.values():
        named = known.udp_port(server.port) if server.transport == "UDP" else known.port(server.port)
        if named and service.selects(known, workload) and (number := service.target_port(named, workload)):
            found[number] = None
    return tuple(found) or (server.port,)


def _fitting(server: Server, others: list[Server]) -> tuple[Server | None, tuple[Problem, ...]]:
    """The server with what it can have beside the others of its port; None when it can have nothing."""
    if not others:
        return server, ()
    first = others[0]
    if server.tls is None or first.tls is None:
        if server.speaks == first.speaks == "http":
            return server, ()
        return None, (problems.port_conflict(at(server.origin, "port"), server.port, first.origin),)
    return _distinct_names(server, others)


def _distinct_names(server: Server, others: list[Server]) -> tuple[Server | None, tuple[Problem, ...]]:
    """TLS servers are told apart by the names that clients ask for, so each name has one of them."""
    taken = {name: other.origin for other in reversed(others) for name in server_names(other) or ("*",)}
    kept: list[ServedHost] = []
    told = []
    for host in server.hosts:
        if host.name in taken:
            told.append(problems.host_conflict(at(server.origin, "hosts"), host.name, taken[host.name]))
        else:
            kept.append(host)
    return (replace(server, hosts=tuple(kept)) if kept else None), tuple(told)


def server_names(server: Server) -> tuple[str, ...]:
    """The names that a client's TLS hello may ask for; none stands for any."""
    names = tuple(dict.fromkeys(host.name for host in server.hosts))
    return () if "*" in names else names
