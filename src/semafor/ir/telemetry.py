"""What a proxy tells of its traffic: metrics, logs and traces."""

from typing import Literal

from semafor.base.struct import Value
from semafor.ir.origin import Origin

MetricName = Literal[
    "requests_total",
    "request_duration_milliseconds",
    "request_bytes",
    "response_bytes",
    "request_messages_total",
    "response_messages_total",
    "tcp_connections_opened_total",
    "tcp_connections_closed_total",
    "tcp_sent_bytes_total",
    "tcp_received_bytes_total",
]


class Tag(Value):
    """A label of a metric that is set to what the CEL `expression` gives, or taken away when that is empty."""

    name: str
    expression: str = ""
    origin: Origin | None = None


class Metric(Value):
    """One of Istio's metrics, without its prefix, and what is changed of its labels."""

    name: MetricName
    tags: tuple[Tag, ...] = ()


class Metrics(Value):
    """What is counted of requests or connections, with Istio's labels.

    `reporter`: whether the proxy is with the caller or with the called. `security` is known to the called only.
    `of_host`: where the mesh knows no service, the request's host stands for it.
    """

    reporter: Literal["source", "destination"]
    security: Literal["mutual_tls", "none", "unknown"] = "unknown"
    of_host: bool = False
    metrics: tuple[Metric, ...] = ()


class Named(Value):
    """The service that a cluster is of, as metrics call it; an empty `host` and `namespace` where there is none."""

    name: str
    host: str = ""
    namespace: str = ""


class FileLog(Value, tag="file"):
    """A line for each entry, to a file or stream: `text` in Envoy's format, or an object of the `fields` in JSON."""

    path: str
    text: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    omit_empty: bool = False


class GrpcLog(Value, tag="als"):
    """Entries in Envoy's own form, to the log service behind a cluster; headers and trailers are further ones."""

    cluster: str
    name: str
    states: tuple[str, ...] = ()
    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()
    response_trailers: tuple[str, ...] = ()


class OtlpLog(Value, tag="otlp"):
    """Entries in OpenTelemetry's form, to a collector behind a cluster: a body and attributes in Envoy's format."""

    cluster: str
    name: str
    body: str = ""
    fields: tuple[tuple[str, str], ...] = ()


class AccessLog(Value):
    """Where entries go, and, when it is not empty, the CEL expression that has to be true of what is logged."""

    to: FileLog | GrpcLog | OtlpLog
    expression: str = ""
    origin: Origin | None = None


class SpanTag(Value):
    """A tag of spans: a fixed text, a variable of the proxy, a header of the request, or a text in Envoy's format."""

    name: str
    kind: Literal["literal", "environment", "header", "format"]
    value: str
    default: str = ""


class Collector(Value):
    """Who gets spans. `host` and `path` are of requests over HTTP; `headers` go along.

    Of `zipkin`: `wide_ids` are trace ids of 128 bits, `w3c` sends traceparent beside its own headers.
    """

    kind: Literal["otlp_grpc", "otlp_http", "zipkin"]
    cluster: str
    host: str = ""
    path: str = ""
    timeout_s: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()
    wide_ids: bool = True
    w3c: bool = False


class Tracing(Value):
    """`sampling` is a share in per cent. Without a `collector` requests get an id for traces, and nobody is told.

    `by_request_id`: the request's id says whether it is sampled, to all proxies alike.
    """

    sampling: float
    collector: Collector | None = None
    tags: tuple[SpanTag, ...] = ()
    by_request_id: bool = True
    path_bytes: int = 256
    service: str = ""
    origin: Origin | None = None
