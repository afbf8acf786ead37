"""The plan of the host's proxy: ports of the host that lead to services.

curl ─▶ 127.93.4.20:80 ─▶ unix socket ─▶ the node's proxy ─▶ cluster outbound|80||istio-ingressgateway..., as it is
"""

from semafor.ir import (
    Destination,
    FilterChain,
    Listener,
    Plan,
    TcpProxy,
)
from semafor.planner.calling import passthrough
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Opening, Proxy


def plan(_: Mesh, proxy: Proxy) -> Plan:
    """What the host's proxy is told."""
    pipes = sorted({opening.pipe for opening in proxy.openings})
    return Plan(
        proxy=proxy.id,
        listeners=tuple(_listener(opening) for opening in proxy.openings),
        clusters=tuple(passthrough.by_pipe(pipe, pipe) for pipe in pipes),
    )


def _listener(opening: Opening) -> Listener:
    """A port that someone else has is refused, not shared."""
    bytes_ = TcpProxy(stat_prefix="opening", destinations=(Destination(cluster=opening.pipe),))
    return Listener(
        name=f"{opening.address}_{opening.port}",
        address=opening.address,
        port=opening.port,
        direction="inbound",
        exclusive=True,
        default_chain=FilterChain(name="tcp", filter=bytes_),
    )
