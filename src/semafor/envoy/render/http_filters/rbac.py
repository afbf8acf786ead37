"""The filter that answers 403 to requests that are not allowed."""

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import rbac
from semafor.envoy.render.shape import Fields, typed


def for_connection(pool: Pool, connection: ir.HttpConnection) -> Fields | None:
    if connection.allowed is None:
        return None
    rules = rbac.allow(connection.allowed)
    return typed(pool, "envoy.filters.http.rbac", "envoy.extensions.filters.http.rbac.v3.RBAC", rules=rules)
