"""What happens to destinations that the mesh does not know: they are called directly, or refused."""

from semafor.ir import (
    ChainMatch,
    Cluster,
    Destination,
    DirectResponse,
    Endpoint,
    EndpointSet,
    FilterChain,
    Forward,
    LocalityEndpoints,
    Named,
    Route,
    RouteMatch,
    SimpleBalancer,
    TcpProxy,
    UpstreamHttp,
    VirtualHost,
)
from semafor.planner.options import Options

PASSTHROUGH = "PassthroughCluster"
BLACK_HOLE = "BlackHoleCluster"
INBOUND = "InboundPassthroughCluster"

ORIGINAL = SimpleBalancer(policy="original")
_REFUSAL = "the mesh knows no such host, and its mode is REGISTRY_ONLY\n"


def clusters() -> tuple[Cluster, ...]:
    """Where the caller was going, and nowhere."""
    direct = Cluster(
        name=PASSTHROUGH,
        discovery="original_dst",
        balancer=ORIGINAL,
        http=UpstreamHttp(version="downstream"),
        service=Named(name=PASSTHROUGH),
    )
    return (direct, nowhere())


def nowhere() -> Cluster:
    """A cluster without endpoints: what is sent there is refused."""
    balancer, service = SimpleBalancer(policy="round_robin"), Named(name=BLACK_HOLE)
    return Cluster(name=BLACK_HOLE, discovery="static", balancer=balancer, service=service)


def by_pipe(name: str, pipe: str) -> Cluster:
    """Whoever listens on the unix socket."""
    endpoint = LocalityEndpoints(endpoints=(Endpoint(pipe=pipe),))
    return Cluster(
        name=name,
        discovery="static",
        endpoints=EndpointSet(cluster=name, localities=(endpoint,)),
        balancer=SimpleBalancer(policy="round_robin"),
    )


def chain(options: Options) -> FilterChain:
    """For bytes that no other chain takes."""
    cluster = PASSTHROUGH if options.outbound == "ALLOW_ANY" else BLACK_HOLE
    return FilterChain(name=cluster, filter=TcpProxy(stat_prefix=cluster, destinations=(Destination(cluster=cluster),)))


def no_loop(listener: str, port: int) -> FilterChain:
    """For connections to the listener's own port: they would be handed round until the proxy has nothing left."""
    hole = TcpProxy(stat_prefix=BLACK_HOLE, destinations=(Destination(cluster=BLACK_HOLE),))
    return FilterChain(name=f"{listener}-blackhole", match=ChainMatch(port=port), filter=hole)


def host(options: Options) -> VirtualHost:
    """For requests whose host no other virtual host takes. Names are Istio's."""
    if options.outbound == "ALLOW_ANY":
        direct = Forward(destinations=(Destination(cluster=PASSTHROUGH),))
        route = Route(name="allow_any", match=RouteMatch(), action=direct)
        return VirtualHost(name="allow_any", domains=("*",), routes=(route,))
    refusal = DirectResponse(status=502, body=_REFUSAL)
    route = Route(name="block_all", match=RouteMatch(), action=refusal, named=BLACK_HOLE)
    return VirtualHost(name="block_all", domains=("*",), routes=(route,))
