"""The filter that answers browsers' questions about other origins; routes say what is allowed."""

from typing import Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import matches
from semafor.envoy.render.shape import Fields, percent, typed, wrap

NAME: Final = "envoy.filters.http.cors"
_TYPE: Final = "envoy.extensions.filters.http.cors.v3."


def for_connection(pool: Pool, connection: ir.HttpConnection) -> list[Fields]:
    """Asleep until a route wakes it, so that a listener need not change, and drain, for the first such route."""
    if connection.direction == "inbound":
        return []
    return [{**typed(pool, NAME, f"{_TYPE}Cors"), "disabled": True}]


def for_route(pool: Pool, node: ir.Cors) -> Fields:
    fields: Fields = {
        "allow_origin_string_match": [matches.string(origin) for origin in node.origins],
        "allow_methods": ",".join(node.methods),
        "allow_headers": ",".join(node.headers),
        "expose_headers": ",".join(node.expose),
        "max_age": "" if node.max_age_s is None else str(node.max_age_s),
        "filter_enabled": {"default_value": percent(100)},
        "forward_not_matching_preflights": wrap(node.forward_unmatched),
    }
    if node.credentials:
        fields["allow_credentials"] = wrap(node.credentials)
    return {NAME: pool.any(pool(f"{_TYPE}CorsPolicy", **fields))}
