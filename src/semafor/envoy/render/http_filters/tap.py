"""The filter that shows requests to who asks at the admin interface, and does nothing until somebody does.

It is always there: a listener whose filters change drains its connections, and would drain what shall be looked at.
When who asked goes away, however that happens, Envoy itself forgets what was asked.
"""

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render.shape import Fields, typed

_TYPE = "envoy.extensions.filters.http.tap.v3.Tap"


def for_connection(pool: Pool, connection: ir.HttpConnection) -> list[Fields]:
    """By its direction it is asked for."""
    by_admin = {"admin_config": {"config_id": connection.direction}}
    told = {"record_headers_received_time": True, "record_downstream_connection": True}
    return [typed(pool, "envoy.filters.http.tap", _TYPE, common_config=by_admin, **told)]
