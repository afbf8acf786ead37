"""Who the mesh asks, and whom it tells: `extensionProviders` of the mesh configuration, and which are the default.

Source: Istio's reference "Global Mesh Options", MeshConfig.ExtensionProvider.
"""

from typing import Annotated, ClassVar, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.marks import PORT, UINT32, Choices, Duration

_SERVICE = "Host of the service, `host` or `namespace/host`."
_PORT = "Port of the service."
_TAGS = "Longest path in a span, in bytes."
_TOKEN = "Token to be let in with."  # noqa: S105 -- a description
_ON_ERROR = "Status of the answer when nobody can be asked; 403 by default."
_TIMEOUT = "How long to wait for an answer; 600s by default."


class Secretive(Document):
    """A document whose text shows none of its values, because one of them may be a secret."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class Peer(Document):
    """A service that is called."""

    service: Annotated[str, _SERVICE]
    port: Annotated[int, PORT, _PORT]


class RequestBody(Document):
    """How much of a request's body is sent along."""

    max_request_bytes: Annotated[int, UINT32, "Longest body; a longer one is answered with 413."] = 0
    allow_partial_message: Annotated[bool, "Whether of a longer one the beginning is sent, in place of the 413."] = (
        False
    )
    pack_as_bytes: Annotated[bool, "Whether it is sent as bytes, not as text; over gRPC only."] = False


class ExtAuthzHttp(Peer):
    """Ask for each request over HTTP: status 200 lets it pass."""

    timeout: Annotated[Duration | None, _TIMEOUT] = None
    path_prefix: Annotated[str, "What stands before the request's path in the question."] = ""
    fail_open: Annotated[bool, "Whether a request passes when nobody can be asked."] = False
    clear_route_cache: Annotated[bool, "Whether the route is chosen again after the answer changed headers."] = False
    status_on_error: Annotated[str, _ON_ERROR] = ""
    include_headers_in_check: Annotated[tuple[str, ...], "Obsolete: use includeRequestHeadersInCheck."] = ()
    include_request_headers_in_check: Annotated[
        tuple[str, ...], "Headers of the request that are sent along; `abc*` and `*abc` stand for any with that part."
    ] = ()
    include_additional_headers_in_check: Annotated[dict[str, str], "Further headers of the question, fixed ones."] = {}
    include_request_body_in_check: Annotated[RequestBody | None, "Sends the body along."] = None
    headers_to_upstream_on_allow: Annotated[tuple[str, ...], "Headers of a yes that the app gets."] = ()
    headers_to_downstream_on_deny: Annotated[
        tuple[str, ...], "Headers of a no that the caller gets; all when absent."
    ] = ()
    headers_to_downstream_on_allow: Annotated[tuple[str, ...], "Headers of a yes that the caller gets."] = ()


class ExtAuthzGrpc(Peer):
    """Ask for each request or connection over Envoy's gRPC protocol."""

    timeout: Annotated[Duration | None, _TIMEOUT] = None
    fail_open: Annotated[bool, "Whether requests and connections pass when nobody can be asked."] = False
    clear_route_cache: Annotated[bool, "Whether the route is chosen again after the answer changed headers."] = False
    status_on_error: Annotated[str, _ON_ERROR] = ""
    include_request_body_in_check: Annotated[RequestBody | None, "Sends the body along."] = None


class HttpHeader(Secretive):
    """A header that is sent; exactly one of `value` and `envName` is set."""

    name: Annotated[str, "Name of the header."]
    value: Annotated[str, "Its value."] = ""
    env_name: Annotated[str, "Variable of the proxy's environment that holds the value."] = ""


class HttpService(Document):
    """How something is sent over HTTP."""

    path: Annotated[str, "Path of the requests."] = ""
    timeout: Annotated[Duration | None, "How long to wait for the answer."] = None
    headers: Annotated[tuple[HttpHeader, ...], "Headers of the requests."] = ()


class GrpcService(Document):
    """How something is sent over gRPC."""

    timeout: Annotated[Duration | None, "How long to wait for the answer."] = None
    initial_metadata: Annotated[tuple[HttpHeader, ...], "Metadata of the calls."] = ()


class Zipkin(Peer):
    """Send traces in Zipkin's format."""

    max_tag_length: Annotated[int, UINT32, _TAGS] = 0
    enable_64bit_trace_id: Annotated[bool, "Whether ids of traces have 64 bits, not 128."] = msgspec.field(
        default=False, name="enable64bitTraceId"
    )
    path: Annotated[str, "Path of the requests; /api/v2/spans by default."] = ""
    trace_context_option: Annotated[
        Literal["USE_B3", "USE_B3_WITH_W3C_PROPAGATION"], "Which headers carry the trace's context."
    ] = "USE_B3"
    timeout: Annotated[Duration | None, "How long to wait for the answer."] = None
    headers: Annotated[tuple[HttpHeader, ...], "Headers of the requests."] = ()


class Lightstep(Secretive, Peer):
    """Send traces to Lightstep."""

    access_token: Annotated[str, _TOKEN] = ""
    max_tag_length: Annotated[int, UINT32, _TAGS] = 0


class Datadog(Peer):
    """Send traces to Datadog's agent."""

    max_tag_length: Annotated[int, UINT32, _TAGS] = 0


class SkyWalking(Secretive, Peer):
    """Send traces to SkyWalking."""

    access_token: Annotated[str, _TOKEN] = ""


class StackdriverLogging(Document):
    """What Stackdriver's log has."""

    labels: Annotated[dict[str, str], "Tags of an entry, each with an expression."] = {}


class Stackdriver(Document):
    """Send to Google Cloud's operations suite."""

    max_tag_length: Annotated[int, UINT32, _TAGS] = 0
    logging: Annotated[StackdriverLogging | None, "What the log has."] = None


class OpenCensus(Peer):
    """Send traces to OpenCensus's agent."""

    context: Annotated[
        tuple[Literal["UNSPECIFIED", "W3C_TRACE_CONTEXT", "GRPC_BIN", "CLOUD_TRACE_CONTEXT", "B3"], ...],
        "Which headers carry the trace's context.",
    ] = ()
    max_tag_length: Annotated[int, UINT32, _TAGS] = 0


class Empty(Document):
    """Nothing to be set."""


class ResourceDetectors(Document):
    """Who adds attributes to traces."""

    environment: Annotated[Empty | None, "The variable OTEL_RESOURCE_ATTRIBUTES."] = None
    dynatrace: Annotated[Empty | None, "Dynatrace's files."] = None


class DynatraceApi(Peer):
    """Where the sampler asks."""

    http: Annotated[HttpService | None, "How it asks."] = None


class DynatraceSampler(Document):
    """Dynatrace's choice of what is traced."""

    tenant: Annotated[str, "The tenant."]
    cluster_id: Annotated[int, "The cluster."]
    root_spans_per_minute: Annotated[int, UINT32, "How many traces begin in a minute."] = 0
    http_service: Annotated[DynatraceApi | None, "Where it asks."] = None


class OpenTelemetry(Peer):
    """Send traces over OTLP."""

    ONE_OF: ClassVar[Choices] = (("http", "grpc"),)

    max_tag_length: Annotated[int, UINT32, _TAGS] = 0
    http: Annotated[HttpService | None, "Over HTTP."] = None
    grpc: Annotated[GrpcService | None, "Over gRPC, the default."] = None
    resource_detectors: Annotated[ResourceDetectors | None, "Who adds attributes."] = None
    dynatrace_sampler: Annotated[DynatraceSampler | None, "Dynatrace's sampler."] = None
    service_attribute_enrichment: Annotated[str, "How the service's name is found."] = ""


class Prometheus(Document):
    """Measure for Prometheus."""


class FileLogFormat(Document):
    """What a line of a log is; exactly one is set."""

    ONE_OF: ClassVar[Choices] = (("text", "labels"),)

    text: Annotated[str | None, "A line in Envoy's format."] = None
    labels: Annotated[dict[str, str] | None, "A JSON object in Envoy's format."] = None


class FileAccessLog(Document):
    """Write the access log to a file or stream."""

    path: Annotated[str, "The file; /dev/stdout by default."] = ""
    log_format: Annotated[FileLogFormat | None, "What a line is."] = None
    omit_empty_values: Annotated[bool, "Whether nothing stands for no value, in place of a dash."] = False


class TcpAls(Peer):
    """Send the access log of connections to Envoy's log service."""

    log_name: Annotated[str, "Name of the log."] = ""
    filter_state_objects_to_log: Annotated[tuple[str, ...], "Further objects of the filter state."] = ()


class HttpAls(TcpAls):
    """Send the access log of requests to Envoy's log service."""

    additional_request_headers_to_log: Annotated[tuple[str, ...], "Further headers of requests."] = ()
    additional_response_headers_to_log: Annotated[tuple[str, ...], "Further headers of answers."] = ()
    additional_response_trailers_to_log: Annotated[tuple[str, ...], "Further trailers of answers."] = ()


class OtelLogFormat(Document):
    """What an entry of the log has."""

    text: Annotated[str, "The body, in Envoy's format."] = ""
    labels: Annotated[dict[str, str] | None, "The attributes, in Envoy's format."] = None


class OtelAls(Peer):
    """Send the access log over OTLP."""

    log_name: Annotated[str, "Name of the log."] = ""
    log_format: Annotated[OtelLogFormat | None, "What an entry has."] = None


class Sds(Peer):
    """Ask a service for certificates."""

    name: Annotated[str, "Name of the provider."] = ""


_KINDS = (
    "envoyExtAuthzHttp",
    "envoyExtAuthzGrpc",
    "zipkin",
    "lightstep",
    "datadog",
    "stackdriver",
    "opencensus",
    "skywalking",
    "opentelemetry",
    "prometheus",
    "envoyFileAccessLog",
    "envoyHttpAls",
    "envoyTcpAls",
    "envoyOtelAls",
    "sds",
)


class ExtensionProvider(Document):
    """One provider, by its name; exactly one kind is set."""

    EXACTLY_ONE_OF: ClassVar[Choices] = (_KINDS,)

    name: Annotated[str, "Name by which policies and Telemetry mean it."]
    envoy_ext_authz_http: Annotated[ExtAuthzHttp | None, "Asked for each request, over HTTP."] = None
    envoy_ext_authz_grpc: Annotated[ExtAuthzGrpc | None, "Asked for each request or connection, over gRPC."] = None
    zipkin: Annotated[Zipkin | None, "Gets traces."] = None
    lightstep: Annotated[Lightstep | None, "Gets traces."] = None
    datadog: Annotated[Datadog | None, "Gets traces."] = None
    stackdriver: Annotated[Stackdriver | None, "Gets traces, metrics and logs."] = None
    opencensus: Annotated[OpenCensus | None, "Gets traces."] = None
    skywalking: Annotated[SkyWalking | None, "Gets traces."] = None
    opentelemetry: Annotated[OpenTelemetry | None, "Gets traces."] = None
    prometheus: Annotated[Prometheus | None, "Collects metrics."] = None
    envoy_file_access_log: Annotated[FileAccessLog | None, "Gets the access log."] = None
    envoy_http_als: Annotated[HttpAls | None, "Gets the access log of requests."] = None
    envoy_tcp_als: Annotated[TcpAls | None, "Gets the access log of connections."] = None
    envoy_otel_als: Annotated[OtelAls | None, "Gets the access log."] = None
    sds: Annotated[Sds | None, "Gives certificates."] = None

    @property
    def of_kind(self) -> str:
        """The name of the field that is set, `zipkin`."""
        names = (name for name in _KINDS if getattr(self, _FIELDS[name]) is not None)
        return next(names, "")


_FIELDS = dict(zip(_KINDS, ExtensionProvider.__struct_fields__[1:], strict=True))


class DefaultProviders(Document):
    """The providers that are used where no Telemetry object names one."""

    tracing: Annotated[tuple[str, ...], "Who gets traces."] = ()
    metrics: Annotated[tuple[str, ...], "Who collects metrics."] = ()
    access_logging: Annotated[tuple[str, ...], "Who gets the access log."] = ()
