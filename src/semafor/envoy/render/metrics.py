"""ir.Metrics -> the access loggers that count, inside Envoy, what Istio's standard metrics count."""

from typing import Final, Literal

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import labels
from semafor.envoy.render.shape import Fields, typed, wrap

# Envoy's listing for Prometheus takes this prefix off again, and puts no `envoy_` in front: see `envoy.bootstrap`.
PREFIX: Final = "wasmcustom"
# As many series as 5,000 different combinations of labels need, so that callers who make up hosts fill no memory.
_MAX_SERIES: Final = 5_000
_HISTOGRAMS: Final = {
    "request_duration_milliseconds": ("Milliseconds", "%DURATION%"),
    "request_bytes": ("Bytes", "%DOWNSTREAM_WIRE_BYTES_RECEIVED%"),
    "response_bytes": ("Bytes", "%DOWNSTREAM_WIRE_BYTES_SENT%"),
}
MESSAGES: Final = frozenset(("request_messages_total", "response_messages_total"))
# Envoy gives the counts of a call as one text, which is no value to add: it is a label, and what reads adds up. So many
# different ones are kept apart, in a scope of their own, that calls with numbers of their own push out nothing else.
_COUNTED: Final[Fields] = {"name": "messages", "value_format": "%FILTER_STATE(envoy.filters.http.grpc_stats:PLAIN)%"}
_MAX_COUNTED: Final = 2_000
_AT_END: Final = {
    "tcp_connections_closed_total": "",
    "tcp_sent_bytes_total": "%DOWNSTREAM_WIRE_BYTES_SENT%",
    "tcp_received_bytes_total": "%DOWNSTREAM_WIRE_BYTES_RECEIVED%",
}
_GRPC: Final[tuple[Fields, ...]] = (
    {"exact": "application/grpc"},
    {"prefix": "application/grpc+"},
    {"prefix": "application/grpc;"},
)
_OPENED: Final = "tcp_connections_opened_total"
_NEVER_OPEN: Final = "!has(upstream.local_address)"


def of_requests(pool: Pool, node: ir.Metrics | None) -> list[Fields]:
    """The loggers of an HTTP connection: one of gRPC, one of all else, so that what a request is costs no label."""
    if node is None:
        return []
    return [*_of_protocol(pool, node, "grpc"), *_of_messages(pool, node), *_of_protocol(pool, node, "http")]


def _of_protocol(pool: Pool, node: ir.Metrics, kind: Literal["http", "grpc"]) -> list[Fields]:
    counters = [_counter(pool, node, one, kind) for one in node.metrics if one.name == "requests_total"]
    histograms = [_histogram(pool, node, one, kind) for one in node.metrics if one.name in _HISTOGRAMS]
    if not counters and not histograms:
        return []
    return [_logger(pool, when=_of_content(grpc=kind == "grpc"), counters=counters, histograms=histograms)]


def _of_messages(pool: Pool, node: ir.Metrics) -> list[Fields]:
    """Differs from Istio: messages are counted when the call ends, not every 5 seconds."""
    counters = [_counter(pool, node, one, "grpc") for one in node.metrics if one.name in MESSAGES]
    for counter in counters:
        counter["stat"]["tags"].append(_COUNTED)
    scope = ("istio messages", _MAX_COUNTED)
    return [_logger(pool, when=_of_content(grpc=True), scope=scope, counters=counters)] if counters else []


def _of_content(*, grpc: bool) -> Fields:
    """A filter of a log: whether the request is one of gRPC."""
    matchers = [{"name": "content-type", "string_match": text} for text in _GRPC]
    if grpc:
        return {"or_filter": {"filters": [{"header_filter": {"header": matcher}} for matcher in matchers]}}
    inverted: Fields = {"invert_match": True, "treat_missing_header_as_empty": True}
    return {"and_filter": {"filters": [{"header_filter": {"header": matcher | inverted}} for matcher in matchers]}}


def of_bytes(pool: Pool, node: ir.Metrics | None) -> list[Fields]:
    """The loggers of connections that carry bytes: a connection is opened once it has led somewhere, or has failed to.

    Differs from Istio: bytes are counted when the connection ends, not every 5 seconds.
    """
    if node is None:
        return []
    opened = [_counter(pool, node, one, "tcp") for one in node.metrics if one.name == _OPENED]
    ended = [_counter(pool, node, one, "tcp", _AT_END[one.name]) for one in node.metrics if one.name in _AT_END]
    found = []
    if opened:
        found.append(_logger(pool, when=_of_type("TcpUpstreamConnected"), counters=opened))
        never = {"and_filter": {"filters": [_of_type("TcpConnectionEnd"), expression(pool, _NEVER_OPEN)]}}
        found.append(_logger(pool, when=never, counters=opened))
    if ended:
        found.append(_logger(pool, when=_of_type("TcpConnectionEnd"), counters=ended))
    return found


def expression(pool: Pool, text: str) -> Fields:
    """A filter of a log: the CEL expression has to be true."""
    type_name = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
    return {"extension_filter": typed(pool, "envoy.access_loggers.extension_filters.cel", type_name, expression=text)}


def _of_type(log_type: str) -> Fields:
    return {"log_type_filter": {"types": [log_type]}}


def _logger(
    pool: Pool, *, when: Fields | None = None, scope: tuple[str, int] = ("istio", _MAX_SERIES), **stats: list[Fields]
) -> Fields:
    """Loggers share a `scope`, its name and the most series in it, so that series outlive the listener they are of."""
    limit = wrap(scope[1])
    shared = {"prefix": PREFIX, "sharing_name": scope[0], "max_counters": limit, "max_histograms": limit}
    type_name = "envoy.extensions.access_loggers.stats.v3.Config"
    logger = typed(pool, "envoy.access_loggers.stats", type_name, stats_scope=shared, **stats)
    return logger | ({"filter": when} if when else {})


def _counter(pool: Pool, node: ir.Metrics, metric: ir.Metric, kind: labels.Kind, form: str = "") -> Fields:
    """`form` gives what is added; without one it is 1."""
    added: Fields = {"value_format": form} if form else {"value_fixed": wrap(1)}
    return {"stat": _stat(pool, node, metric, kind), **added}


def _histogram(pool: Pool, node: ir.Metrics, metric: ir.Metric, kind: labels.Kind) -> Fields:
    unit, form = _HISTOGRAMS[metric.name]
    return {"stat": _stat(pool, node, metric, kind), "unit": unit, "value_format": form}


def _stat(pool: Pool, node: ir.Metrics, metric: ir.Metric, kind: labels.Kind) -> Fields:
    return {"name": f"istio_{metric.name}", "tags": labels.of(pool, node, kind, metric.tags)}
