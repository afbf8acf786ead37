"""The filter that puts in delays and failures; routes say which."""

from typing import Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render.shape import Fields, percent, seconds, typed

NAME: Final = "envoy.filters.http.fault"
_TYPE: Final = "envoy.extensions.filters.http.fault.v3.HTTPFault"


def for_connection(pool: Pool, connection: ir.HttpConnection) -> list[Fields]:
    """Asleep until a route wakes it, so that a listener need not change, and drain, for the first such route."""
    if connection.direction == "inbound":
        return []
    return [{**typed(pool, NAME, _TYPE), "disabled": True}]


def for_route(pool: Pool, node: ir.Fault) -> Fields:
    fields: Fields = {}
    if node.delay is not None:
        fields["delay"] = {"fixed_delay": seconds(node.delay.seconds), "percentage": percent(node.delay.percent)}
    if node.abort is not None:
        fields["abort"] = {**_answer(node.abort), "percentage": percent(node.abort.percent)}
    return {NAME: pool.any(pool(_TYPE, **fields))}


def _answer(node: ir.Abort) -> Fields:
    return {"http_status": node.status} if node.grpc_status is None else {"grpc_status": node.grpc_status}
