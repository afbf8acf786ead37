"""Where connections come in, and what is done with each kind of them."""

from typing import Literal

from semafor.base.struct import Value
from semafor.ir.authorization import Guard
from semafor.ir.origin import Origin
from semafor.ir.route import Destination, RouteTable
from semafor.ir.telemetry import AccessLog, Metrics, Tracing
from semafor.ir.token import TokenIssuer

PathNormalization = Literal["none", "base", "merge_slashes", "decode_and_merge_slashes"]
TlsVersion = Literal["1.0", "1.1", "1.2", "1.3"]
Underscores = Literal["ALLOW", "REJECT_REQUEST", "DROP_HEADER"]
ClientCertificates = Literal["sanitize", "sanitize_set", "forward_only", "append_forward", "always_forward_only"]


class Inspector(Value):
    """A look at a new connection before its filter chain is chosen, in the order of the listener's tuple.

    `original_dst` restores the address the caller meant; `tls` reads the client's hello (server name, ALPN); `http`
    tells HTTP/1.x and HTTP/2 from other bytes; `proxy_protocol` takes the addresses that were sent ahead.
    On `skip_ports` (destination ports) it does not look, so that nobody waits there.
    """

    kind: Literal["original_dst", "tls", "http", "proxy_protocol"]
    skip_ports: tuple[int, ...] = ()


class ChainMatch(Value):
    """Which connections a chain takes; 0 and empty match any. Envoy prefers port, then ranges, names, TLS, ALPN.

    `ranges` are destination CIDRs. `alpn` holds what the client's hello offers, or what the `http` inspector found
    ("http/1.0", "http/1.1", "h2c").
    """

    port: int = 0
    ranges: tuple[str, ...] = ()
    server_names: tuple[str, ...] = ()
    transport: Literal["", "tls", "raw_buffer"] = ""
    alpn: tuple[str, ...] = ()


class DownstreamTls(Value):
    """TLS is ended here, with certificates by the names of SDS secrets: the one that fits the client's hello is shown.

    An empty `validation` looks at no client certificate. `trust_domains`: the client's SPIFFE identity has to be of one
    of them; `sans`: it has to have one of these names; empty accepts any that is valid. `public_keys` and `hashes` are
    digests of public keys (SPKI) and of certificates one of which the client's has to have. `ciphers` of () are
    Envoy's own. `untrusted` lets in whose certificate nobody vouches for. A handshake takes no longer than
    `handshake_s`.
    """

    certificates: tuple[str, ...] = ("default",)
    validation: str = "ROOTCA"
    require_client_certificate: bool = True
    trust_domains: tuple[str, ...] = ()
    sans: tuple[str, ...] = ()
    public_keys: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    alpn: tuple[str, ...] = ()
    min_version: TlsVersion = "1.2"
    max_version: TlsVersion = "1.3"
    ciphers: tuple[str, ...] = ()
    untrusted: bool = False
    handshake_s: float = 10.0


class Edge(Value):
    """How requests from outside of the mesh are taken in.

    The caller's address is that of the connection, or the one that the last of `trusted_proxies` proxies in front saw
    (x-forwarded-for). `client_certificates`: what becomes of the header x-forwarded-client-cert that they may send.
    `underscores`: what becomes of header names with one, which many applications cannot tell from a hyphen.
    A caller has `headers_s` to send a request's headers, and is closed after `idle_s` without requests; on one
    connection of HTTP/2 it has `max_streams` at a time.
    """

    trusted_proxies: int = 0
    client_certificates: ClientCertificates = "sanitize_set"
    underscores: Underscores = "REJECT_REQUEST"
    headers_s: float = 10.0
    idle_s: float = 300.0
    max_streams: int = 100


class HttpConnection(Value, tag="http"):
    """Speak HTTP, and route by `routes` (inline) or by the plan's route table named `rds`: exactly one is set.

    `forward_client_identity`: put the verified identity of the caller in x-forwarded-client-cert; else the header is
    removed. `upgrades` are the protocols that a request may switch to. `server_name` of "" passes the application's
    `server` header through. `edge` is set where callers are not of the mesh. `http_10` takes HTTP/1.0 too.
    A token that a request carries has to be a valid one of the `token_issuers`, when there are any. Every one of the
    `guards` has to let a request pass, in their order.
    `reasons`: answers that the proxy gives itself say why, in words. `paths`: "base" resolves `..` and turns
    backslashes (RFC 3986), "merge_slashes" makes one slash of several too, and the last decodes %2F and %5C before.
    `resolvers`: hosts of requests are resolved by these, for clusters that want it so.
    """

    stat_prefix: str
    direction: Literal["inbound", "outbound"]
    routes: RouteTable | None = None
    rds: str = ""
    codec: Literal["auto", "h1", "h2"] = "auto"
    upgrades: tuple[str, ...] = ("websocket",)
    forward_client_identity: bool = False
    server_name: str = ""
    edge: Edge | None = None
    http_10: bool = True
    token_issuers: tuple[TokenIssuer, ...] = ()
    guards: tuple[Guard, ...] = ()
    reasons: bool = False
    paths: PathNormalization = "base"
    resolvers: tuple[str, ...] = ()
    metrics: Metrics | None = None
    logs: tuple[AccessLog, ...] = ()
    tracing: Tracing | None = None


class Tunnel(Value):
    """Ask an HTTP proxy for the connection: by CONNECT to `target` (`host:port`), or by POST."""

    target: str
    use_post: bool = False


class TcpProxy(Value, tag="tcp"):
    """Forward bytes to one of the destinations (weights as in routes; their header changes do not apply).

    `idle_timeout_s` of None never closes an idle connection; `max_duration_s` of None never closes an old one.
    Every one of the `guards` has to let a connection pass.
    `hash_source_ip`: what the cluster's consistent hash hashes is the caller's address.
    With a `dynamic_port` the destination is that port of the host that the client's hello names, found by `resolvers`.
    """

    stat_prefix: str
    destinations: tuple[Destination, ...]
    idle_timeout_s: float | None = None
    guards: tuple[Guard, ...] = ()
    max_duration_s: float | None = None
    hash_source_ip: bool = False
    tunnel: Tunnel | None = None
    dynamic_port: int = 0
    resolvers: tuple[str, ...] = ()
    metrics: Metrics | None = None
    logs: tuple[AccessLog, ...] = ()


class UdpTunnel(Value, tag="udp_tunnel"):
    """Speak HTTP/2, and hand what CONNECT-UDP requests (RFC 9298) carry to the cluster, as datagrams."""

    stat_prefix: str
    cluster: str


class UdpProxy(Value):
    """Hand datagrams to the cluster: those of one caller (address and port) to one instance, while it is there.

    Who is silent for `session_s` is forgotten. `tunnel`: the cluster's instances are asked for the way, by CONNECT-UDP.
    """

    stat_prefix: str
    cluster: str
    session_s: float = 60.0
    tunnel: bool = False


class FilterChain(Value):
    """What is done with the connections that match."""

    filter: HttpConnection | TcpProxy
    name: str = ""
    match: ChainMatch = ChainMatch()
    tls: DownstreamTls | None = None
    origin: Origin | None = None


class Listener(Value, cache_hash=True):
    """One address and port, or the path of a unix socket (`pipe`).

    `exclusive`: no other process may listen there as well. `bind` False: no socket; it takes what a listener with
    `hand_over` gets for its address (the original destination). `inspection_timeout_s` of 0 waits for ever;
    `continue_on_timeout` goes on with what is known then, so that a server may speak first.
    With `datagrams` it takes UDP, and with a `tunnel_end` the other end of it; it has no chains then.
    """

    name: str
    address: str = ""
    port: int = 0
    pipe: str = ""
    exclusive: bool = False
    bind: bool = True
    hand_over: bool = False
    direction: Literal["inbound", "outbound"] = "outbound"
    inspectors: tuple[Inspector, ...] = ()
    inspection_timeout_s: float = 0.0
    continue_on_timeout: bool = False
    chains: tuple[FilterChain, ...] = ()
    default_chain: FilterChain | None = None
    datagrams: UdpProxy | None = None
    tunnel_end: UdpTunnel | None = None
    origin: Origin | None = None
