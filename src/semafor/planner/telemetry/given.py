"""Listeners that tell what comes through them, as it is wanted."""

from functools import partial

from msgspec.structs import replace

from semafor.ir import FilterChain, HttpConnection, Listener, Metric, Metrics
from semafor.planner.mesh import Mesh
from semafor.planner.telemetry.wanted import Told, Wanted

_OF_REQUESTS = "request"  # how the names of metrics begin that count requests, or what is in them
_OF_ANSWERS = "response"


def given(mesh: Mesh, wanted: Wanted, listeners: tuple[Listener, ...]) -> tuple[Listener, ...]:
    """The listeners of a proxy, with what is wanted of them."""
    key = (wanted.made, wanted.taken, wanted.at_edge)
    return tuple(mesh.memo(("told", id(each), key), (each,), partial(_told, each, wanted)) for each in listeners)


def _told(listener: Listener, wanted: Wanted) -> Listener:
    inbound = listener.direction == "inbound" and not wanted.at_edge
    chain = partial(_chain, wanted=wanted, inbound=inbound)
    default = listener.default_chain
    return replace(
        listener,
        chains=tuple(chain(each) for each in listener.chains),
        default_chain=chain(default) if default else None,
    )


def _chain(chain: FilterChain, wanted: Wanted, *, inbound: bool) -> FilterChain:
    told = wanted.taken if inbound else wanted.made
    of_requests = isinstance(chain.filter, HttpConnection)
    names = tuple(one for one in told.metrics if _counts_requests(one) is of_requests)
    metrics = _metrics(names, inbound=inbound, mutual=chain.tls is not None, of_host=not wanted.at_edge)
    said = {"metrics": metrics if names else None, "logs": told.logs}
    return replace(chain, filter=replace(chain.filter, **said, **(_tracing(told) if of_requests else {})))


def _tracing(told: Told) -> dict[str, object]:
    return {"tracing": told.tracing}


def _counts_requests(metric: Metric) -> bool:
    return metric.name.startswith((_OF_REQUESTS, _OF_ANSWERS))


def _metrics(names: tuple[Metric, ...], *, inbound: bool, mutual: bool, of_host: bool) -> Metrics:
    """Of calls that are made, only the called knows how safe the connection is. Source: Istio's istio_stats."""
    if inbound:
        return Metrics(reporter="destination", security="mutual_tls" if mutual else "none", metrics=names)
    return Metrics(reporter="source", of_host=of_host, metrics=names)
