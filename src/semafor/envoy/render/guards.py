"""The network filters that close connections which are not allowed."""

from typing import Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import ext_authz, rbac
from semafor.envoy.render.shape import Fields, typed

_RBAC: Final = "envoy.filters.network.rbac"
_RBAC_TYPE: Final = "envoy.extensions.filters.network.rbac.v3.RBAC"
_ASK: Final = "envoy.filters.network.ext_authz"
_ASK_TYPE: Final = "envoy.extensions.filters.network.ext_authz.v3.ExtAuthz"


def filters(pool: Pool, node: ir.TcpProxy) -> list[Fields]:
    """Those of each guard, in their order."""
    found, asked = [], 0
    for guard in node.guards:
        if guard.action == "ask":
            rules = rbac.asking(guard, asked)
            found += [
                typed(pool, _RBAC, _RBAC_TYPE, stat_prefix=node.stat_prefix, **rules),
                typed(pool, _ASK, _ASK_TYPE, **ext_authz.of_bytes(guard, asked)),
            ]
            asked += 1
        else:
            found.append(typed(pool, _RBAC, _RBAC_TYPE, stat_prefix=node.stat_prefix, **rbac.rules(guard)))
    return found
