"""The filters that answer 403 to requests that are not allowed: one for each guard, in their order."""

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import rbac
from semafor.envoy.render.shape import Fields, typed

_TYPE = "envoy.extensions.filters.http.rbac.v3.RBAC"


def for_connection(pool: Pool, connection: ir.HttpConnection) -> list[Fields]:
    guards = [guard for guard in connection.guards if guard.action != "ask"]
    return [_filter(pool, guard, number) for number, guard in enumerate(guards)]


def _filter(pool: Pool, guard: ir.Guard, number: int) -> Fields:
    """Filters of one chain have names of their own."""
    name = f"envoy.filters.http.rbac{f'.{number}' if number else ''}"
    return typed(pool, name, _TYPE, **rbac.rules(guard))
