"""Listeners that tell what comes through them."""

from functools import partial
from typing import Final

from msgspec.structs import replace

from semafor.base.struct import Value
from semafor.ir import FilterChain, Listener, Metric, Metrics
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Proxy

_OF_REQUESTS: Final = ("requests_total", "request_duration_milliseconds", "request_bytes", "response_bytes")
_OF_BYTES: Final = (
    "tcp_connections_opened_total",
    "tcp_connections_closed_total",
    "tcp_sent_bytes_total",
    "tcp_received_bytes_total",
)
_EVERY: Final = tuple(Metric(name=name) for name in (*_OF_REQUESTS, *_OF_BYTES))


class Wanted(Value):
    """What a proxy tells of calls that it makes (`at_edge`: that come in from outside), and of those that it takes."""

    made: tuple[Metric, ...] = _EVERY
    taken: tuple[Metric, ...] = _EVERY
    at_edge: bool = False


def given(mesh: Mesh, proxy: Proxy, listeners: tuple[Listener, ...]) -> tuple[Listener, ...]:
    """The listeners of the proxy, with what is wanted of them."""
    wanted = Wanted(at_edge=proxy.role == "gateway")
    return tuple(mesh.memo(("told", id(each), wanted), (each,), partial(_told, each, wanted)) for each in listeners)


def _told(listener: Listener, wanted: Wanted) -> Listener:
    chain = partial(_chain, inbound=listener.direction == "inbound", wanted=wanted)
    default = listener.default_chain
    return replace(
        listener,
        chains=tuple(chain(each) for each in listener.chains),
        default_chain=chain(default) if default else None,
    )


def _chain(chain: FilterChain, wanted: Wanted, *, inbound: bool) -> FilterChain:
    metrics = _metrics(wanted, inbound=inbound and not wanted.at_edge, mutual=chain.tls is not None)
    return replace(chain, filter=replace(chain.filter, metrics=metrics if metrics.metrics else None))


def _metrics(wanted: Wanted, *, inbound: bool, mutual: bool) -> Metrics:
    """Of calls that are made, only the called knows how safe the connection is. Source: Istio's istio_stats."""
    if inbound:
        return Metrics(reporter="destination", security="mutual_tls" if mutual else "none", metrics=wanted.taken)
    return Metrics(reporter="source", of_host=not wanted.at_edge, metrics=wanted.made)
