"""The plan of the host's proxy: ports of the host that lead to services.

curl ─▶ 127.93.4.20:80 ─▶ unix socket ─▶ the node's proxy ─▶ cluster outbound|80||istio-ingressgateway..., as it is
dig  ─▶ 127.93.4.20:53 ─▶ a tunnel over HTTP/2 through a unix socket ─▶ cluster outbound-udp|53||...
"""

from msgspec.structs import replace

from semafor.ir import (
    Cluster,
    Destination,
    FilterChain,
    Listener,
    Plan,
    TcpProxy,
    UdpProxy,
    UpstreamHttp,
)
from semafor.planner.calling import passthrough
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Opening, Proxy

_STAT_PREFIX = "opening"


def plan(_: Mesh, proxy: Proxy) -> Plan:
    """What the host's proxy is told."""
    by_pipe = {opening.pipe: opening for opening in proxy.openings}
    return Plan(
        proxy=proxy.id,
        listeners=tuple(_listener(opening) for opening in proxy.openings),
        clusters=tuple(_cluster(by_pipe[pipe]) for pipe in sorted(by_pipe)),
    )


def _cluster(opening: Opening) -> Cluster:
    bytes_ = passthrough.by_pipe(opening.pipe, opening.pipe)
    return replace(bytes_, http=UpstreamHttp(version="h2")) if opening.protocol == "UDP" else bytes_


def _listener(opening: Opening) -> Listener:
    """A port that someone else has is refused, not shared."""
    place = Listener(
        name=f"{opening.address}_{opening.port}",
        address=opening.address,
        port=opening.port,
        direction="inbound",
        exclusive=True,
    )
    if opening.protocol == "UDP":
        tunnel = UdpProxy(stat_prefix=_STAT_PREFIX, cluster=opening.pipe, tunnel=True)
        return replace(place, name=f"{place.name}_udp", datagrams=tunnel)
    bytes_ = TcpProxy(stat_prefix=_STAT_PREFIX, destinations=(Destination(cluster=opening.pipe),))
    return replace(place, default_chain=FilterChain(name="tcp", filter=bytes_))
