"""What every proxy of a pod starts with, in either home, but for how it reaches the control plane."""

from typing import Any

from semafor.app import proxies, stats_annotations
from semafor.envoy.bootstrap import Bootstrap

Pod = dict[str, Any]


def of(pod: Pod) -> Bootstrap:
    """Who the pod's proxy is, by Istio's names."""
    metadata = pod["metadata"]
    kind = "sidecar" if proxies.role(pod) == "sidecar" else "router"
    ip = pod.get("status", {}).get("podIP", "")
    name, namespace = metadata["name"], metadata["namespace"]
    return Bootstrap(
        node_id=f"{kind}~{ip}~{name}.{namespace}~{namespace}.svc.cluster.local",
        cluster=(metadata.get("labels") or {}).get("service.istio.io/canonical-name", name) + f".{namespace}",
        metadata=proxies.node_metadata(pod),
        trusts_callers=kind == "sidecar",
        shown=stats_annotations.of(metadata.get("annotations") or {}),
    )
