"""What a proxy tells of its traffic: metrics, logs and traces."""

from typing import Literal

from semafor.base.struct import Value

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
