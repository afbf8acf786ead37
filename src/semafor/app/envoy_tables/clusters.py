"""Clusters: SERVICE FQDN, PORT, SUBSET, DIRECTION, TYPE, DESTINATION RULE."""

from typing import Any

from semafor.app.envoy_tables.documents import Documents
from semafor.base import names

Doc = dict[str, Any]
HEADER = ("SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE")


def chosen(envoy: Documents, options: Doc) -> list[Doc]:
    """The clusters that the options ask for, sorted as istioctl does."""
    found = [each for each in envoy.clusters if _fits(_parts(each), options)]
    return sorted(found, key=lambda each: (_parts(each)[3], _parts(each)[2], int(_parts(each)[1] or 0)))


def rows(envoy: Documents, found: list[Doc]) -> list[tuple[str, ...]]:
    return [_row(each, envoy.origins["clusters"].get(each["name"], "")) for each in found]


def _row(cluster: Doc, rule: str) -> tuple[str, ...]:
    direction, port, subset, host = _parts(cluster)
    kind = cluster.get("cluster_type", {}).get("name") or cluster.get("type", "STATIC")
    return (host, port or "-", subset or "-", direction or "-", kind, rule)


def _parts(cluster: Doc) -> tuple[str, str, str, str]:
    """Direction, port, subset, host; one of ours has a name alone."""
    return names.cluster_parts(cluster["name"]) or ("", "", "", cluster["name"])


def _fits(parts: tuple[str, str, str, str], options: Doc) -> bool:
    direction, port, subset, host = parts
    return (
        (options.get("fqdn") or "") in host
        and options.get("direction") in (None, direction)
        and options.get("subset") in (None, subset)
        and options.get("port") in (None, int(port or 0))
    )
