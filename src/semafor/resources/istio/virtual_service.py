"""VirtualService: how requests are routed. Source: Istio's API reference."""

from typing import Annotated, ClassVar, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.istio import virtual_service_rules
from semafor.resources.istio.status import IstioStatus
from semafor.resources.kind import AGE, LIVE, Column, Kind
from semafor.resources.marks import NON_NEGATIVE, PERCENT, PORT, UINT32, Choices, Duration, Labels, within
from semafor.resources.meta.meta import ObjectMeta


class StringMatch(Document):
    """A condition on a text; at most one form is set."""

    ONE_OF: ClassVar[Choices] = (("exact", "prefix", "regex"),)

    exact: Annotated[str | None, "The text is exactly this."] = None
    prefix: Annotated[str | None, "The text starts with this."] = None
    regex: Annotated[str | None, "The whole text matches this regular expression, in RE2's syntax."] = None


class HTTPMatchRequest(Document):
    """Conditions on a request; all of them must hold."""

    name: Annotated[str, "Name of the condition, for logs."] = ""
    uri: Annotated[StringMatch | None, "Condition on the path."] = None
    scheme: Annotated[StringMatch | None, "Condition on the scheme."] = None
    method: Annotated[StringMatch | None, "Condition on the method."] = None
    authority: Annotated[StringMatch | None, "Condition on the host."] = None
    headers: Annotated[
        dict[str, StringMatch],
        "Conditions on headers, by lower-case name; an empty condition asks only that the header exists.",
    ] = {}
    port: Annotated[int, UINT32, "Port that the request came to."] = 0
    source_labels: Annotated[Labels, "Labels that the calling pod must have; not looked at in gateways."] = {}
    gateways: Annotated[
        tuple[str, ...], "Gateways that the condition applies at; stands above the object's own list."
    ] = ()
    query_params: Annotated[dict[str, StringMatch], "Conditions on parameters of the query."] = {}
    ignore_uri_case: Annotated[bool, "Whether upper and lower case are the same in the path."] = False
    without_headers: Annotated[dict[str, StringMatch], "Conditions on headers that must not hold."] = {}
    source_namespace: Annotated[str, "Namespace that the calling pod must be in."] = ""
    stat_prefix: Annotated[str, "Prefix of the statistics of this route."] = ""


class PortSelector(Document):
    """A port by its number."""

    number: Annotated[int, PORT, "Number of the port."] = 0


class Destination(Document):
    """A service that requests are sent to."""

    host: Annotated[
        str, "Name of the service; a short name is completed with the namespace of the object that holds it."
    ]
    subset: Annotated[str, "Subset of the service, defined in a DestinationRule."] = ""
    port: Annotated[PortSelector | None, "Port of the service; needed when it has several."] = None


class HeaderOperations(Document):
    """What is done with headers."""

    set: Annotated[Labels, "Headers that get this value, whatever they had."] = {}
    add: Annotated[Labels, "Values added to headers."] = {}
    remove: Annotated[tuple[str, ...], "Headers that are taken away."] = ()


class Headers(Document):
    """Changes of headers."""

    request: Annotated[HeaderOperations | None, "Changes before the request is sent on."] = None
    response: Annotated[HeaderOperations | None, "Changes before the response is sent back."] = None


class HTTPRouteDestination(Document):
    """A destination and its share."""

    destination: Annotated[Destination, "The destination."]
    weight: Annotated[int, NON_NEGATIVE, "Share relative to the sum of all weights; a lone destination needs none."] = 0
    headers: Annotated[Headers | None, "Changes of headers for this destination."] = None


class HTTPRedirect(Document):
    """Where a redirect leads."""

    ONE_OF: ClassVar[Choices] = (("port", "derivePort"),)

    uri: Annotated[str, "New path."] = ""
    authority: Annotated[str, "New host."] = ""
    port: Annotated[int | None, PORT, "New port."] = None
    derive_port: Annotated[
        Literal["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"] | None, "Where the new port comes from."
    ] = None
    scheme: Annotated[str, "New scheme."] = ""
    redirect_code: Annotated[int, "Status of the answer; 301 when absent."] = 0
    prefix_rewrite: Annotated[str, "What the matched prefix of the path becomes."] = ""


class HTTPBody(Document):
    """The body of a fixed response."""

    ONE_OF: ClassVar[Choices] = (("string", "bytes"),)

    string: Annotated[str | None, "As text."] = None
    bytes: Annotated[str | None, "As bytes in base64."] = None


class HTTPDirectResponse(Document):
    """A fixed response."""

    status: Annotated[int, within(200, 599), "Status of the response."]
    body: Annotated[HTTPBody | None, "Body of the response; empty when absent."] = None


class Delegate(Document):
    """A VirtualService that goes on with the routing."""

    name: Annotated[str, "Name of the VirtualService."] = ""
    namespace: Annotated[str, "Namespace of the VirtualService; that of the root when empty."] = ""


class RegexRewrite(Document):
    """A change by a regular expression."""

    match: Annotated[str, "The expression, in RE2's syntax."] = ""
    rewrite: Annotated[str, "What the match becomes; `\\1` stands for the first group."] = ""


class HTTPRewrite(Document):
    """What is changed before a request is sent on."""

    uri: Annotated[str, "What the path, or its matched prefix, becomes."] = ""
    authority: Annotated[str, "What the host becomes."] = ""
    uri_regex_rewrite: Annotated[RegexRewrite | None, "Changes the path by a regular expression."] = None


class HTTPRetry(Document):
    """When and how often a failed request is tried again."""

    attempts: Annotated[int, NON_NEGATIVE, "How often it is tried again; 0 means never."] = 0
    per_try_timeout: Annotated[Duration | None, "Longest time for each attempt; the route's timeout when absent."] = (
        None
    )
    retry_on: Annotated[
        str, "What counts as failed, with commas; `connect-failure,refused-stream,unavailable,cancelled` when empty."
    ] = ""
    retry_remote_localities: Annotated[bool | None, "Whether other localities may be tried."] = None
    retry_ignore_previous_hosts: Annotated[bool | None, "Whether hosts that failed are avoided; true when absent."] = (
        None
    )
    backoff: Annotated[Duration | None, "Least pause between attempts; 25ms when absent."] = None


class Percent(Document):
    """A share."""

    value: Annotated[float, PERCENT, "Per cent, 0 to 100; fractions are allowed."] = 0.0


class Delay(Document):
    """Requests that are held up."""

    percent: Annotated[int, PERCENT, "Obsolete: use percentage."] = 0
    fixed_delay: Annotated[Duration | None, "How long they are held up."] = None
    exponential_delay: Annotated[Duration | None, "Obsolete; not in effect."] = None
    percentage: Annotated[Percent | None, "Share of the requests; none when absent."] = None


class Abort(Document):
    """Requests that fail."""

    http_status: Annotated[int | None, within(200, 599), "Status of the answer."] = None
    grpc_status: Annotated[str | None, "gRPC status of the answer, by name or number."] = None
    http2_error: Annotated[str | None, "Obsolete; not in effect."] = None
    percentage: Annotated[Percent | None, "Share of the requests; none when absent."] = None


class HTTPFaultInjection(Document):
    """Delays and failures put in on purpose."""

    delay: Annotated[Delay | None, "Requests that are held up."] = None
    abort: Annotated[Abort | None, "Requests that fail."] = None


class HTTPMirrorPolicy(Document):
    """A destination that gets copies."""

    destination: Annotated[Destination, "The destination."]
    percentage: Annotated[Percent | None, "Share of the requests; all when absent."] = None


class CorsPolicy(Document):
    """Cross-origin rules."""

    allow_origin: Annotated[tuple[str, ...], "Obsolete: use allowOrigins."] = ()
    allow_origins: Annotated[tuple[StringMatch, ...], "Origins that may call."] = ()
    allow_methods: Annotated[tuple[str, ...], "Methods that they may use."] = ()
    allow_headers: Annotated[tuple[str, ...], "Headers that they may send."] = ()
    expose_headers: Annotated[tuple[str, ...], "Headers of the response that they may read."] = ()
    max_age: Annotated[Duration | None, "How long a browser may remember the answer."] = None
    allow_credentials: Annotated[bool | None, "Whether credentials may be sent."] = None
    unmatched_preflights: Annotated[
        Literal["UNSPECIFIED", "FORWARD", "IGNORE"], "What is done with preflight requests of other origins."
    ] = "UNSPECIFIED"


class HTTPRoute(Document):
    """Conditions, and what is done with requests that meet them."""

    name: Annotated[str, "Name of the route, for logs and messages."] = ""
    match: Annotated[
        tuple[HTTPMatchRequest, ...], "Conditions; one that matches is enough, and an empty list matches all."
    ] = ()
    route: Annotated[tuple[HTTPRouteDestination, ...], "Destinations with their weights."] = ()
    redirect: Annotated[HTTPRedirect | None, "Answers with a redirect instead of routing."] = None
    direct_response: Annotated[HTTPDirectResponse | None, "Answers with a fixed response instead of routing."] = None
    delegate: Annotated[Delegate | None, "Another VirtualService that goes on with the routing."] = None
    rewrite: Annotated[HTTPRewrite | None, "Changes path or host before the request is sent on."] = None
    timeout: Annotated[Duration | None, "Longest time for the request; no limit when absent."] = None
    retries: Annotated[HTTPRetry | None, "When and how often a failed request is tried again."] = None
    fault: Annotated[HTTPFaultInjection | None, "Delays or failures put in on purpose."] = None
    mirror: Annotated[
        Destination | None, "Destination that gets a copy of the requests; its answers are thrown away."
    ] = None
    mirrors: Annotated[tuple[HTTPMirrorPolicy, ...], "Destinations that get copies of the requests."] = ()
    mirror_percent: Annotated[int | None, PERCENT, "Obsolete: use mirrorPercentage."] = None
    mirror_percent_old: Annotated[int | None, "Another spelling of mirrorPercent."] = msgspec.field(
        name="mirror_percent", default=None
    )
    mirror_percentage: Annotated[Percent | None, "Share of the requests that `mirror` gets; all when absent."] = None
    cors_policy: Annotated[CorsPolicy | None, "Cross-origin rules."] = None
    headers: Annotated[Headers | None, "Changes of the headers of all requests and responses of the route."] = None


class TLSMatchAttributes(Document):
    """Conditions on a TLS connection; all of them must hold."""

    sni_hosts: Annotated[tuple[str, ...], "Server names, perhaps with a wildcard at the front."]
    destination_subnets: Annotated[tuple[str, ...], "Networks that the connection must go to."] = ()
    port: Annotated[int, "Port that it must go to."] = 0
    source_labels: Annotated[Labels, "Labels that the calling pod must have."] = {}
    gateways: Annotated[tuple[str, ...], "Gateways that the condition applies at."] = ()
    source_namespace: Annotated[str, "Namespace that the calling pod must be in."] = ""


class RouteDestination(Document):
    """A destination and its share."""

    destination: Annotated[Destination, "The destination."]
    weight: Annotated[int, NON_NEGATIVE, "Share relative to the sum of all weights; a lone destination needs none."] = 0


class TLSRoute(Document):
    """Conditions on a TLS connection, and where it goes."""

    match: Annotated[tuple[TLSMatchAttributes, ...], "Conditions; one that matches is enough."]
    route: Annotated[tuple[RouteDestination, ...], "Destinations with their weights."] = ()


class L4MatchAttributes(Document, frozen=True):
    """Conditions on a connection; all of them must hold."""

    destination_subnets: Annotated[tuple[str, ...], "Networks that the connection must go to."] = ()
    port: Annotated[int, "Port that it must go to."] = 0
    source_subnet: Annotated[str, "Obsolete; not looked at."] = ""
    source_labels: Annotated[Labels, "Labels that the calling pod must have."] = {}
    gateways: Annotated[tuple[str, ...], "Gateways that the condition applies at."] = ()
    source_namespace: Annotated[str, "Namespace that the calling pod must be in."] = ""


class TCPRoute(Document):
    """Conditions on a connection, and where it goes."""

    match: Annotated[
        tuple[L4MatchAttributes, ...], "Conditions; one that matches is enough, and an empty list matches all."
    ] = ()
    route: Annotated[tuple[RouteDestination, ...], "Destinations with their weights."] = ()


class VirtualServiceSpec(Document):
    """How requests for some hosts are routed."""

    hosts: Annotated[
        tuple[str, ...],
        "Hosts that the routes are for: names of services, or DNS names, perhaps with a wildcard at the front.",
    ] = ()
    gateways: Annotated[
        tuple[str, ...],
        "Gateways that the routes apply at; `mesh` means all sidecars, and is meant when the list is empty.",
    ] = ()
    http: Annotated[tuple[HTTPRoute, ...], "Routes for HTTP, in order; the first that matches is taken."] = ()
    tls: Annotated[tuple[TLSRoute, ...], "Routes for TLS that is passed through, by SNI."] = ()
    tcp: Annotated[tuple[TCPRoute, ...], "Routes for everything else."] = ()
    export_to: Annotated[
        tuple[str, ...], "Namespaces that see the routes: `.` this one, `*` all (meant when empty), or names."
    ] = ()


class VirtualService(Document):
    """Routes for some hosts."""

    api_version: Annotated[str, "API version of the object."] = "networking.istio.io/v1"
    kind: Annotated[str, "Kind of the object."] = "VirtualService"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[VirtualServiceSpec, "What is wanted."] = VirtualServiceSpec()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


KIND = Kind(
    group="networking.istio.io",
    versions=(
        "v1",
        "v1beta1",
        "v1alpha3",
    ),
    kind="VirtualService",
    plural="virtualservices",
    short=("vs",),
    categories=("istio-io", "networking-istio-io"),
    document=VirtualService,
    columns=(
        Column(name="Gateways", type="string", path=".spec.gateways", description="Gateways that the routes apply at."),
        Column(name="Hosts", type="string", path=".spec.hosts", description="Hosts that the routes are for."),
        LIVE,
        AGE,
    ),
    subresources=("status",),
    custom=True,
    validate=virtual_service_rules.validate,
    remarks=virtual_service_rules.remarks,
)
