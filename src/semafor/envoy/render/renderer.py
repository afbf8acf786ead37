"""Assemble the resources of a plan out of its remembered parts."""

from collections.abc import Callable, Mapping
from typing import Any

from semafor import ir
from semafor.base import xds
from semafor.base.xds import Resource, Resources
from semafor.envoy.pool import Pool, resource
from semafor.envoy.render import clusters, dns, endpoints, listener, routes
from semafor.envoy.render.memo import Memo

Named = Mapping[str, Resource]


class Renderer:
    """Keeps nothing but the memo: equal plans give equal resources, and unchanged parts the very same objects."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._memo = Memo()

    def render(self, plan: ir.Plan) -> Resources:
        """Everything that the proxy of this plan is told, but for its secrets (see `secrets`)."""
        by_type = {
            xds.CLUSTER: self._memo(self._clusters, plan.clusters),
            xds.ENDPOINTS: self._memo(self._endpoints, plan.endpoints),
            xds.LISTENER: self._memo(self._listeners, (plan.listeners, plan.dns)),
            xds.ROUTES: self._memo(self._routes, plan.routes),
        }
        return Resources(by_type)

    def _clusters(self, nodes: tuple[ir.Cluster, ...]) -> Named:
        return self._each(self._cluster, nodes)

    def _endpoints(self, nodes: tuple[ir.EndpointSet, ...]) -> Named:
        return self._each(self._endpoint_set, nodes)

    def _routes(self, nodes: tuple[ir.RouteTable, ...]) -> Named:
        return self._each(self._route_table, nodes)

    def _listeners(self, nodes: tuple[tuple[ir.Listener, ...], ir.DnsTable | None]) -> Named:
        named = self._each(self._listener, nodes[0])
        return named if nodes[1] is None else {**named, **self._each(self._dns, (nodes[1],))}

    def _each(self, make: Callable[[Any], Resource], nodes: tuple[Any, ...]) -> Named:
        made = (self._memo(make, node) for node in nodes)
        return {one.name: one for one in made}

    def _cluster(self, node: ir.Cluster) -> Resource:
        return resource(node.name, clusters.cluster(self._pool, node))

    def _listener(self, node: ir.Listener) -> Resource:
        return resource(node.name, listener.listener(self._pool, node))

    def _dns(self, node: ir.DnsTable) -> Resource:
        return resource(dns.NAME, dns.listener(self._pool, node))

    def _route_table(self, node: ir.RouteTable) -> Resource:
        hosts = [self._memo(self._virtual_host, host) for host in node.hosts]
        return xds.resource(xds.ROUTES, node.name, routes.joined(self._pool, node.name, hosts))

    def _virtual_host(self, node: ir.VirtualHost) -> bytes:
        return routes.framed(routes.virtual_host(self._pool, node))

    def _endpoint_set(self, node: ir.EndpointSet) -> Resource:
        return xds.resource(xds.ENDPOINTS, node.cluster, endpoints.joined(self._pool, node, self._lb_endpoint))

    def _lb_endpoint(self, node: ir.Endpoint) -> bytes:
        return self._memo(self._new_lb_endpoint, node)

    def _new_lb_endpoint(self, node: ir.Endpoint) -> bytes:
        return endpoints.framed(endpoints.lb_endpoint(self._pool, node))
