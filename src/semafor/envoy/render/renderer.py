"""Assemble the resources of a plan out of its remembered parts."""

from collections.abc import Callable, Mapping
from typing import Any

from semafor import ir
from semafor.base import xds
from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.base.xds import Resource, Resources
from semafor.envoy import secrets
from semafor.envoy.check import Checker
from semafor.envoy.patch import Patched, Patcher
from semafor.envoy.pool import Pool, resource
from semafor.envoy.render import clusters, dns, endpoints, listener, routes
from semafor.envoy.render.memo import Memo

Named = Mapping[str, Resource]
_NOBODY = ObjectRef(kind="Mesh", name="semafor")  # a part that stands for no object: our own mistake


class _Host(Value):
    """The bytes of a virtual host, and what Envoy would have refused in it."""

    frame: bytes
    problems: tuple[Problem, ...]


class Renderer:
    """Keeps nothing but the memo: equal plans give equal resources, and unchanged parts the very same objects."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._checker = Checker(pool)
        self._memo = Memo()
        self._patcher = Patcher(pool, self._checker, self._memo)

    def render(self, plan: ir.Plan) -> Resources:
        """Everything that the proxy of this plan is told, but for its own identity (see `secrets`)."""
        self._memo.make_room(_parts(plan))
        by_type = {
            xds.CLUSTER: self._memo(self._clusters, (plan.clusters, plan.dns)),
            xds.ENDPOINTS: self._memo(self._endpoints, plan.endpoints),
            xds.LISTENER: self._memo(self._listeners, (plan.listeners, plan.dns)),
            xds.ROUTES: self._memo(self._routes, plan.routes),
            **self._memo(self._secrets, plan.credentials),
        }
        return Resources(by_type)

    def problems(self, plan: ir.Plan) -> tuple[Problem, ...]:
        """What of the plan Envoy would refuse. One such virtual host would cost all others of its table their changes,
        so it is rendered as an answer that says what is wrong with it.
        """
        return tuple(problem for table in plan.routes for problem in self._memo(self._violations, table))

    def patched(self, rendered: Resources, plan: ir.Plan) -> Patched:
        """What `render` made of the plan, with the plan's patches applied."""
        return self._patcher.apply(rendered, plan)

    def bootstrap(self, document: bytes, patches: tuple[ir.Patch, ...]) -> bytes:
        """A bootstrap with those of the patches that are for it."""
        return self._patcher.bootstrap(document, patches)

    def judge(self, patch: ir.Patch) -> tuple[Problem, ...]:
        """What is wrong with a patch, whatever it is applied to."""
        return self._patcher.decode(patch).problems

    def _clusters(self, nodes: tuple[tuple[ir.Cluster, ...], ir.DnsRelay | None]) -> Named:
        return {**self._each(self._cluster, nodes[0]), **self._memo(self._dns_clusters, nodes[1])}

    def _listeners(self, nodes: tuple[tuple[ir.Listener, ...], ir.DnsRelay | None]) -> Named:
        return {**self._each(self._listener, nodes[0]), **self._memo(self._dns_listeners, nodes[1])}

    def _endpoints(self, nodes: tuple[ir.EndpointSet, ...]) -> Named:
        return self._each(self._endpoint_set, nodes)

    def _routes(self, nodes: tuple[ir.RouteTable, ...]) -> Named:
        return self._each(self._route_table, nodes)

    def _secrets(self, nodes: tuple[ir.Credential, ...]) -> Mapping[str, Named]:
        return {xds.SECRET: self._each(self._credential, nodes)} if nodes else {}

    def _each(self, make: Callable[[Any], Resource], nodes: tuple[Any, ...]) -> Named:
        made = (self._memo(make, node) for node in nodes)
        return {one.name: one for one in made}

    def _cluster(self, node: ir.Cluster) -> Resource:
        return resource(node.name, clusters.cluster(self._pool, node))

    def _listener(self, node: ir.Listener) -> Resource:
        return resource(node.name, listener.listener(self._pool, node), needs=tuple(listener.needs(node)))

    def _credential(self, node: ir.Credential) -> Resource:
        return secrets.credential(self._pool, node)

    def _dns_clusters(self, node: ir.DnsRelay | None) -> Named:
        return _by_name(dns.clusters(self._pool, node)) if node else {}

    def _dns_listeners(self, node: ir.DnsRelay | None) -> Named:
        return _by_name(dns.listeners(self._pool)) if node else {}

    def _route_table(self, node: ir.RouteTable) -> Resource:
        frames = (host.frame for host in self._memo(self._hosts, node))
        return xds.resource(xds.ROUTES, node.name, routes.joined(self._pool, node, frames))

    def _hosts(self, node: ir.RouteTable) -> list[_Host]:
        return [self._memo(self._virtual_host, host) for host in node.hosts]

    def _violations(self, node: ir.RouteTable) -> tuple[Problem, ...]:
        return tuple(problem for host in self._memo(self._hosts, node) for problem in host.problems)

    def _virtual_host(self, node: ir.VirtualHost) -> _Host:
        message = routes.virtual_host(self._pool, node)
        violations = self._checker.violations(message)
        if not violations:
            return _Host(routes.framed(message), ())
        reason = "; ".join(violations)
        instead = routes.virtual_host(self._pool, routes.failing(node, reason))
        return _Host(routes.framed(instead), (_problem(node, reason),))

    def _endpoint_set(self, node: ir.EndpointSet) -> Resource:
        body = endpoints.assignment(self._pool, node)
        return xds.resource(xds.ENDPOINTS, node.cluster, body, is_empty=not node.endpoints)


def _parts(plan: ir.Plan) -> int:
    """How many parts of the plan are remembered by themselves."""
    hosts = sum(len(table.hosts) for table in plan.routes)
    return hosts + len(plan.routes) + len(plan.clusters) + len(plan.endpoints) + len(plan.listeners)


def _by_name(messages: tuple[Any, ...]) -> Named:
    return {message.name: resource(message.name, message) for message in messages}


def _problem(node: ir.VirtualHost, reason: str) -> Problem:
    origin = node.origin or next((route.origin for route in node.routes if route.origin), None)
    return Problem(
        ref=origin.ref if origin else _NOBODY,
        path=origin.path if origin else "",
        reason="RefusedByEnvoy",
        message=f"the routes of {', '.join(node.domains)} answer 503, because Envoy takes no such value: {reason}",
        severity="error",
    )
