"""How connections to a group of instances are made: balancing, limits, TLS and protocol."""

from typing import Literal

from semafor.base.struct import Value
from semafor.ir.credential import Credential
from semafor.ir.endpoint import EndpointSet
from semafor.ir.origin import Origin
from semafor.ir.telemetry import Named


class SlowStart(Value):
    """A new instance's share grows over `window_s`; `aggression` and `min_percent` shape the growth as in Envoy."""

    window_s: float
    aggression: float = 1.0
    min_percent: float = 10.0


class SimpleBalancer(Value, tag="simple"):
    """`original` connects to where the caller was going (ORIGINAL_DST clusters have no other)."""

    policy: Literal["round_robin", "least_request", "random", "original"] = "least_request"
    slow_start: SlowStart | None = None


class ConsistentHash(Value, tag="consistent_hash"):
    """The same key goes to the same instance; the key is on the routes (`Forward.hash_keys`) or on the TcpProxy.

    `size` is the least number of places on the ring, or the size of Maglev's table, a prime number.
    """

    algorithm: Literal["ring", "maglev"] = "ring"
    size: int = 1024


LoadBalancer = SimpleBalancer | ConsistentHash


class Keepalive(Value):
    """TCP keep-alive; 0 leaves the system's default."""

    probes: int = 0
    time_s: int = 0
    interval_s: int = 0


class RetryBudget(Value):
    """How many retries may run at a time: `percent` of the running requests, and `min_concurrency` in any case.

    With an `interval_s`, the requests of that time are counted in place of the running ones. The defaults are the
    mesh's own, and were measured: docs/resilience.md.
    """

    percent: float = 50.0
    min_concurrency: int = 10
    interval_s: float = 0.0


class ConnectionLimits(Value):
    """Circuit breakers and the life of connections. None means no limit of ours (Envoy's maximum, 2^32-1).

    Where there is a `retry_budget`, `max_retries` does not count. An `idle_timeout_s` of 0 never closes idle ones.
    """

    max_connections: int | None = None
    max_pending_requests: int | None = None
    max_requests: int | None = None
    max_retries: int | None = None
    retry_budget: RetryBudget | None = None
    max_requests_per_connection: int | None = None
    max_connection_duration_s: float | None = None
    idle_timeout_s: float | None = None
    keepalive: Keepalive | None = None


class OutlierDetection(Value):
    """When an instance is taken out for a while. None disables a test; 0 consecutive errors does as well.

    `error_codes` are the statuses that count as errors, in place of 5xx. Below `min_health_percent` of instances that
    are in, all of them get requests.
    """

    consecutive_5xx: int | None = None
    consecutive_gateway: int | None = None
    consecutive_local_origin: int | None = None
    split_local_origin: bool = False
    interval_s: float = 10.0
    base_ejection_s: float = 30.0
    max_ejection_percent: int = 10
    min_health_percent: int = 0
    error_codes: tuple[int, ...] = ()


class UpstreamTls(Value):
    """TLS towards the instances, with certificates by the names of SDS secrets.

    `only_mesh_endpoints`: TLS for endpoints whose `tls_mode` is "istio", plain text for the others (automatic mTLS).
    `sans` are the names one of which the server must prove; empty accepts any that `validation` vouches for.
    An empty `certificate` presents none; an empty `validation` takes any certificate.
    `sni_from_host`: the name that is sent is the request's host. `san_from_host`: the server has to prove that name.
    """

    certificate: str = "default"
    validation: str = "ROOTCA"
    sni: str = ""
    sans: tuple[str, ...] = ()
    alpn: tuple[str, ...] = ()
    only_mesh_endpoints: bool = False
    sni_from_host: bool = False
    san_from_host: bool = False


class Ping(Value):
    """Pings on an HTTP/2 connection: one every `interval_s`; without an answer for `timeout_s` it is closed."""

    interval_s: float
    timeout_s: float


class UpstreamHttp(Value):
    """How HTTP is spoken upstream.

    `auto`: as ALPN decides inside TLS, and HTTP/1.1 in plain text. `downstream`: the version that the caller speaks.
    `max_streams` limits the concurrent requests of one HTTP/2 connection; None keeps Envoy's default.
    """

    version: Literal["h1", "h2", "auto", "downstream"]
    max_streams: int | None = None
    ping: Ping | None = None


class Cluster(Value, cache_hash=True):
    """One group of instances.

    `discovery`: "eds" is fed by the plan's EndpointSet of the same name; "static", "strict_dns" and "logical_dns" carry
    theirs in `endpoints`; "original_dst" goes where the caller was going, at `original_port` when that is not 0;
    "dynamic_dns" where the request's host or the server name says. `resolvers` are asked for names.
    `http` is None where only bytes are forwarded.
    `mark` is the SO_MARK of the connections (0: the proxy's own, from its bootstrap), `bind` the address that they come
    from (empty: any). `proxy_protocol` sends the
    caller's and the original destination's addresses ahead. `locality_weighted`: the weights of localities count.
    `credentials` are what is in the secrets that `tls` names, beside the proxy's own. `service` is for metrics.
    """

    name: str
    discovery: Literal["eds", "original_dst", "static", "strict_dns", "logical_dns", "dynamic_dns"] = "eds"
    endpoints: EndpointSet | None = None
    balancer: LoadBalancer = SimpleBalancer()
    http: UpstreamHttp | None = None
    tls: UpstreamTls | None = None
    limits: ConnectionLimits = ConnectionLimits()
    outlier: OutlierDetection | None = None
    connect_timeout_s: float = 10.0
    mark: int = 0
    bind: str = ""
    proxy_protocol: Literal["", "v1", "v2"] = ""
    locality_weighted: bool = False
    credentials: tuple[Credential, ...] = ()
    original_port: int = 0
    resolvers: tuple[str, ...] = ()
    service: Named | None = None
    origin: Origin | None = None
