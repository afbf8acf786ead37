"""How a pod is chosen for a request. Source: Istio's API reference."""

from typing import Annotated, ClassVar, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.marks import NON_NEGATIVE, PERCENT, Choices, Duration


class Attribute(Document):
    """An attribute of a cookie."""

    name: Annotated[str, "Name of the attribute."]
    value: Annotated[str, "Value of the attribute."] = ""


class HTTPCookie(Document):
    """A cookie that keeps a client with its pod; made when it is missing and has a ttl."""

    name: Annotated[str, "Name of the cookie."]
    path: Annotated[str, "Path of the cookie."] = ""
    ttl: Annotated[Duration | None, "How long the cookie lives; 0 means as long as the session."] = None
    attributes: Annotated[tuple[Attribute, ...], "Further attributes of the cookie."] = ()


class RingHash(Document):
    """A ring hash."""

    minimum_ring_size: Annotated[int, "Least number of places on the ring; 1024 when absent."] = 0


class MagLev(Document):
    """A Maglev hash."""

    table_size: Annotated[int, "Size of the table, a prime number; 65537 when absent."] = 0


class ConsistentHashLB(Document):
    """What the hash is made of, and how."""

    http_header_name: Annotated[str | None, "Hash of this header."] = None
    http_cookie: Annotated[HTTPCookie | None, "Hash of this cookie."] = None
    use_source_ip: Annotated[bool | None, "Hash of the client's address."] = None
    http_query_parameter_name: Annotated[str | None, "Hash of this parameter of the query."] = None
    ring_hash: Annotated[RingHash | None, "A ring hash."] = None
    maglev: Annotated[MagLev | None, "A Maglev hash."] = None
    minimum_ring_size: Annotated[int, "Obsolete: use ringHash."] = 0


class Distribute(Document):
    """Where the traffic of a locality goes."""

    from_: Annotated[str, "Locality of the clients, such as `us-east/zone1/*`."] = msgspec.field(
        name="from", default=""
    )
    to: Annotated[dict[str, int], "Share of each locality, in per cent; the sum is 100."] = {}


class Failover(Document):
    """Where the traffic of a failed region goes."""

    from_: Annotated[str, "The region that failed."] = msgspec.field(name="from", default="")
    to: Annotated[str, "The region that takes over."] = ""


class LocalityLoadBalancerSetting(Document):
    """Preference for near pods; distribute, failover and failoverPriority exclude each other."""

    distribute: Annotated[tuple[Distribute, ...], "Shares of the traffic, by locality of the client."] = ()
    failover: Annotated[tuple[Failover, ...], "Where traffic goes when a region fails."] = ()
    failover_priority: Annotated[tuple[str, ...], "Labels that order the pods by nearness."] = ()
    enabled: Annotated[bool | None, "Whether it is in effect; the mesh's setting when absent."] = None


class ZoneAwareFailover(Document):
    """Where the traffic of a failed region goes."""

    from_: Annotated[str, "The region that failed."] = msgspec.field(name="from", default="")
    to: Annotated[str, "The region that takes over."] = ""


class ZoneAwareLoadBalancerSetting(Document):
    """Preference for pods of the same zone."""

    enabled: Annotated[bool | None, "Whether it is in effect."] = None
    failover: Annotated[tuple[ZoneAwareFailover, ...], "Where traffic goes when a region fails."] = ()
    failover_priority: Annotated[tuple[str, ...], "Labels that order the pods by nearness."] = ()
    min_cluster_size: Annotated[int | None, "Number of pods below which zones are not looked at."] = None


class WarmupConfiguration(Document):
    """How new pods get their share little by little."""

    duration: Annotated[Duration, "How long it takes."]
    minimum_percent: Annotated[float | None, PERCENT, "Share at the start; 10 when absent."] = None
    aggression: Annotated[float | None, NON_NEGATIVE, "How fast the share grows; 1 means evenly."] = None


class LoadBalancerSettings(Document):
    """How a pod is chosen for a request."""

    ONE_OF: ClassVar[Choices] = (("simple", "consistentHash"),)

    simple: Annotated[
        Literal["UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST"] | None,
        "By a simple rule.",
    ] = None
    consistent_hash: Annotated[
        ConsistentHashLB | None, "By a hash of the request, so that equal requests meet the same pod."
    ] = None
    locality_lb_setting: Annotated[LocalityLoadBalancerSetting | None, "Preference for near pods."] = None
    zone_aware_lb_setting: Annotated[ZoneAwareLoadBalancerSetting | None, "Preference for pods of the same zone."] = (
        None
    )
    warmup_duration_secs: Annotated[Duration | None, "Obsolete: use warmup."] = None
    warmup: Annotated[WarmupConfiguration | None, "How new pods get their share little by little."] = None
