"""Servers of mode AUTO_PASSTHROUGH: the TLS of other networks' sidecars, led on by the server name that they ask for.

That name is of the cluster that the caller's sidecar chose: `outbound_.80_.v1_.model.default.svc.cluster.local`.
Only instances that end the mesh's own TLS are behind it, so nobody gets in without an identity.
Source: Istio's builtAutoPassthroughFilterChains.
"""

from collections.abc import Iterator
from functools import partial

from msgspec.structs import replace

from semafor.ir import ChainMatch, Cluster, Destination, EndpointSet, FilterChain, TcpProxy
from semafor.planner import hosts
from semafor.planner.calling import outbound
from semafor.planner.calling.upstream_tls import ISTIO, ISTIO_HTTP
from semafor.planner.calling.view import View
from semafor.planner.gateway.server import Server
from semafor.planner.mesh import Mesh


def is_auto(server: Server) -> bool:
    return server.tls is not None and server.tls.mode == "auto_passthrough"


def chains(mesh: Mesh, view: View, server: Server) -> Iterator[FilterChain]:
    """A chain for each cluster of the services whose hosts the server has."""
    for cluster, _ in clusters(mesh, view, server):
        match = ChainMatch(transport="tls", server_names=(cluster.name,), alpn=(ISTIO_HTTP, ISTIO))
        filter_ = TcpProxy(stat_prefix=cluster.name, destinations=(Destination(cluster=cluster.name),))
        yield FilterChain(name=cluster.name, match=match, filter=filter_, origin=server.origin)


def clusters(mesh: Mesh, view: View, server: Server) -> Iterator[tuple[Cluster, EndpointSet]]:
    """The clusters, by the names that callers ask for, as bytes to instances of the mesh."""
    for service in mesh.visible(view.namespace).values():
        if not service.external and any(hosts.covers(host.name, service.host) for host in server.hosts):
            pairs = outbound.clusters_of(mesh, view, service)
            yield from mesh.memo(("auto", service.host, view), (pairs,), partial(_passed, pairs))


def _passed(pairs: tuple[tuple[Cluster, EndpointSet | None], ...]) -> tuple[tuple[Cluster, EndpointSet], ...]:
    found: dict[str, tuple[Cluster, EndpointSet]] = {}
    for cluster, members in pairs:
        name = cluster.tls.sni if cluster.tls else ""
        if members and name.startswith("outbound_"):
            bare = replace(cluster, name=name, tls=None, http=None)
            found.setdefault(name, (bare, _of_mesh(name, members)))
    return tuple(found.values())


def _of_mesh(name: str, members: EndpointSet) -> EndpointSet:
    """The instances that end the mesh's TLS."""
    groups = []
    for group in members.localities:
        kept = tuple(endpoint for endpoint in group.endpoints if endpoint.tls_mode == "istio")
        if kept:
            groups.append(replace(group, endpoints=kept))
    return replace(members, cluster=name, localities=tuple(groups))
