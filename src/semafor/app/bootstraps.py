"""What every proxy of a pod starts with, in either home, but for how it reaches the control plane."""

from typing import Any

from semafor.app import merged_metrics, proxies, stats_annotations
from semafor.envoy.bootstrap import Bootstrap

Pod = dict[str, Any]


def of(pod: Pod) -> Bootstrap:
    """Who the pod's proxy is, by Istio's names."""
    metadata = pod["metadata"]
    kind = "sidecar" if proxies.role(pod) == "sidecar" else "router"
    status = pod.get("status", {})
    ip = status.get("podIP", "")
    name, namespace = metadata["name"], metadata["namespace"]
    return Bootstrap(
        node_id=f"{kind}~{ip}~{name}.{namespace}~{namespace}.svc.cluster.local",
        cluster=(metadata.get("labels") or {}).get("service.istio.io/canonical-name", name) + f".{namespace}",
        metadata=proxies.node_metadata(pod),
        trusts_callers=kind == "sidecar",
        shown=stats_annotations.of(metadata.get("annotations") or {}),
        hosts=tuple(each["ip"] for each in status.get("podIPs") or ()) or ((ip,) if ip else ()),
        application=merged_metrics.application(pod),
    )
