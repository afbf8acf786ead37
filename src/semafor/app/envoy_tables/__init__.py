"""What an Envoy has, in istioctl's columns, one module for each part; of its documents alone. Pure.

Each module has a HEADER, `chosen(documents, options)` and `rows(documents, chosen)`. `semafor proxy-config` and the
page show the same.
"""

from types import ModuleType
from typing import Final

from semafor.app.envoy_tables import clusters, endpoints, listeners, routes, secrets

PARTS: Final[dict[str, ModuleType]] = {
    "clusters": clusters,
    "endpoints": endpoints,
    "listeners": listeners,
    "routes": routes,
    "secrets": secrets,
}
