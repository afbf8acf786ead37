"""The clusters of a service's port: one for all its instances, one for each subset."""

from collections.abc import Mapping
from typing import Literal

from msgspec.structs import replace

from semafor.base import names
from semafor.base.struct import Value
from semafor.ir import (
    Cluster,
    ConnectionLimits,
    Destination,
    EndpointSet,
    HashKey,
    Named,
    SimpleBalancer,
    TcpProxy,
    UpstreamHttp,
)
from semafor.planner.calling import passthrough, upstream_tls
from semafor.planner.calling.upstream_tls import Server
from semafor.planner.options import DEFAULTS, Options
from semafor.planner.proxy import Labels
from semafor.planner.services import instances
from semafor.planner.services.instances import Instance
from semafor.planner.services.protocol import Protocol
from semafor.planner.services.service import Port, Service
from semafor.planner.traffic import locality, policy
from semafor.planner.traffic import pool as pools
from semafor.planner.traffic.balancing import Balancing
from semafor.planner.traffic.destination_rule import DestinationRule
from semafor.planner.traffic.policy import Policy
from semafor.planner.traffic.pool import Pool
from semafor.planner.traffic.security import Security


class Behind(Value):
    """What a cluster has to know of its instances, and of the mesh that they are in.

    `identities`: whom to expect. `all_in_mesh`: a sidecar answers for all of them. `at_edge`: requests come from
    outside of the mesh, through a gateway.
    """

    identities: tuple[str, ...] = ()
    all_in_mesh: bool = False
    options: Options = DEFAULTS
    at_edge: bool = False


def behind(found: tuple[Instance, ...], options: Options, *, at_edge: bool = False) -> Behind:
    """The facts of these instances. Of none, nothing is known, so nothing is taken for granted."""
    return Behind(
        identities=instances.identities(found, options.trust_domains),
        all_in_mesh=bool(found) and all(instance.in_mesh and not instance.plain for instance in found),
        options=options,
        at_edge=at_edge,
    )


def name(service: Service, port: Port, subset: str = "") -> str:
    """The cluster for requests, or for bytes where the port carries nothing else."""
    return names.cluster_name("outbound", port.number, subset, service.host)


def bytes_name(service: Service, port: Port, subset: str = "") -> str:
    """The cluster for bytes. Where requests go too it is another one than theirs, because its hello differs."""
    direction = "outbound-tcp" if port.protocol.is_routed else "outbound"
    return names.cluster_name(direction, port.number, subset, service.host)


def hash_key(rule: DestinationRule | None, port: Port, subset: str = "") -> HashKey | None:
    """What of a request decides which instance it goes to, if anything does."""
    balancing = policy_of(rule, port, subset).balancing
    return balancing.hash_key if balancing else None


def policy_of(rule: DestinationRule | None, port: Port, subset: str = "") -> Policy:
    """What DestinationRules say of the port, and of the subset when one is named."""
    if rule is None:
        return policy.NOTHING
    base = policy.merge(policy.NOTHING, rule.policy, port.number)
    part = rule.subset(subset) if subset else None
    return policy.merge(base, part.policy, port.number) if part else base


def outbound(service: Service, port: Port, rule: DestinationRule | None, facts: Behind, subset: str = "") -> Cluster:
    """The cluster for requests, or for bytes where the port carries nothing else."""
    said = policy_of(rule, port, subset)
    http = _http(port.protocol, said, facts)
    part = rule.subset(subset) if rule and subset else None
    server = Server(service=service, port=port, subset=subset, identities=facts.identities)
    return _shaped(
        Cluster(
            name=name(service, port, subset),
            http=http,
            tls=upstream_tls.plan(said.security or Security(), server, http),
            service=named(service),
            origin=part.origin if part else (rule.policy_origin if rule else None) or service.origin,
        ),
        said,
        facts.options,
    )


def outbound_bytes(
    service: Service, port: Port, rule: DestinationRule | None, facts: Behind, subset: str = ""
) -> Cluster:
    """The cluster for bytes on a port where requests go too."""
    said = policy_of(rule, port, subset)
    server = Server(service=service, port=port, subset=subset, identities=facts.identities)
    tls = upstream_tls.plan(said.security or Security(), server, None)
    name = bytes_name(service, port, subset)
    cluster = Cluster(name=name, tls=tls, service=named(service), origin=service.origin)
    return _shaped(cluster, said, facts.options)


def named(service: Service) -> Named:
    """What metrics call the service. Source: Istio, where a host of a ServiceEntry is its own name."""
    name = service.host if service.is_entry else service.name
    return Named(name=name, host=service.host, namespace=service.namespace)


def plain(service: Service, port: Port) -> Cluster:
    """The cluster for callers outside of the mesh: bytes, as they are."""
    return Cluster(name=name(service, port), origin=service.origin)


def _shaped(cluster: Cluster, said: Policy, options: Options) -> Cluster:
    """The cluster with what the policy says of balancing, limits and failing instances."""
    balancing, pool = said.balancing or Balancing(), said.pool or Pool()
    original = balancing.balancer == passthrough.ORIGINAL
    return replace(
        cluster,
        discovery="original_dst" if original else "eds",
        balancer=balancing.balancer,
        limits=_limits(cluster, said, options),
        outlier=said.outlier,
        connect_timeout_s=pool.connect_timeout_s or cluster.connect_timeout_s,
        proxy_protocol=said.proxy_protocol,
        locality_weighted=locality.weighted(balancing.locality or options.locality, ejects=said.outlier is not None),
    )


def tcp_proxy(stat_prefix: str, destinations: tuple[Destination, ...], said: Policy) -> TcpProxy:
    """What carries bytes to clusters, as far as the policy of the first of them has to say on it."""
    pool, balancing = said.pool or Pool(), said.balancing or Balancing()
    return TcpProxy(
        stat_prefix=stat_prefix,
        destinations=destinations,
        idle_timeout_s=pool.tcp_idle_s,
        max_duration_s=pool.limits.max_connection_duration_s,
        hash_source_ip=balancing.hash_key == HashKey(kind="source_ip"),
        tunnel=said.tunnel,
    )


def near(
    found: EndpointSet, said: Policy, options: Options, caller: locality.Caller, labels: Mapping[str, Labels]
) -> EndpointSet:
    """The endpoints with the weights and priorities that localities have for this caller."""
    setting = (said.balancing or Balancing()).locality or options.locality
    return locality.applied(found, setting, caller, labels, ejects=said.outlier is not None)


def closed(cluster: Cluster) -> Cluster:
    """The cluster without a single instance: what cannot be sent as it was meant to be is not sent at all."""
    return Cluster(
        name=cluster.name,
        discovery="static",
        balancer=SimpleBalancer(policy="round_robin"),
        http=cluster.http,
        service=cluster.service,
        origin=cluster.origin,
    )


def _limits(cluster: Cluster, said: Policy, options: Options) -> ConnectionLimits:
    """The limits that were written, and a budget for retries where nobody wrote how many there may be."""
    limits = (said.pool or Pool()).limits
    if cluster.http is None:
        return limits
    if said.retry_budget or limits.max_retries is None:
        return replace(limits, retry_budget=said.retry_budget or options.retry_budget)
    return limits


def _http(protocol: Protocol, said: Policy, facts: Behind) -> UpstreamHttp | None:
    """How requests are sent. Between sidecars over HTTP/2, which costs less than HTTP/1.1, whatever the caller speaks.

    While some instances have no sidecar, ALPN decides for each. Where all have one, HTTP/2 is said outright: a cold
    cluster then opens one connection for many requests, not one for each until the first answer tells the version.
    Who limits connections, or requests that wait for one, means HTTP/1.1: of HTTP/2, one connection takes them all.
    """
    pool = said.pool or Pool()
    if not protocol.is_routed:
        return None
    usual = _undeclared(facts) if protocol is Protocol.SNIFFED else _version(protocol, said, facts)
    return UpstreamHttp(version=pool.http or usual, max_streams=pool.max_streams, ping=pool.ping)


def _undeclared(facts: Behind) -> Literal["h1", "downstream"]:
    """Callers in the mesh speak what the app does; browsers speak HTTP/2 to every gateway. Source: Istio's rule."""
    return "h1" if facts.at_edge else "downstream"


def _version(protocol: Protocol, said: Policy, facts: Behind) -> Literal["h1", "h2", "auto"]:
    mode = (said.security or Security()).mode
    if protocol.is_http2:
        return "h2"
    if said.pool and said.pool.counts_connections:
        return "h1"
    if wish := pools.upgrade(facts.options.h2_upgrade):
        return wish
    if mode == "istio_mutual":
        return "h2"
    if mode in ("disable", "simple", "mutual"):
        return "h1"
    return "h2" if facts.all_in_mesh else "auto"
