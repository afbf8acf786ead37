"""ir.RouteTable -> envoy.config.route.v3.RouteConfiguration, joined from the bytes of its virtual hosts.

Proxies with different views share most virtual hosts, so those are the unit that is remembered.
"""

from collections.abc import Iterable
from typing import Any, Final

from semafor import ir
from semafor.base import protobuf
from semafor.envoy.pool import Pool
from semafor.envoy.render import actions, http_filters, labels, matches
from semafor.envoy.render.shape import Fields, wrap

_NAME: Final = "envoy.config.route.v3.RouteConfiguration"
_VIRTUAL_HOSTS_FIELD: Final = 2
_OF_PROXIES: Final = ("x-envoy-peer-metadata", "x-envoy-peer-metadata-id")  # who says so is no proxy of ours
_MAX_DIRECT_RESPONSE_BYTES: Final = 1 << 20  # Istio's limit; Envoy's own, 4 KiB, refuses whole tables


def joined(pool: Pool, node: ir.RouteTable, virtual_hosts: Iterable[bytes]) -> bytes:
    """The serialized table out of virtual hosts that `framed` made."""
    head: bytes = pool(_NAME, **_head(node)).SerializeToString(deterministic=True)
    return head + b"".join(virtual_hosts)


def framed(message: Any) -> bytes:
    """A virtual host as a field of its table."""
    return protobuf.delimited(_VIRTUAL_HOSTS_FIELD, message.SerializeToString(deterministic=True))


def table(pool: Pool, node: ir.RouteTable) -> Any:
    """The same as a message, for connections that carry their routes themselves."""
    hosts = [virtual_host(pool, host) for host in node.hosts]
    return pool(_NAME, virtual_hosts=hosts, **_head(node))


def virtual_host(pool: Pool, node: ir.VirtualHost) -> Any:
    return pool(
        "envoy.config.route.v3.VirtualHost",
        name=node.name,
        domains=node.domains,
        routes=[_route(pool, route) for route in node.routes],
        require_tls="ALL" if node.https_only else "NONE",
    )


def failing(node: ir.VirtualHost, reason: str) -> ir.VirtualHost:
    """The virtual host with an answer that gives the reason in place of its routes."""
    route = ir.Route(match=ir.RouteMatch(), action=ir.Fail(reason=reason))
    return ir.VirtualHost(name=node.name, domains=node.domains, routes=(route,), origin=node.origin)


def _route(pool: Pool, node: ir.Route) -> Fields:
    return {
        "name": node.name,
        "match": matches.route_match(node.match),
        **actions.action(pool, node.action),
        **actions.headers(node.request, node.response),
        **http_filters.for_route(pool, node),
        "stat_prefix": node.stat_prefix,
        **_named(node.named),
    }


def _head(node: ir.RouteTable) -> Fields:
    return {
        "name": node.name,
        "validate_clusters": wrap(False),  # noqa: FBT003 one missing cluster must not cost all the others their routes
        "max_direct_response_body_size_bytes": wrap(_MAX_DIRECT_RESPONSE_BYTES),
        "ignore_port_in_host_matching": node.any_port,
        "internal_only_headers": _OF_PROXIES,
    }


def _named(name: str) -> Fields:
    """What metrics call the destination."""
    return {"metadata": {"filter_metadata": {labels.NAMESPACE: labels.said_of_route(name)}}} if name else {}
