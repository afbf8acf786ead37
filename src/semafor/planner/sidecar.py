"""The plan of a sidecar: what its workloads receive, and what all callers of their view may call."""

from semafor.ir import Plan
from semafor.planner import authorization, connections, dns, inbound
from semafor.planner.calling import outbound, view
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Proxy
from semafor.planner.telemetry import wanted
from semafor.planner.telemetry.given import given


def plan(mesh: Mesh, proxy: Proxy) -> Plan:
    """What the sidecar is told. Workloads that share one also share namespace and labels, as replicas do."""
    if not proxy.workloads:
        return Plan(proxy=proxy.id)
    out = outbound.plan(mesh, view.of(mesh, proxy.workloads[0]))
    modes = inbound.modes(mesh, proxy)
    inputs = (mesh.by_host, mesh.peer_authentications, mesh.sidecars)
    named = mesh.memo(("inbound", proxy.workloads), inputs, lambda: inbound.entries(mesh, proxy))
    checks = authorization.of(mesh, proxy)
    received = inbound.listener(mesh, named, modes=modes, checks=checks)
    bound = inbound.bound(mesh, named, modes=modes, checks=checks)
    told = wanted.of(mesh, proxy)
    asked = authorization.added(checks, out.clusters)
    asked += wanted.added(told, (*out.clusters, *(one.cluster for one in asked)))
    listeners = (*out.listeners, received, *bound)
    return Plan(
        proxy=proxy.id,
        listeners=connections.settled(mesh, proxy.workloads[0].namespace, given(mesh, told, listeners)),
        routes=out.tables,
        clusters=(*out.clusters, *(one.cluster for one in asked), *inbound.clusters(named, marks=mesh.options.marks)),
        endpoints=(*out.endpoints, *(one.endpoints for one in asked if one.endpoints)),
        credentials=out.credentials,
        dns=dns.relay(mesh),
    )
