"""The HTTP filters of a connection, one module each.

A module has `for_connection(pool, connection)`, which gives the filter's fields: none where it is not needed.
One that routes configure has `for_route(pool, part)`, which gives its entry of `typed_per_filter_config`.
"""

from types import ModuleType
from typing import Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render.http_filters import (
    cors,
    dynamic_hosts,
    ext_authz,
    fault,
    grpc_messages,
    rbac,
    router,
    tap,
    tokens,
)
from semafor.envoy.render.shape import Fields

ORDER: Final[tuple[ModuleType, ...]] = (
    grpc_messages,  # counts what others answer, too
    tap,  # before all that decide, so that it shows what they refuse
    tokens,  # first of those that decide: what they prove counts for what is allowed
    ext_authz,  # others decide before we do: CUSTOM goes before DENY and ALLOW
    rbac,  # nobody else does anything for a request that is not allowed
    cors,  # before faults, so that browsers let their pages see those
    fault,
    dynamic_hosts,  # after all that may change the host
    router,  # the last one, always: it ends the chain
)


def for_connection(pool: Pool, connection: ir.HttpConnection) -> list[Fields]:
    """The chain of filters, in the order of `ORDER`."""
    return [fields for module in ORDER for fields in module.for_connection(pool, connection)]


def for_route(pool: Pool, route: ir.Route) -> Fields:
    """What the route says to the filters."""
    config: Fields = {}
    if route.cors is not None:
        config |= cors.for_route(pool, route.cors)
    if route.fault is not None:
        config |= fault.for_route(pool, route.fault)
    return {"typed_per_filter_config": config} if config else {}
