"""What it all means: the plan of one proxy, shaped like Envoy's configuration, with everything Istio resolved.

In: nothing; these are values that `planner` builds. Out: what `envoy` renders, and what `explain` reads.
Never here: selectors, wildcards still to be resolved, names still to be looked up, or anything that knows Kubernetes,
Istio's documents or protobuf. Every value is frozen and hashable, so equal parts are rendered once; maps are sorted
tuples of pairs. Durations are seconds. Every node that stands for a decision carries the `Origin` that caused it.

    Plan
     ├ Listener ─ FilterChain ─ HttpConnection ─┐ (inline, or by the name of a RouteTable)
     │                        └ TcpProxy ─┐     │       (or UdpProxy, without chains)
     ├ RouteTable ─ VirtualHost ─ Route ──┼─────┘
     ├ Cluster ◀──────────────────────────┘ (by name)
     ├ EndpointSet (by the name of its cluster)
     ├ Credential (by name, from the TLS settings of listeners and clusters)
     ├ DnsRelay
     └ Patch, which changes what has been rendered
"""

from semafor.ir.authorization import Authorizer, Body, Condition, Conditions, Guard, Rule
from semafor.ir.cluster import (
    Cluster,
    ConnectionLimits,
    ConsistentHash,
    Keepalive,
    LoadBalancer,
    OutlierDetection,
    Ping,
    RetryBudget,
    SimpleBalancer,
    SlowStart,
    UpstreamHttp,
    UpstreamTls,
)
from semafor.ir.credential import Credential
from semafor.ir.dns import DnsRelay
from semafor.ir.endpoint import Endpoint, EndpointSet, Locality, LocalityEndpoints
from semafor.ir.listener import (
    ChainMatch,
    DownstreamTls,
    Edge,
    FilterChain,
    HttpConnection,
    Inspector,
    Listener,
    TcpProxy,
    Tunnel,
    UdpProxy,
    UdpTunnel,
)
from semafor.ir.match import HeaderMatch, PathMatch, QueryMatch, RouteMatch, StringMatch
from semafor.ir.origin import Origin
from semafor.ir.patch import Patch, PatchListener, PatchRoutes
from semafor.ir.plan import Plan
from semafor.ir.route import (
    Abort,
    Cors,
    Delay,
    Destination,
    DirectResponse,
    Fail,
    Fault,
    Forward,
    HashKey,
    HeaderOps,
    Mirror,
    Redirect,
    RegexRewrite,
    Retry,
    Rewrite,
    Route,
    RouteTable,
    VirtualHost,
)
from semafor.ir.telemetry import (
    AccessLog,
    Collector,
    FileLog,
    GrpcLog,
    Metric,
    MetricName,
    Metrics,
    Named,
    OtlpLog,
    SpanTag,
    Tag,
    Tracing,
)
from semafor.ir.token import TokenIssuer

__all__ = [
    "Abort",
    "AccessLog",
    "Authorizer",
    "Body",
    "ChainMatch",
    "Cluster",
    "Collector",
    "Condition",
    "Conditions",
    "ConnectionLimits",
    "ConsistentHash",
    "Cors",
    "Credential",
    "Delay",
    "Destination",
    "DirectResponse",
    "DnsRelay",
    "DownstreamTls",
    "Edge",
    "Endpoint",
    "EndpointSet",
    "Fail",
    "Fault",
    "FileLog",
    "FilterChain",
    "Forward",
    "GrpcLog",
    "Guard",
    "HashKey",
    "HeaderMatch",
    "HeaderOps",
    "HttpConnection",
    "Inspector",
    "Keepalive",
    "Listener",
    "LoadBalancer",
    "Locality",
    "LocalityEndpoints",
    "Metric",
    "MetricName",
    "Metrics",
    "Mirror",
    "Named",
    "Origin",
    "OtlpLog",
    "OutlierDetection",
    "Patch",
    "PatchListener",
    "PatchRoutes",
    "PathMatch",
    "Ping",
    "Plan",
    "QueryMatch",
    "Redirect",
    "RegexRewrite",
    "Retry",
    "RetryBudget",
    "Rewrite",
    "Route",
    "RouteMatch",
    "RouteTable",
    "Rule",
    "SimpleBalancer",
    "SlowStart",
    "SpanTag",
    "StringMatch",
    "Tag",
    "TcpProxy",
    "TokenIssuer",
    "Tracing",
    "Tunnel",
    "UdpProxy",
    "UdpTunnel",
    "UpstreamHttp",
    "UpstreamTls",
    "VirtualHost",
]
