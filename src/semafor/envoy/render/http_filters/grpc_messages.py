"""The filter that counts the messages of gRPC calls, for the metrics of them."""

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import metrics
from semafor.envoy.render.shape import Fields, typed, wrap


def for_connection(pool: Pool, connection: ir.HttpConnection) -> list[Fields]:
    """Only its count for each call is wanted, none of its own statistics."""
    if connection.metrics is None or not metrics.MESSAGES.intersection(one.name for one in connection.metrics.metrics):
        return []
    type_name = "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig"
    none_of_its_own = wrap(False)  # noqa: FBT003 a wrapped value
    config = {"emit_filter_state": True, "stats_for_all_methods": none_of_its_own}
    return [typed(pool, "envoy.filters.http.grpc_stats", type_name, **config)]
