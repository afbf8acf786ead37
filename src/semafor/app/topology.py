"""Istio's `gatewayTopology`: what stands in front of gateways. From the mesh configuration, and from a pod. Pure.

Source: Istio's reference of ProxyConfig, Topology.
"""

from collections.abc import Mapping
from typing import Any, cast

import yaml

from semafor.ir import Edge
from semafor.ir.listener import ClientCertificates

ANNOTATION = "proxy.istio.io/config"  # the ProxyConfig of one pod
_CERTIFICATES = ("SANITIZE", "SANITIZE_SET", "FORWARD_ONLY", "APPEND_FORWARD", "ALWAYS_FORWARD_ONLY")
_DEFAULT = Edge()


def of_pod(annotations: Mapping[str, str]) -> Edge | None:
    """What the pod's annotation says; None when it says nothing that can be understood."""
    try:
        document = yaml.safe_load(annotations.get(ANNOTATION, ""))
    except yaml.YAMLError:
        return None
    topology = document.get("gatewayTopology") if isinstance(document, Mapping) else None
    return edge(topology) if isinstance(topology, Mapping) else None


def edge(topology: Mapping[str, Any]) -> Edge:
    """The topology; a value that is none of Istio's counts as absent."""
    proxies, certificates = topology.get("numTrustedProxies"), topology.get("forwardClientCertDetails")
    return Edge(
        trusted_proxies=proxies if isinstance(proxies, int) and proxies >= 0 else 0,
        client_certificates=cast("ClientCertificates", certificates.lower())
        if isinstance(certificates, str) and certificates in _CERTIFICATES
        else _DEFAULT.client_certificates,
    )
