"""ReferenceGrants: who may refer to objects of another namespace."""

from collections.abc import Iterable

from semafor.base.problem import ObjectRef
from semafor.base.struct import Value
from semafor.resources.gateway_api import reference_grant as api


class Grant(Value, cache_hash=True):
    """Objects of these kinds and namespaces may refer to those; an empty name means all of the kind."""

    namespace: str
    sources: tuple[tuple[str, str, str], ...]  # group, kind, namespace
    targets: tuple[tuple[str, str, str], ...]  # group, kind, name


def read(document: api.ReferenceGrant) -> Grant:
    """The grant as a value."""
    spec = document.spec
    return Grant(
        namespace=document.metadata.namespace,
        sources=tuple((each.group, each.kind, each.namespace) for each in spec.from_),
        targets=tuple((each.group, each.kind, each.name or "") for each in spec.to),
    )


def permits(grants: Iterable[Grant], source: ObjectRef, target: ObjectRef) -> bool:
    """Whether `source` may refer to `target`: within a namespace always, else when a grant of the target's says so."""
    if source.namespace == target.namespace:
        return True
    asked = (source.group, source.kind, source.namespace)
    offered = {(target.group, target.kind, name) for name in ("", target.name)}
    return any(
        grant.namespace == target.namespace and asked in grant.sources and not offered.isdisjoint(grant.targets)
        for grant in grants
    )
