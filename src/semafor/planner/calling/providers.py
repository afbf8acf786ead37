"""The services of the mesh configuration's providers, which proxies call on their own account."""

from msgspec.structs import replace

from semafor.base import names
from semafor.base.struct import Value
from semafor.ir import Cluster, EndpointSet
from semafor.planner.calling import outbound
from semafor.planner.calling.view import View
from semafor.planner.mesh import Mesh
from semafor.planner.services.protocol import Protocol
from semafor.planner.services.service import Port, Service


class Reached(Value):
    """How a provider's service is reached: the cluster, which the plan has to have, and its endpoints."""

    host: str
    cluster: Cluster
    endpoints: EndpointSet | None = None


def find(mesh: Mesh, service: str, number: int) -> tuple[Service, Port] | None:
    """The port of a service, `host` or `namespace/host`, whoever sees it; None when there is none.

    Source: Istio's LookupCluster of extension providers.
    """
    namespace, _, host = service.rpartition("/")
    known = mesh.by_host.get(host)
    if known is None or known.namespace not in ("", namespace or known.namespace):
        known = next((one for one in mesh.every_service() if (one.namespace, one.host) == (namespace, host)), None)
    port = next((port for port in known.ports if port.number == number), None) if known else None
    return (known, port) if known and port else None


def reach(mesh: Mesh, view: View, service: str, number: int, *, grpc: bool) -> Reached | None:
    """How callers of the view reach it. `grpc` is HTTP/2, whatever the port is declared to speak."""
    found = find(mesh, service, number)
    if found is None:
        return None
    known, port = found
    if not grpc or port.protocol.is_http2:
        cluster, endpoints = outbound.cluster_of(mesh, view, known, port)
        return Reached(host=known.host, cluster=cluster, endpoints=endpoints)
    cluster, endpoints = outbound.cluster_of(mesh, view, known, replace(port, protocol=Protocol.GRPC))
    name = names.cluster_name("outbound-grpc", number, "", known.host)
    renamed = replace(endpoints, cluster=name) if endpoints else None
    return Reached(host=known.host, cluster=replace(cluster, name=name), endpoints=renamed)
