"""The HTTP filters of a connection, one module each.

A module has `for_connection(pool, connection)`, which gives the filter's fields, or None where it is not needed.
"""

from types import ModuleType
from typing import Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render.http_filters import rbac, router
from semafor.envoy.render.shape import Fields

ORDER: Final[tuple[ModuleType, ...]] = (
    rbac,  # the first one: nobody else does anything for a request that is not allowed
    router,  # the last one, always: it ends the chain
)


def for_connection(pool: Pool, connection: ir.HttpConnection) -> list[Fields]:
    """The chain of filters, in the order of `ORDER`."""
    made = (module.for_connection(pool, connection) for module in ORDER)
    return [fields for fields in made if fields is not None]
