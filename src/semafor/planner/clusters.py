"""The clusters of a service's port: one for all its instances, one for each subset."""

from typing import Literal

from msgspec.structs import replace

from semafor.base import names
from semafor.base.struct import Value
from semafor.ir import Cluster, HashKey, UpstreamHttp, UpstreamTls
from semafor.planner import instances, passthrough, policy
from semafor.planner.destination_rule import DestinationRule
from semafor.planner.instances import Instance
from semafor.planner.policy import Balancing, Policy, Pool, Security
from semafor.planner.protocol import Protocol
from semafor.planner.service import Port, Service

# What a sidecar's hello offers, so that the other side knows what comes before it ends TLS: ISTIO_HTTP and ISTIO for
# requests (a server that does not tell them apart takes either), ISTIO alone for bytes.
ISTIO, ISTIO_HTTP = "istio", "istio-http"
_ALPN = {"h1": ("http/1.1",), "h2": ("h2",), "auto": ("h2", "http/1.1"), "downstream": ()}


class Behind(Value):
    """What a cluster has to know of its instances: whom to expect, and whether a sidecar answers for all of them."""

    sans: tuple[str, ...] = ()
    all_in_mesh: bool = False


def behind(found: tuple[Instance, ...], trust_domain: str) -> Behind:
    """The facts of these instances. Of none, nothing is known, so nothing is taken for granted."""
    all_in_mesh = bool(found) and all(instance.in_mesh for instance in found)
    return Behind(sans=instances.identities(found, trust_domain), all_in_mesh=all_in_mesh)


def name(service: Service, port: Port, subset: str = "") -> str:
    """The cluster for requests, or for bytes where the port carries nothing else."""
    return names.cluster_name("outbound", port.number, subset, service.host)


def bytes_name(service: Service, port: Port) -> str:
    """The cluster for bytes. On a sniffed port it is another one than that for requests, because its hello differs."""
    direction = "outbound-tcp" if port.protocol is Protocol.SNIFFED else "outbound"
    return names.cluster_name(direction, port.number, "", service.host)


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
    return _shaped(
        Cluster(
            name=name(service, port, subset),
            http=http,
            tls=_tls(said, _sni(service, port, subset), facts, http),
            origin=part.origin if part else (rule.policy_origin if rule else None) or service.origin,
        ),
        said,
    )


def outbound_bytes(service: Service, port: Port, rule: DestinationRule | None, facts: Behind) -> Cluster:
    """The cluster for bytes on a sniffed port."""
    said = policy_of(rule, port)
    tls = _tls(said, _sni(service, port, ""), facts, None)
    return _shaped(Cluster(name=bytes_name(service, port), tls=tls, origin=service.origin), said)


def plain(service: Service, port: Port) -> Cluster:
    """The cluster for callers outside of the mesh: bytes, as they are."""
    return Cluster(name=name(service, port), origin=service.origin)


def _shaped(cluster: Cluster, said: Policy) -> Cluster:
    """The cluster with what the policy says of balancing, limits and failing instances."""
    balancing, pool = said.balancing or Balancing(), said.pool or Pool()
    original = balancing.balancer == passthrough.ORIGINAL
    return replace(
        cluster,
        discovery="original_dst" if original else "eds",
        balancer=balancing.balancer,
        limits=pool.limits,
        outlier=said.outlier,
        connect_timeout_s=pool.connect_timeout_s or cluster.connect_timeout_s,
    )


def _http(protocol: Protocol, said: Policy, facts: Behind) -> UpstreamHttp | None:
    """How requests are sent. Between sidecars over HTTP/2, which costs less than HTTP/1.1, whatever the caller speaks.

    While some instances have no sidecar, ALPN decides for each. Where all have one, HTTP/2 is said outright: a cold
    cluster then opens one connection for many requests, not one for each until the first answer tells the version.
    """
    pool, mode = said.pool or Pool(), (said.security or Security()).mode
    if protocol is Protocol.SNIFFED:
        return UpstreamHttp(version=pool.http or "downstream", max_streams=pool.max_streams)
    if not protocol.is_http:
        return None
    return UpstreamHttp(version=pool.http or _version(protocol, mode, facts), max_streams=pool.max_streams)


def _version(protocol: Protocol, mode: str, facts: Behind) -> Literal["h1", "h2", "auto"]:
    if protocol.is_http2 or mode == "istio_mutual":
        return "h2"
    if mode == "disable":
        return "h1"
    return "h2" if facts.all_in_mesh else "auto"


def _sni(service: Service, port: Port, subset: str) -> str:
    """Istio's server name between sidecars: the cluster's name in letters that a host name may have."""
    return f"outbound_.{port.number}_.{subset}_.{service.host}"


def _tls(said: Policy, sni: str, facts: Behind, http: UpstreamHttp | None) -> UpstreamTls | None:
    """Automatic mutual TLS, unless the policy decides."""
    security = said.security or Security()
    if security.mode == "disable":
        return None
    return UpstreamTls(
        sni=security.sni or sni,
        sans=security.sans or facts.sans,
        alpn=(ISTIO_HTTP, ISTIO, *_ALPN[http.version]) if http else (ISTIO,),
        only_mesh_endpoints=security.mode == "automatic",
    )
