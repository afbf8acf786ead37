"""Which objects are behind a resource that an Envoy refused: every node of the plan knows its origin. Pure."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from semafor import ir
from semafor.base import xds
from semafor.base.problem import ObjectRef

_ROUTES: Final = ("ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE")

# What patches change. Whose match leaves the resource out is not looked at: only those that changed last are suspects.
_PATCHED: Final = {
    xds.CLUSTER: ("CLUSTER",),
    xds.LISTENER: ("LISTENER", "LISTENER_FILTER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER", *_ROUTES),
    xds.ROUTES: _ROUTES,
    xds.EXTENSION: ("EXTENSION_CONFIG",),
}


def objects(plan: ir.Plan, type_url: str, name: str) -> frozenset[ObjectRef]:
    """Every object that a node of the named resource comes from, or that may have patched it."""
    patches = (patch for patch in plan.patches if patch.apply_to in _PATCHED.get(type_url, ()))
    nodes = (*_named(plan, type_url, name), *patches)
    return frozenset(origin.ref for node in nodes for origin in _origins(node))


def _named(plan: ir.Plan, type_url: str, name: str) -> Iterator[Any]:
    match type_url:
        case xds.CLUSTER:
            yield from (node for node in plan.clusters if node.name == name)
        case xds.ENDPOINTS:
            yield from (node for node in plan.endpoints if node.cluster == name)
        case xds.LISTENER:
            yield from (node for node in plan.listeners if node.name == name)
        case xds.ROUTES:
            yield from (node for node in plan.routes if node.name == name)


def _origins(node: Any) -> Iterator[ir.Origin]:
    """All origins below a node, the node's own included."""
    if isinstance(node, ir.Origin):
        yield node
    elif isinstance(node, tuple):
        for each in node:
            yield from _origins(each)
    elif isinstance(node, msgspec.Struct):
        for name in node.__struct_fields__:
            yield from _origins(getattr(node, name))
