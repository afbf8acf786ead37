"""How the instances of a cluster are found: as the service's resolution has it.

resolution    cluster
eds, static   fed with the instances that the mesh knows
none          where the caller was going, at the target port if there is one
dns           the names of all instances, all addresses of each        (STRICT_DNS)
..._round     one name, a new connection goes to the next address      (LOGICAL_DNS)
dynamic_dns   the name that the request says                           (dynamic forward proxy)
"""

from msgspec.structs import replace

from semafor.ir import Cluster, EndpointSet
from semafor.planner.calling import passthrough
from semafor.planner.options import Options
from semafor.planner.services import instances
from semafor.planner.services.instances import Instance
from semafor.planner.services.service import Port, Service

Fed = tuple[Cluster, EndpointSet | None]


def fitted(cluster: Cluster, service: Service, port: Port, members: tuple[Instance, ...], options: Options) -> Fed:
    """The cluster as the service's resolution wants it, and its endpoints where they are fed by themselves."""
    cluster = _outside(cluster) if service.external else cluster
    if cluster.discovery == "static":  # which leads nowhere, on purpose
        return cluster, None
    if service.resolution == "none":
        return _original(cluster, port), None
    if service.resolution == "dynamic_dns":
        return _dynamic(cluster, options), None
    if cluster.discovery == "original_dst":
        return cluster, None
    if service.resolution == "dns":
        found = instances.endpoints(cluster.name, port, members)
        return replace(cluster, discovery="strict_dns", endpoints=found, resolvers=options.resolvers), None
    if service.resolution == "dns_round_robin" and members:  # Envoy takes exactly one
        found = instances.endpoints(cluster.name, port, members[:1])
        return replace(cluster, discovery="logical_dns", endpoints=found, resolvers=options.resolvers), None
    return cluster, instances.endpoints(cluster.name, port, members)


def _outside(cluster: Cluster) -> Cluster:
    """Without automatic mutual TLS nothing tells the version, so it is the one that is declared."""
    if cluster.http is None or cluster.http.version != "auto" or cluster.tls:
        return cluster
    return replace(cluster, http=replace(cluster.http, version="h1"))


def _original(cluster: Cluster, port: Port) -> Cluster:
    other = port.target if isinstance(port.target, int) and port.target != port.number else 0
    return replace(cluster, discovery="original_dst", balancer=passthrough.ORIGINAL, original_port=other)


def _dynamic(cluster: Cluster, options: Options) -> Cluster:
    return replace(cluster, discovery="dynamic_dns", balancer=passthrough.ORIGINAL, resolvers=options.resolvers)
