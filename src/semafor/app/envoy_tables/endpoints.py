"""Endpoints: ENDPOINT, STATUS, OUTLIER CHECK, CLUSTER; as Envoy sees them at this moment."""

from collections.abc import Iterator
from typing import Any

from semafor.app.envoy_tables import documents
from semafor.app.envoy_tables.documents import Documents
from semafor.base import names

Doc = dict[str, Any]
HEADER = ("ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER")


def chosen(envoy: Documents, options: Doc) -> list[Doc]:
    """The hosts that the options ask for, each with the name of its cluster."""
    found = [each for each in _hosts(envoy.endpoints) if _fits(each, options)]
    return sorted(found, key=lambda each: (documents.address(each["address"]), each["cluster"]))


def rows(_: Documents, found: list[Doc]) -> list[tuple[str, ...]]:
    return [(_endpoint(each), _status(each), _outlier(each), each["cluster"]) for each in found]


def _hosts(clusters: list[Doc]) -> Iterator[Doc]:
    for cluster in clusters:
        for host in cluster.get("host_statuses", ()):
            yield {"cluster": cluster["name"], **host}


def _fits(host: Doc, options: Doc) -> bool:
    address, port = documents.address(host["address"])
    cluster = options.get("cluster")
    parts = names.cluster_parts(host["cluster"])
    return (
        options.get("address") in (None, address)
        and options.get("port") in (None, port)
        and cluster in (None, host["cluster"])
        and (options.get("fqdn") or "") in (parts[3] if parts else host["cluster"])
        and (options.get("status") or _status(host)).upper() == _status(host)
    )


def _endpoint(host: Doc) -> str:
    address, port = documents.address(host["address"])
    return f"{address}:{port}" if port else f"unix://{address}"


def _status(host: Doc) -> str:
    return str(host.get("health_status", {}).get("eds_health_status", "UNKNOWN"))


def _outlier(host: Doc) -> str:
    return "FAILED" if host.get("health_status", {}).get("failed_outlier_check") else "OK"
