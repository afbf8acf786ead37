"""What of a pod's traffic goes through its sidecar, as its annotations say. Pure."""

from typing import Any

from semafor.app import inject, proxies
from semafor.envoy import bootstrap
from semafor.kube.node.spec import Interception

Pod = dict[str, Any]
_TRAFFIC = "traffic.sidecar.istio.io/"


def of(pod: Pod) -> Interception | None:
    """The redirect to the sidecar. Source: Istio's reference of resource annotations, traffic.sidecar.istio.io."""
    if proxies.role(pod) != "sidecar":
        return None
    annotations = pod["metadata"].get("annotations") or {}
    if annotations.get("sidecar.istio.io/interceptionMode") == "NONE":
        return None

    def listed(name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in annotations.get(_TRAFFIC + name, "").split(",") if part.strip())

    def ports(name: str) -> tuple[int, ...]:
        return tuple(int(part) for part in listed(name) if part.isdigit())

    proxys = (inject.HEALTH_PORT, bootstrap.STATS_PORT, bootstrap.MERGED_PORT)
    include_ports = annotations.get(_TRAFFIC + "includeInboundPorts", "*")
    return Interception(
        include_outbound_cidrs=tuple(each for each in listed("includeOutboundIPRanges") if each != "*"),
        exclude_outbound_cidrs=listed("excludeOutboundIPRanges"),
        exclude_outbound_ports=ports("excludeOutboundPorts"),
        include_inbound_ports=None if include_ports == "*" else ports("includeInboundPorts"),
        exclude_inbound_ports=(*ports("excludeInboundPorts"), *proxys),
    )
