"""What an Envoy starts with, as JSON: who it is, where its configuration comes from, and what never changes.

sidecar   in a pod: admin on 127.0.0.1:15000, readiness on 15021, metrics on 15090 and 15020
node      in the node's own network namespace: cluster addresses and the way out
host      in the host's network namespace: a unix socket through which pods reach the outside
"""

import json
from typing import Any, Final

from semafor.base.struct import Value
from semafor.envoy import statistics
from semafor.envoy.secret_names import IDENTITY, TRUST

ADMIN_PORT: Final = 15000
READY_PORT: Final = 15021
STATS_PORT: Final = 15090  # where whoever asks gets the proxy's metrics
MERGED_PORT: Final = 15020  # and here those of its application besides
MONITORING_PORT: Final = 15014  # of istiod
DEBUG_PORT: Final = 8080  # the same for who forwards a port
PROMETHEUS_PORT: Final = 9090  # of Prometheus's API, in istiod's pod
OUTBOUND_MARK: Final = 1337  # the interception rules leave connections with this mark alone
POD_METADATA: Final = "semafor-pod"  # what a proxy says of itself when it asks a remote control plane
_PRIVATE: Final = 0o600
_TYPES: Final = "type.googleapis.com/envoy."
_MIB: Final = 1 << 20

Json = dict[str, Any]


class Remote(Value):
    """A control plane in another place, by TLS on both sides. It proves to be `name`.

    `identity` and `roots` are files with the SDS secrets `default` and `ROOTCA`, read again when something is moved
    into the folder `watched`. `pod` is who asks: the control plane compares it with the certificate.
    """

    host: str
    port: int
    name: str
    pod: str
    identity: str
    roots: str
    watched: str


class Bootstrap(Value):
    """One Envoy. Paths are as that Envoy sees them.

    `xds_socket` and `token`: where it asks for its configuration, and what proves who it is; or `remote` for both.
    `admin_socket`: besides (sidecar) or in place of (node, host) the admin port. `mark` of 0 leaves its connections
    unmarked. Above 95 % of `max_heap_bytes` no new requests are taken; `max_connections` of callers cost about 50 KB
    each. `trusts_callers`: they are sidecars, which may give up most of their requests. `application`: one that
    has metrics of its own. `hosts` are the pod's addresses.
    """

    node_id: str
    cluster: str
    token: str = ""
    xds_socket: str = ""
    remote: Remote | None = None
    admin_socket: str = ""
    admin_port: int = ADMIN_PORT
    ready_port: int = READY_PORT
    mark: int = OUTBOUND_MARK
    metadata: tuple[tuple[str, str], ...] = ()
    max_connections: int = 10_000
    max_heap_bytes: int = 1024 * _MIB
    trusts_callers: bool = False
    shown: statistics.Shown = statistics.Shown()
    application: statistics.Application | None = None
    hosts: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Bootstrap({self.node_id!r}, token=redacted)"


def sidecar(options: Bootstrap) -> bytes:
    """The sidecar of a pod."""
    document = _common(options, mark=options.mark)
    # Of no file, and in the pod's own network: as a port of the loopback interface is.
    admin, metrics_of_all = (_pipe(f"@envoy-{name}-{options.admin_port}", mode=None) for name in ("admin", "metrics"))
    document["admin"] = {"address": admin}
    document["static_resources"]["clusters"] += [_cluster("admin", admin), _cluster("metrics", metrics_of_all)]
    listeners = [
        _listener("metrics", metrics_of_all, [_all_to("admin")], statistics.SPELLING),
        _listener("ready", _tcp("0.0.0.0", options.ready_port), _ready_routes()),  # noqa: S104 the kubelet asks here
        *_told(options),
        _listener("admin", _tcp("127.0.0.1", options.admin_port), _admin_routes()),
    ]
    if options.application:
        document["static_resources"]["clusters"].append(
            _cluster("application", _tcp("127.0.0.1", options.application.port))
        )
    if options.admin_socket:
        listeners.append(_listener("admin socket", _pipe(options.admin_socket), _admin_routes()))
    document["static_resources"]["listeners"] = listeners
    document["bootstrap_extensions"] = [statistics.METRIC_NAMES]
    return _encode(document)


def node(options: Bootstrap) -> bytes:
    """The Envoy of the node. Its listeners come by ADS."""
    document = _common(options, mark=options.mark)
    document["admin"] = {"address": _pipe(options.admin_socket)}
    return _encode(document)


def host(options: Bootstrap, *, exit_socket: str) -> bytes:
    """The Envoy on the host's side. Gateways' listeners come by ADS.

    On the unix socket `exit_socket` it takes connections that begin with a PROXY header (version 2) and carries each
    on to the destination in that header. Whoever can open the socket reaches what the host reaches.
    """
    document = _common(options, mark=0)  # an ordinary user may not mark; there is no interception here either
    document["admin"] = {"address": _pipe(options.admin_socket)}
    document["static_resources"]["listeners"] = [_exit(exit_socket)]
    document["static_resources"]["clusters"].append(
        {"name": "exit", "type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED", "connect_timeout": "10s"}
    )
    return _encode(document)


def front(socket: str, *, prometheus: str) -> bytes:
    """The Envoy in istiod's pod: hands what is asked on its ports to the daemon's unix sockets.

    `socket` is that of the monitoring port, `prometheus` that of Prometheus's API.
    """
    doors = (("monitoring", MONITORING_PORT, socket), ("prometheus", PROMETHEUS_PORT, prometheus))
    listeners = [_listener(name, _tcp("0.0.0.0", port), [_all_to(name)]) for name, port, _ in doors]  # noqa: S104 kubelet
    listeners.append(_listener("debug", _tcp("127.0.0.1", DEBUG_PORT), [_all_to("monitoring")]))
    document: Json = {
        "admin": {"address": _tcp("127.0.0.1", ADMIN_PORT)},
        "static_resources": {
            "clusters": [_cluster(name, _pipe(path, mode=None)) for name, _, path in doors],
            "listeners": listeners,
        },
        "stats_config": statistics.MATCHER,
    }
    return _encode(document)


def argv(envoy: str, config: str, *, concurrency: int = 1, log_level: str = "warning") -> tuple[str, ...]:
    """The command line. Without hot restart nothing is left in shared memory, and two Envoys cannot collide there."""
    return (
        envoy,
        "--config-path",
        config,
        "--concurrency",
        str(concurrency),
        "--log-level",
        log_level,
        "--disable-hot-restart",
        "--drain-time-s",
        "5",
    )


def _common(options: Bootstrap, *, mark: int) -> Json:
    metadata = dict(options.metadata)
    remote = options.remote
    static = (
        {"clusters": [_xds_remote(remote)]}
        if remote
        else {"clusters": [_xds(options.xds_socket)], "secrets": [_secret(options.token)]}
    )
    document: Json = {
        "node": {"id": options.node_id, "cluster": options.cluster, "metadata": metadata},
        "dynamic_resources": _dynamic(remote.pod if remote else ""),
        "static_resources": static,
        "layered_runtime": {"layers": [{"name": "static", "static_layer": _runtime(options)}]},
        "overload_manager": _overload(options),
        "stats_config": statistics.config(options.shown),
        "deferred_stat_options": {"enable_deferred_creation_stats": True},
        "memory_allocator_manager": {"max_per_cpu_cache_size_bytes": _KEPT_PER_CPU_BYTES},
    }
    if mark:
        option = {"level": 1, "name": 36, "int_value": mark, "state": "STATE_PREBIND"}  # SOL_SOCKET, SO_MARK
        document["cluster_manager"] = {"upstream_bind_config": {"socket_options": [option]}}
    return document


# Freed memory that each CPU may keep for itself; by default 1.5 MB, on each CPU that the proxy ever ran on.
_KEPT_PER_CPU_BYTES: Final = 2**18

# Clusters that fall back to plain text for endpoints without a sidecar cannot do ALPN on all endpoints, which Envoy
# refuses unless told that it is meant. Envoy's own limit for regular expressions, 100, refuses what people write to
# tell browsers apart; this one is Istio's. Spans are sent on twice a second, or fifty at once: by default it is every
# five seconds, when who looks has given up and a job has ended, or every five spans, each time a request of its own.
_RUNTIME: Final[Json] = {
    "config.do_not_validate_alpn_support": 100,
    "re2.max_program_size.error_level": 32768,
    "tracing.opentelemetry.flush_interval_ms": 500,
    "tracing.opentelemetry.min_flush_spans": 50,
}

# Envoy closes a connection on which, of 500 requests, more than half were given up at once: at an edge, an attack. But
# a sidecar gives up every attempt that it repeats, and all that the connection carries would fail with it.
_NO_RESET_IS_AN_ATTACK: Final[Json] = {"overload.premature_reset_total_stream_count": 2**31 - 1}


def _runtime(options: Bootstrap) -> Json:
    return _RUNTIME | (_NO_RESET_IS_AN_ATTACK if options.trusts_callers else {})


def _dynamic(pod: str) -> Json:
    ads = {"ads": {}, "resource_api_version": "V3"}
    service: Json = {
        "envoy_grpc": {
            "cluster_name": "xds",
            # A control plane that restarts is back within a second; Envoy's own back-off goes up to 30.
            "retry_policy": {"retry_back_off": {"base_interval": "0.1s", "max_interval": "1s"}},
        },
    }
    if pod:
        service["initial_metadata"] = [{"key": POD_METADATA, "value": pod}]
    return {
        "ads_config": {
            "api_type": "DELTA_GRPC",
            "transport_api_version": "V3",
            "set_node_on_first_message_only": True,
            "grpc_services": [service],
        },
        "cds_config": ads,
        "lds_config": ads,
    }


def _xds_remote(remote: Remote) -> Json:
    def secret(name: str, path: str) -> Json:
        source = {"path": path, "watched_directory": {"path": remote.watched}}
        return {"name": name, "sds_config": {"path_config_source": source, "resource_api_version": "V3"}}

    named = {"san_type": "DNS", "matcher": {"exact": remote.name}}
    tls = {
        "@type": _TYPES + "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "sni": remote.name,
        "common_tls_context": {
            "alpn_protocols": ["h2"],
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "tls_certificate_sds_secret_configs": [secret(IDENTITY, remote.identity)],
            "combined_validation_context": {
                "default_validation_context": {"match_typed_subject_alt_names": [named]},
                "validation_context_sds_secret_config": secret(TRUST, remote.roots),
            },
        },
    }
    cluster = _cluster("xds", _tcp(remote.host, remote.port))
    options = {"explicit_http_config": {"http2_protocol_options": {"connection_keepalive": _XDS_KEEPALIVE}}}
    extension = {"@type": _TYPES + "extensions.upstreams.http.v3.HttpProtocolOptions", **options}
    return {
        **cluster,
        "type": "STRICT_DNS",
        "connect_timeout": "5s",
        "dns_refresh_rate": "5s",
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": extension},
    }


def sds(name: str, content: Json) -> bytes:
    """A file from which Envoy reads the secret."""
    secret = {"@type": _TYPES + "extensions.transport_sockets.tls.v3.Secret", "name": name, **content}
    return _encode({"resources": [secret]})


def _xds(path: str) -> Json:
    options = {"explicit_http_config": {"http2_protocol_options": {"connection_keepalive": _XDS_KEEPALIVE}}}
    codec = {"@type": _TYPES + "extensions.filters.http.upstream_codec.v3.UpstreamCodec"}
    filters = [_proof(), {"name": "envoy.filters.http.upstream_codec", "typed_config": codec}]
    extension = {
        "@type": _TYPES + "extensions.upstreams.http.v3.HttpProtocolOptions",
        **options,
        "http_filters": filters,
    }
    cluster = _cluster("xds", _pipe(path, mode=None))
    cluster["typed_extension_protocol_options"] = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": extension}
    return cluster


def _secret(token: str) -> Json:
    """What proves who this Envoy is. A secret is blanked in Envoy's dump, which every app in the pod may read."""
    return {"name": _TOKEN, "generic_secret": {"secret": {"inline_string": f"Bearer {token}"}}}


def _proof() -> Json:
    generic = {
        "@type": _TYPES + "extensions.http.injected_credentials.generic.v3.Generic",
        "credential": {"name": _TOKEN},
        "header": "authorization",
    }
    injector = {
        "@type": _TYPES + "extensions.filters.http.credential_injector.v3.CredentialInjector",
        "overwrite": True,
        "credential": {"name": "envoy.http.injected_credentials.generic", "typed_config": generic},
    }
    return {"name": "envoy.filters.http.credential_injector", "typed_config": injector}


_TOKEN: Final = "xds-token"  # noqa: S105 - the secret's name

_XDS_KEEPALIVE: Final[Json] = {"interval": "30s", "timeout": "10s"}


def _overload(options: Bootstrap) -> Json:
    monitors = "envoy.resource_monitors."
    heap = {
        "@type": _TYPES + "extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
        "max_heap_size_bytes": options.max_heap_bytes,
    }
    connections = {
        "@type": _TYPES + "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        "max_active_downstream_connections": options.max_connections,
    }
    full = {"name": monitors + "fixed_heap", "threshold": {"value": 0.95}}
    return {
        "refresh_interval": "0.5s",
        "resource_monitors": [
            {"name": monitors + "fixed_heap", "typed_config": heap},
            {"name": monitors + "global_downstream_max_connections", "typed_config": connections},
        ],
        "actions": [{"name": "envoy.overload_actions.stop_accepting_requests", "triggers": [full]}],
    }


def _cluster(name: str, address: Json) -> Json:
    endpoint = {"endpoint": {"address": address}}
    assignment = {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}
    return {"name": name, "type": "STATIC", "connect_timeout": "1s", "load_assignment": assignment}


def _listener(name: str, address: Json, routes: list[Json], *filters: Json) -> Json:
    router = {"@type": _TYPES + "extensions.filters.http.router.v3.Router"}
    connection = {
        "@type": _TYPES + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": {"virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}]},
        "http_filters": [*filters, {"name": "envoy.filters.http.router", "typed_config": router}],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": connection}]}
    # A proxy that is full must still be able to say so.
    full = {"ignore_global_conn_limit": True, "bypass_overload_manager": True}
    return {"name": name, "address": address, "filter_chains": [chain], **full}


def _ready_routes() -> list[Json]:
    return [{"match": {"path": "/healthz/ready"}, "route": {"cluster": "admin", "prefix_rewrite": "/ready"}}, _NOTHING]


_NOTHING: Final[Json] = {"match": {"prefix": "/"}, "direct_response": {"status": 404}}


def _admin_routes() -> list[Json]:
    """All of the admin interface, and metrics with their labels spelled out."""
    prometheus = {"name": "format", "string_match": {"exact": "prometheus"}}
    return [_metrics(), _metrics(path="/stats", query_parameters=[prometheus]), _all_to("admin")]


def _told(options: Bootstrap) -> list[Json]:
    """Where Prometheus asks. Without an application that is to be asked, too, both ports are one listener's.

    At the pod's own addresses: what a pod asks of another one's port would else be taken for its own proxy's.
    """
    hosts = (*options.hosts, "127.0.0.1") if options.hosts else ("0.0.0.0",)  # noqa: S104 it is on another machine
    own, merged = ([_tcp(host, port) for host in hosts] for port in (STATS_PORT, MERGED_PORT))
    if options.application is None:
        return [_at(own + merged, _listener("stats", {}, [_metrics(), _NOTHING]))]
    merging = statistics.merging(options.application)
    return [
        _at(own, _listener("stats", {}, [_metrics(), _NOTHING])),
        _at(merged, _listener("merged", {}, [_metrics(), _NOTHING], merging)),
    ]


def _at(addresses: list[Json], listener: Json) -> Json:
    others = [{"address": address} for address in addresses[1:]]
    return {**listener, "address": addresses[0]} | ({"additional_addresses": others} if others else {})


def _metrics(**match: Any) -> Json:
    """The metrics in Prometheus's format. They may be long."""
    return {"match": match or {"path": "/stats/prometheus"}, "route": {"cluster": "metrics", "timeout": "30s"}}


def _all_to(cluster: str) -> Json:
    return {"match": {"prefix": "/"}, "route": {"cluster": cluster, "timeout": "30s"}}


def _exit(path: str) -> Json:
    addresses = {"@type": _TYPES + "extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"}
    forward = {
        "@type": _TYPES + "extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "exit",
        "cluster": "exit",
        "idle_timeout": "0s",
    }
    onward: Json = {"name": "envoy.filters.network.tcp_proxy", "typed_config": forward}
    return {
        "name": "exit",
        "address": _pipe(path),
        "listener_filters": [{"name": "envoy.filters.listener.proxy_protocol", "typed_config": addresses}],
        # The machine's own loopback is not a place that pods may go to, whatever was said to the node's Envoy.
        "filter_chains": [
            {"filters": [_refuse_all(), onward], "filter_chain_match": {"prefix_ranges": _LOOPBACK}},
            {"filters": [onward]},
        ],
    }


_LOOPBACK: Final = [
    {"address_prefix": "127.0.0.0", "prefix_len": 8},
    {"address_prefix": "0.0.0.0", "prefix_len": 8},  # noqa: S104 - Linux takes it for the machine itself
    {"address_prefix": "::", "prefix_len": 127},
    {"address_prefix": "::ffff:127.0.0.0", "prefix_len": 104},
]


def _refuse_all() -> Json:
    policies = {"all": {"permissions": [{"any": True}], "principals": [{"any": True}]}}
    rules = {
        "@type": _TYPES + "extensions.filters.network.rbac.v3.RBAC",
        "stat_prefix": "exit_loopback.",
        "rules": {"action": "DENY", "policies": policies},
    }
    return {"name": "envoy.filters.network.rbac", "typed_config": rules}


def _tcp(address: str, port: int) -> Json:
    return {"socket_address": {"address": address, "port_value": port}}


def _pipe(path: str, *, mode: int | None = _PRIVATE) -> Json:
    return {"pipe": {"path": path} if mode is None else {"path": path, "mode": mode}}


def _encode(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
