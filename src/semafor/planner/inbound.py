"""What comes in: mutual TLS from sidecars, and plain text from everyone else, as far as PeerAuthentications allow.

15006 ─ port 8080 ─ TLS, hello of a sidecar ─ end TLS ─ HTTP or bytes ─┐
                  ├ TLS of another kind ─ bytes, the app ends it ──────┤
                  └ plain text ─ HTTP or bytes ────────────────────────┴▶ inbound|8080||, the app
any other port: the same, as for a port with an undeclared protocol
"""

from collections.abc import Iterator

from msgspec.structs import replace

from semafor.base import names
from semafor.base.struct import Value
from semafor.ir import (
    ChainMatch,
    Cluster,
    ConnectionLimits,
    Destination,
    DownstreamTls,
    Endpoint,
    EndpointSet,
    FilterChain,
    Forward,
    HttpConnection,
    Inspector,
    Listener,
    LocalityEndpoints,
    Named,
    Origin,
    Retry,
    Route,
    RouteMatch,
    RouteTable,
    SimpleBalancer,
    TcpProxy,
    UpstreamHttp,
    VirtualHost,
)
from semafor.planner import authorization
from semafor.planner.authorization import Checks
from semafor.planner.calling import clusters as outbound_clusters
from semafor.planner.calling import passthrough, scope, view
from semafor.planner.calling.door import HTTP_ALPN
from semafor.planner.calling.upstream_tls import ISTIO, ISTIO_HTTP
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Proxy, Workload
from semafor.planner.security import peer_authentication
from semafor.planner.security.peer_authentication import Mode, Modes
from semafor.planner.services import service
from semafor.planner.services.protocol import Protocol
from semafor.planner.sidecar_rule import Ingress, Sidecar
from semafor.planner.traffic.pool import Pool

INBOUND_PORT = 15006
# The mark of connections to the app itself, which the interception leaves alone even on the loopback interface.
_MARK = 1338
# Where proxies may not mark, their address says the same. Istio's.
_ADDRESS = "127.0.0.6"
# A keep-alive connection that the app closes while a request is on its way to it. Source: Istio 1.24's inbound retries.
_RETRY = Retry(attempts=2, retry_on=("reset-before-request",), other_hosts=False)


class Entry(Value):
    """A port of the workload and what it speaks; port 0 stands for every port that no service names.

    `wish` is what a Sidecar wants of it, `pool` the limits for connections to the application, `service` the first one
    that names it.
    """

    port: int
    protocol: Protocol
    origin: Origin | None = None
    wish: Ingress | None = None
    pool: Pool | None = None
    service: Named | None = None

    @property
    def cluster(self) -> str:
        return names.cluster_name("inbound", self.port, "", "") if self.port else passthrough.INBOUND


def entries(mesh: Mesh, proxy: Proxy) -> tuple[Entry, ...]:
    """The ports that services name, sorted.

    Where several services name a port, a declared protocol goes before an undeclared one: callers by the declared
    service may come with HTTP/2 to an app of HTTP/1.1. Two that are declared differently leave it to detection.
    """
    found: dict[int, Entry] = {}
    rule = scope.sidecar(mesh, view.of(mesh, proxy.workloads[0]))
    for entry in _wished(rule) if rule and rule.ingress else _of_services(mesh, proxy, rule):
        found[entry.port] = _agreed(found.get(entry.port, entry), entry)
    for port, _ in modes(mesh, proxy).ports:  # what no service names can have a mode of its own
        found.setdefault(port, Entry(port=port, protocol=Protocol.SNIFFED))
    return tuple(found[port] for port in sorted(found))


def _wished(rule: Sidecar) -> Iterator[Entry]:
    """The ports that the Sidecar lists stand in place of those that services name."""
    for wish in rule.ingress:
        if wish.captured or wish.app:
            pool = wish.pool or rule.pool
            yield Entry(port=wish.port, protocol=wish.protocol, origin=wish.origin, wish=wish, pool=pool)


def _of_services(mesh: Mesh, proxy: Proxy, rule: Sidecar | None) -> Iterator[Entry]:
    for workload in proxy.workloads:
        for entry in _named(mesh, workload):
            yield replace(entry, pool=rule.pool) if rule else entry


def _agreed(one: Entry, other: Entry) -> Entry:
    if other.protocol in (one.protocol, Protocol.SNIFFED):
        return one
    if one.protocol is Protocol.SNIFFED:
        return other
    return replace(one, protocol=Protocol.SNIFFED)


def _named(mesh: Mesh, workload: Workload) -> Iterator[Entry]:
    for known in mesh.every_service():
        if service.selects(known, workload):
            for port in known.ports:
                if number := service.target_port(port, workload):
                    yield Entry(
                        port=number, protocol=port.protocol, origin=known.origin, service=outbound_clusters.named(known)
                    )


def modes(mesh: Mesh, proxy: Proxy) -> Modes:
    """Whether its workloads take mutual TLS, plain text or both. Those that share a proxy share their labels."""
    if not mesh.peer_authentications:
        return peer_authentication.PERMISSIVE
    one, root = proxy.workloads[0], mesh.options.root_namespace
    return peer_authentication.modes(mesh.peer_authentications, root, one.namespace, one.labels)


def listener(mesh: Mesh, named: tuple[Entry, ...], *, modes: Modes, checks: Checks) -> Listener:
    """Where the kernel redirects what comes for the workloads, in the given modes, and what passes the checks."""
    declared = tuple(entry.port for entry in named if entry.protocol is not Protocol.SNIFFED)
    rest = Entry(port=0, protocol=Protocol.SNIFFED)
    trust_domains = mesh.options.trust_domains
    here = [entry for entry in (*named, rest) if entry.wish is None or entry.wish.captured]
    chains = (chain for entry in here for chain in _chains(entry, trust_domains, modes.at(entry.port)))
    return Listener(
        name="virtualInbound",
        address="0.0.0.0",  # noqa: S104 -- redirected connections keep no address of their own
        port=INBOUND_PORT,
        direction="inbound",
        inspectors=(
            Inspector(kind="original_dst"),
            Inspector(kind="tls"),
            Inspector(kind="http", skip_ports=declared),
        ),
        inspection_timeout_s=mesh.options.inbound_detection_s,
        continue_on_timeout=True,
        chains=(_no_loop(), *(authorization.checked(chain, checks) for chain in chains)),
    )


def bound(mesh: Mesh, named: tuple[Entry, ...], *, modes: Modes, checks: Checks) -> tuple[Listener, ...]:
    """The listeners with a socket of their own, where a Sidecar wants no interception."""
    domains = mesh.options.trust_domains
    return tuple(
        _bound(
            mesh,
            entry,
            tuple(authorization.checked(chain, checks) for chain in _chains(entry, domains, modes.at(entry.port))),
        )
        for entry in named
        if entry.wish and not entry.wish.captured
    )


def _bound(mesh: Mesh, entry: Entry, chains: tuple[FilterChain, ...]) -> Listener:
    address = (entry.wish.bind if entry.wish else "") or "0.0.0.0"  # noqa: S104 -- as for every port of a pod
    sniffs = entry.protocol is Protocol.SNIFFED
    return Listener(
        name=f"{address}_{entry.port}",
        address=address,
        port=entry.port,
        direction="inbound",
        inspectors=(Inspector(kind="tls"), *((Inspector(kind="http"),) if sniffs else ())),
        inspection_timeout_s=mesh.options.inbound_detection_s,
        continue_on_timeout=True,
        chains=tuple(replace(chain, match=replace(chain.match, port=0, ranges=())) for chain in chains),
        origin=entry.origin,
    )


def _no_loop() -> FilterChain:
    return passthrough.no_loop("virtualInbound", INBOUND_PORT)


def _chains(entry: Entry, trust_domains: tuple[str, ...], mode: Mode) -> tuple[FilterChain, ...]:
    """The chains of one port in its mode. A connection that no chain takes is closed."""
    every = _permissive(entry, trust_domains)
    if mode == "disable":
        return tuple(chain for chain in every if chain.tls is None)
    if mode == "strict":
        mutual = [chain for chain in every if chain.tls is not None]
        anyone = replace(mutual[-1], match=replace(mutual[-1].match, alpn=()))  # the certificate decides, not the hello
        return (*mutual[:-1], anyone)
    return every


def _permissive(entry: Entry, trust_domains: tuple[str, ...]) -> tuple[FilterChain, ...]:
    """The chains of one port that takes everything, by what a connection turns out to be."""
    port, protocol = entry.port, entry.protocol
    request_tls = _tls(trust_domains, "h2", "http/1.1")
    bytes_tls = _tls(trust_domains)
    request_mesh = (ISTIO_HTTP, ISTIO) if protocol.is_http else (ISTIO_HTTP,)
    bytes_mesh = (ISTIO,) if protocol is Protocol.SNIFFED else (ISTIO_HTTP, ISTIO)
    found = []
    if protocol.is_http or protocol is Protocol.SNIFFED:
        plain = () if protocol.is_http else HTTP_ALPN
        found += [
            _chain(entry, "http-mtls", ChainMatch(port=port, transport="tls", alpn=request_mesh), request_tls),
            _chain(entry, "http", ChainMatch(port=port, transport="raw_buffer", alpn=plain), None),
        ]
    if not protocol.is_http:
        found += [
            _chain(entry, "tcp-mtls", ChainMatch(port=port, transport="tls", alpn=bytes_mesh), bytes_tls),
            _chain(entry, "tcp", ChainMatch(port=port, transport="raw_buffer"), None),
        ]
    return (*found, _chain(entry, "tls", ChainMatch(port=port, transport="tls"), None))


def _chain(entry: Entry, kind: str, match: ChainMatch, tls: DownstreamTls | None) -> FilterChain:
    carries_requests = kind.startswith("http")
    at_address = (f"{entry.wish.bind}/32",) if entry.wish and entry.wish.bind else ()
    return FilterChain(
        name=f"{entry.port or 'any'}-{kind}",
        match=replace(match, ranges=at_address),
        tls=tls,
        filter=_http(entry, mutual=tls is not None) if carries_requests else _tcp(entry),
        origin=entry.origin,
    )


def _tls(trust_domains: tuple[str, ...], *alpn: str) -> DownstreamTls:
    return DownstreamTls(trust_domains=trust_domains, alpn=alpn)


def _tcp(entry: Entry) -> TcpProxy:
    idle_s = entry.pool.tcp_idle_s if entry.pool else None
    destinations = (Destination(cluster=entry.cluster),)
    return TcpProxy(stat_prefix=entry.cluster, destinations=destinations, idle_timeout_s=idle_s)


def _http(entry: Entry, *, mutual: bool) -> HttpConnection:
    """Without a time-out: the caller's sidecar has the one that was asked for."""
    action = Forward(destinations=(Destination(cluster=entry.cluster),), retry=_RETRY)
    name = f"inbound|http|{entry.port}"
    host = VirtualHost(
        name=name,
        domains=("*",),
        routes=(Route(name="default", match=RouteMatch(), action=action, origin=entry.origin),),
        origin=entry.origin,
    )
    return HttpConnection(
        stat_prefix=f"inbound_0.0.0.0_{entry.port}",
        direction="inbound",
        routes=RouteTable(name=names.cluster_name("inbound", entry.port, "", ""), hosts=(host,)),
        forward_client_identity=mutual,
    )


def clusters(named: tuple[Entry, ...], *, marks: bool) -> tuple[Cluster, ...]:
    """The app, at the address and port that the caller meant. `marks`: proxies may mark connections."""
    every = (_cluster(entry) for entry in (*named, Entry(port=0, protocol=Protocol.SNIFFED)))
    return tuple(each if marks else replace(each, mark=0, bind=_ADDRESS) for each in every)


def _cluster(entry: Entry) -> Cluster:
    limits = entry.pool.limits if entry.pool else ConnectionLimits()
    meant = Cluster(
        name=entry.cluster,
        discovery="original_dst",
        balancer=passthrough.ORIGINAL,
        http=_version(entry.protocol),
        limits=limits,
        connect_timeout_s=(entry.pool.connect_timeout_s if entry.pool else None) or 10.0,
        mark=_MARK,
        original_port=entry.wish.app_port if entry.wish else 0,
        service=entry.service or (None if entry.port else Named(name=passthrough.INBOUND)),
        origin=entry.origin,
    )
    return _to(meant, entry.wish.app) if entry.wish and entry.wish.app else meant


def _to(cluster: Cluster, app: Endpoint) -> Cluster:
    """To where the application listens, whatever the caller meant."""
    found = EndpointSet(cluster=cluster.name, localities=(LocalityEndpoints(endpoints=(app,)),))
    return replace(cluster, discovery="static", endpoints=found, balancer=SimpleBalancer(policy="round_robin"))


def _version(protocol: Protocol) -> UpstreamHttp | None:
    """To the app: HTTP/1.1 where `http` is declared, HTTP/2 where that is, else what the caller speaks."""
    if protocol.is_http2:
        return UpstreamHttp(version="h2")
    if protocol is Protocol.HTTP:
        return UpstreamHttp(version="h1")
    return UpstreamHttp(version="downstream") if protocol is Protocol.SNIFFED else None
