"""UDP: no sidecar intercepts it, so the node's proxy and gateways alone carry it, as it is.

pod ─▶ 10.96.0.7:5300 ─▶ the node's proxy ─▶ cluster outbound-udp|5300||dns..., one instance for each caller's port

Differs from Istio: there kube-proxy carries it on nodes, and gateways take none.
"""

from semafor.base import names
from semafor.ir import Cluster, SimpleBalancer, UdpProxy
from semafor.planner.services.service import Port, Service

# Envoy counts no datagram as a running request, so that the least loaded instance would always be any.
_BALANCER = SimpleBalancer(policy="round_robin")


def name(service: Service, port: Port) -> str:
    """The cluster of the port: another one than for TCP, which may have the same number."""
    return names.cluster_name("outbound-udp", port.number, "", service.host)


def cluster(service: Service, port: Port) -> Cluster:
    return Cluster(name=name(service, port), balancer=_BALANCER, origin=service.origin)


def to(cluster_name: str) -> UdpProxy:
    return UdpProxy(stat_prefix=cluster_name, cluster=cluster_name)
