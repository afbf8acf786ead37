"""The filters that let others decide: for each authorizer one that finds out whether to ask, and one that asks."""

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import ext_authz, rbac
from semafor.envoy.render.shape import Fields, typed

_RBAC = "envoy.extensions.filters.http.rbac.v3.RBAC"
_TYPE = "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"


def for_connection(pool: Pool, connection: ir.HttpConnection) -> list[Fields]:
    asking = [guard for guard in connection.guards if guard.action == "ask"]
    return [fields for number, guard in enumerate(asking) for fields in _pair(pool, guard, number)]


def _pair(pool: Pool, guard: ir.Guard, number: int) -> list[Fields]:
    """Filters of one chain have names of their own."""
    suffix = f".{number}" if number else ""
    return [
        typed(pool, f"envoy.filters.http.rbac.ext_authz{suffix}", _RBAC, **rbac.asking(guard, number)),
        typed(pool, f"envoy.filters.http.ext_authz{suffix}", _TYPE, **ext_authz.of_requests(guard, number)),
    ]
