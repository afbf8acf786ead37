"""Which objects are behind a resource that an Envoy refused: every node of the plan knows its origin. Pure."""

from collections.abc import Iterator
from typing import Any

import msgspec

from semafor import ir
from semafor.base import xds
from semafor.base.problem import ObjectRef


def objects(plan: ir.Plan, type_url: str, name: str) -> frozenset[ObjectRef]:
    """Every object that a node of the named resource comes from."""
    return frozenset(origin.ref for node in _named(plan, type_url, name) for origin in _origins(node))


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
