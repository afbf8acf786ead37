"""The filter that sends the request on."""

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render.shape import Fields, typed


def for_connection(pool: Pool, _connection: ir.HttpConnection) -> list[Fields]:
    return [typed(pool, "envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router")]
