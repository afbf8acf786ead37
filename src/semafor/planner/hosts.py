"""Hosts with wildcards, who may see an object, and which of two objects is older."""

from semafor.base.struct import Value
from semafor.resources.meta.meta import ObjectMeta


class Age(Value, order=True):
    """Sorts older objects first; objects of the same second by their names."""

    created: str
    name: str
    namespace: str


def age(meta: ObjectMeta) -> Age:
    """RFC 3339 in UTC sorts as text. An object without a time is about to be made, so it counts as the newest."""
    return Age(created=meta.creation_timestamp or "9999", name=meta.name, namespace=meta.namespace)


def covers(pattern: str, host: str) -> bool:
    """Whether the pattern, a host or `*.suffix` or `*`, takes `host` (which may be a pattern itself)."""
    if pattern.startswith("*"):
        return host.removeprefix("*").endswith(pattern[1:]) and len(host) >= len(pattern)
    return pattern == host


def specificity(pattern: str) -> tuple[bool, int]:
    """A key that is larger for the pattern to prefer: exact before wildcard, then the longest."""
    return (not pattern.startswith("*"), len(pattern))


def visible(export_to: tuple[str, ...], owner: str, viewer: str) -> bool:
    """Whether callers of the namespace `viewer` see an object of the namespace `owner`. An empty list means all."""
    if not export_to or "*" in export_to:
        return True
    return viewer in export_to or (owner == viewer and "." in export_to)


def audience(export_to: tuple[str, ...], owner: str) -> frozenset[str] | None:
    """The namespaces that see an object of the namespace `owner`; None means all of them."""
    if not export_to or "*" in export_to:
        return None
    return frozenset(owner if name == "." else name for name in export_to if name != "~")
